"""Admin of the ground floor: staff, and the audit log to read.

Holders, certificates and cards are not in the admin on purpose: an administrator runs the system and handles
no one's card (three separate roles, GB/T 22239).
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from yikatong.core.models import AuditCheckpoint, AuditEntry, StaffUser


class ReadOnlyAdmin(ModelAdmin):
    """Rows that acts write, and nobody edits by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class KeptAdmin(ModelAdmin):
    """Register entries that may be edited but are never deleted: history refers to them."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


admin.site.unregister(Group)  # roles are code (core.permissions), not groups


@admin.register(StaffUser)
class StaffUserAdmin(UserAdmin[StaffUser], ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "display_name", "role", "organisation", "scope", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["username", "display_name", "staff_number"]
    ordering = ["username"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("人员", {"fields": ["display_name", "staff_number", "organisation", "outlet_id", "window"]}),
        ("权限", {"fields": ["role", "scope", "is_active", "is_staff", "is_superuser"]}),
        ("登录", {"fields": ["last_login", "totp_confirmed_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "display_name", "role", "password1", "password2"]})]
    readonly_fields = ["last_login", "totp_confirmed_at"]
    filter_horizontal = ()


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "event", "subject", "actor_name", "actor_role", "channel", "organisation"]
    list_filter = ["actor_role", "channel"]
    search_fields = ["event", "subject", "actor_name"]
    date_hierarchy = "at"


@admin.register(AuditCheckpoint)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    list_display = ["size", "at", "key_id"]
