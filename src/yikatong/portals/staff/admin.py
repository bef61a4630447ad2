"""Administration of staff: their entries, and help for a colleague who cannot log in."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from yikatong.core.actor import Channel
from yikatong.core.admin import StaffUserAdmin
from yikatong.core.clock import BEIJING, now
from yikatong.core.errors import DomainError
from yikatong.core.models import StaffUser
from yikatong.portals.staff import actions, guard, managing

admin.site.unregister(StaffUser)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="原因",
        max_length=200,
        required=False,  # the act asks for it
        help_text="记入审计日志，例如：手机遗失，已当面核对工作证。",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


@admin.register(StaffUser)
class HelpedStaffAdmin(StaffUserAdmin):
    actions_detail: ClassVar = ["reset_authenticator", "release_lock"]
    readonly_fields: ClassVar = [*StaffUserAdmin.readonly_fields, "lock"]
    fieldsets: ClassVar = [
        *StaffUserAdmin.fieldsets[:-1],
        ("登录", {"fields": ["last_login", "totp_confirmed_at", "lock"]}),
    ]

    @admin.display(description="锁定")
    def lock(self, user: StaffUser) -> str:
        until = guard.blocked_until(actions.spelled(user.username), at=now())
        return f"至 {until.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if until else "没有锁定"

    @action(description="重置验证器", url_path="reset-authenticator")  # type: ignore[untyped-decorator]
    def reset_authenticator(self, request: HttpRequest, object_id: str) -> HttpResponse:
        words = {
            "title": "重置验证器",
            "button": "重置验证器",
            "warning": "先核实本人身份。重置后，此人的登录全部结束；下次登录时，输入密码后绑定新的验证器。",
            "done": "已重置验证器，此人的登录已全部结束。",
        }
        return self._help(request, object_id, managing.reset_authenticator, words)

    @action(description="解除锁定", url_path="release-lock")  # type: ignore[untyped-decorator]
    def release_lock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        words = {
            "title": "解除锁定",
            "button": "解除锁定",
            "warning": "先核实是本人输错，不是他人在猜密码。解除后可以立即重新登录。",
            "done": "已解除锁定。",
        }
        return self._help(request, object_id, managing.release_lock, words)

    def _help(
        self, request: HttpRequest, object_id: str, act: Callable[..., StaffUser], words: dict[str, str]
    ) -> HttpResponse:
        """A page that asks for the reason, and the act by POST: a link does nothing by itself."""
        user = self.get_object(request, object_id)
        if user is None:
            raise Http404
        assert isinstance(request.user, StaffUser)  # noqa: S101 - nobody else comes here
        by, back = request.user.actor(Channel.WEB), reverse("admin:core_staffuser_change", args=[user.pk])
        refusal: DomainError | None = managing.OwnAccount() if user.pk == by.id else None
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                act(user.pk, reason=form.cleaned_data["reason"], by=by, at=now())
            except DomainError as error:
                refusal = error
            else:
                messages.success(request, words["done"])
                return HttpResponseRedirect(back, status=303)
        context: dict[str, Any] = self.admin_site.each_context(request) | words
        context |= {"form": form, "refusal": refusal, "original": user, "back": back, "opts": self.opts}
        context["is_own"] = isinstance(refusal, managing.OwnAccount)
        status = refusal.status if refusal and request.method == "POST" else 200
        return TemplateResponse(request, "staff/admin/act.html", context, status=status)
