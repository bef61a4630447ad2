"""Admin of production batches and rosters, to read; cards and cases belong to the counter."""

from django.contrib import admin

from yikatong.core.admin import ReadOnlyAdmin
from yikatong.registry.cards.models import Batch, Roster


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["number", "bank", "status", "rows", "created_at", "returned_at"]
    list_filter = ["status", "bank"]
    list_select_related = ["bank"]


@admin.register(Roster)
class RosterAdmin(ReadOnlyAdmin):
    list_display = ["filename", "status", "rows", "cases", "faults", "created_by", "created_at"]
    list_filter = ["status"]
    exclude = ["content"]
