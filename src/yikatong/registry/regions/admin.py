"""Admin of divisions, organisations and outlets."""

from django.contrib import admin

from yikatong.core.admin import KeptAdmin, ReadOnlyAdmin
from yikatong.registry.regions.models import Division, Organisation, Outlet


@admin.register(Division)
class DivisionAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "level", "parent_code", "is_current"]
    list_filter = ["level", "is_current"]
    search_fields = ["code", "name"]


@admin.register(Organisation)
class OrganisationAdmin(KeptAdmin):
    list_display = ["code", "name", "kind", "division_code"]
    list_filter = ["kind"]
    search_fields = ["code", "name"]


@admin.register(Outlet)
class OutletAdmin(KeptAdmin):
    list_display = ["number", "name", "division_code", "hours", "issues_at_once", "is_accessible", "is_open"]
    list_filter = ["issues_at_once", "is_accessible", "is_open"]
    list_select_related = ["organisation"]
    search_fields = ["number", "name", "address"]
    autocomplete_fields = ["organisation"]
