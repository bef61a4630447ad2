"""Admin of issuer keys and published lists, to read; keys move by command."""

from django.contrib import admin

from yikatong.core.admin import ReadOnlyAdmin
from yikatong.using.codes.models import IssuerKey, ListVersion


@admin.register(IssuerKey)
class IssuerKeyAdmin(ReadOnlyAdmin):
    list_display = ["key_id", "issuer", "created_at", "sign_until", "verify_until", "withdrawn_at"]
    exclude = ["secrets_sealed"]


@admin.register(ListVersion)
class ListVersionAdmin(ReadOnlyAdmin):
    list_display = ["kind", "scene", "version", "entries", "made_at"]
    list_filter = ["kind", "scene"]
    exclude = ["full"]
