"""The administration site has no log-in of its own."""

from typing import TYPE_CHECKING

from django.apps import AppConfig

from yikatong.core.actor import Role

if TYPE_CHECKING:
    from django.http import HttpRequest


def may_administer(request: "HttpRequest") -> bool:
    """Administrators only; that both factors are proven is the session's business (see session.StaffSession)."""
    user = request.user
    is_admin = getattr(user, "is_superuser", False) or getattr(user, "role", "") == Role.ADMIN
    return user.is_authenticated and user.is_active and is_admin


class StaffConfig(AppConfig):
    name = "yikatong.portals.staff"
    verbose_name = "工作人员登录"

    def ready(self) -> None:
        from django.contrib import admin  # noqa: PLC0415 - sites are known only once apps are

        admin.site.has_permission = may_administer  # type: ignore[method-assign]
