"""Admin of terminals, to read; the console enrols and stops them."""

from django.contrib import admin

from yikatong.core.admin import ReadOnlyAdmin
from yikatong.registry.access.models import Terminal


@admin.register(Terminal)
class TerminalAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "name", "kind", "status", "city_code", "domain_code"]
    list_filter = ["status", "kind"]
    search_fields = ["number", "name"]
