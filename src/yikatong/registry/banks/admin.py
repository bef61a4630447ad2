"""Admin of co-operating banks; accounts are not shown here."""

from django.contrib import admin

from yikatong.core.admin import KeptAdmin
from yikatong.registry.banks.models import Bank


@admin.register(Bank)
class BankAdmin(KeptAdmin):
    list_display = ["code", "name", "hotline", "accepts_new"]
