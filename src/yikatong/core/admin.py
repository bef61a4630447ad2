"""Admin of the ground floor: staff, and the audit log to read.

Holders, certificates and cards are not in the admin on purpose: an administrator runs the system and handles
no one's card (three separate roles, GB/T 22239).
"""

import json
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from yikatong.core import audit
from yikatong.core.actor import Channel, Role
from yikatong.core.clock import now
from yikatong.core.models import AuditCheckpoint, AuditEntry, StaffUser

_ROLES: Final[dict[str, str]] = {**dict(StaffUser.ROLES), Role.HOLDER: "持卡人", Role.SYSTEM: "平台"}
_CHANNELS: Final[dict[str, str]] = {
    Channel.WEB: "网页", Channel.MOBILE: "手机", Channel.KIOSK: "自助", Channel.COUNTER: "窗口", Channel.BATCH: "批量",
    Channel.TERMINAL: "终端", Channel.SYSTEM: "平台",
}  # fmt: skip


class SomePaginator(Paginator[Any]):
    """Counts so far and no further: counting a log of years takes longer than reading it."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        assert isinstance(self.object_list, QuerySet)  # noqa: S101 - for the type checker
        return len(self.object_list.order_by().values_list("pk")[: self.MOST])


class AuditedAdmin(ModelAdmin):
    """What an administrator changes stands in the audit log too, which he cannot change (GB/T 22239 8.1.4.3)."""

    audited: ClassVar[tuple[str, ...]] = ()  # fields whose new value is told; never personal ones

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note("added", request, obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note("changed", request, obj, message)
        return super().log_change(request, obj, message)

    def _note(self, what: str, request: HttpRequest, obj: Any, message: Any) -> None:
        assert isinstance(request.user, StaffUser)  # noqa: S101 - nobody else comes here
        name = obj._meta.model_name
        audit.record(
            f"admin:{name}:{what}",
            subject=f"{name}:{obj.pk}",
            by=request.user.actor(Channel.WEB),
            at=now(),
            what=message if isinstance(message, list) else [str(message)],
            now={field: getattr(obj, field) for field in self.audited},
        )


class ReadOnlyAdmin(ModelAdmin):
    """Rows that acts write, and nobody edits by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class KeptAdmin(AuditedAdmin):
    """Register entries that may be edited but are never deleted: history refers to them."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


admin.site.unregister(Group)  # roles are code (core.permissions), not groups


@admin.register(StaffUser)
class StaffUserAdmin(KeptAdmin, UserAdmin[StaffUser]):
    """Staff who leave are made inactive: deleting one would delete what he did in the administration's own history."""

    audited = ("role", "scope", "bank_code", "is_active", "is_superuser")
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "display_name", "role", "organisation", "scope", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["username", "display_name", "staff_number"]
    ordering = ["username"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (
            "人员",
            {"fields": ["display_name", "staff_number", "organisation", "outlet_id", "window", "bank_code"]},
        ),
        ("权限", {"fields": ["role", "scope", "is_active", "is_staff", "is_superuser"]}),
        ("登录", {"fields": ["last_login", "totp_confirmed_at"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "display_name", "role", "bank_code", "password1", "password2"]})
    ]
    readonly_fields = ["last_login", "totp_confirmed_at"]
    filter_horizontal = ()


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Event and subject stay codes here; the console says them in words."""

    list_display = ["at", "event_code", "subject_code", "actor_name", "role", "way", "organisation"]
    fields = [
        "at",
        "event_code",
        "subject_code",
        "holder_id",
        "actor_name",
        "role",
        "way",
        "organisation",
        "facts_code",
    ]
    readonly_fields = ["event_code", "subject_code", "role", "way", "facts_code"]
    # No search, filter or calendar here: each would read the whole log. The console has them by index.
    ordering = ["-at", "-id"]
    paginator = SomePaginator
    show_full_result_count = False

    @admin.display(description="事件代码")
    def event_code(self, entry: AuditEntry) -> str:
        return format_html("<code>{}</code>", entry.event)

    @admin.display(description="对象")
    def subject_code(self, entry: AuditEntry) -> str:
        return format_html("<code>{}</code>", entry.subject)

    @admin.display(description="细节")
    def facts_code(self, entry: AuditEntry) -> str:
        return format_html("<code>{}</code>", json.dumps(entry.facts, ensure_ascii=False, default=str))

    @admin.display(description="岗位")
    def role(self, entry: AuditEntry) -> str:
        return _ROLES.get(entry.actor_role, entry.actor_role)

    @admin.display(description="渠道")
    def way(self, entry: AuditEntry) -> str:
        return _CHANNELS.get(entry.channel, entry.channel)


@admin.register(AuditCheckpoint)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    list_display = ["size", "at", "key_id"]
