"""Admin of issuer keys and published lists, to read; keys move by command."""

from typing import ClassVar

from django.contrib import admin

from yikatong.core.admin import ReadOnlyAdmin
from yikatong.using.codes import queries
from yikatong.using.codes.models import IssuerKey, ListVersion


@admin.register(IssuerKey)
class IssuerKeyAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["key_id", "issuer", "created_at", "sign_until", "verify_until", "withdrawn_at"]
    fields: ClassVar = ["key_id", "issuer", "created_at", "sign_until", "verify_until", "withdrawn_at"]


@admin.register(ListVersion)
class ListVersionAdmin(ReadOnlyAdmin):
    list_display: ClassVar = ["kind", "scene_name", "version", "entries", "made_at"]
    list_filter: ClassVar = ["kind"]
    fields: ClassVar = ["kind", "scene_name", "version", "entries", "made_at"]
    readonly_fields: ClassVar = ["scene_name"]
    ordering: ClassVar = ["-made_at"]

    @admin.display(description="场景")
    def scene_name(self, row: ListVersion) -> str:
        """A trust list is for every scene."""
        return queries.scene_names().get(row.scene, str(row.scene)) if row.scene else "全部"
