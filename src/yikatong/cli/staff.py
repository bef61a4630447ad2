"""`yikatong staff`: help a member of staff who cannot log in, from the server itself.

The way for the last administrator: in the administration nobody may do this for himself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from yikatong.core.models import StaffUser

app = typer.Typer(help="工作人员登录：重置验证器、解除锁定", no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="用户名")]
Reason = Annotated[str, typer.Option(help="原因，记入审计日志")]


@app.command("reset-totp")
def reset_totp(
    login: Login,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
) -> None:
    """手机丢失时重置验证器：登录全部结束，下次登录绑定新的验证器。"""
    if not yes:
        typer.confirm(
            f"{login} 的登录将全部结束，下次登录凭密码绑定新的验证器。确定重置吗？", abort=True, err=True
        )
    _set_up()
    from yikatong.portals.staff import managing

    user = _do(managing.reset_authenticator, login, reason)
    print(f"已重置 {user.username}（{user.display_name}）的验证器，其登录已全部结束。")


@app.command("unlock")
def unlock(login: Login, reason: Reason) -> None:
    """解除连续输错密码造成的锁定。"""
    _set_up()
    from yikatong.portals.staff import managing

    user = _do(managing.release_lock, login, reason)
    print(f"已解除 {user.username}（{user.display_name}）的锁定，可以立即重新登录。")


def _do(act: Callable[..., "StaffUser"], login: str, reason: str) -> "StaffUser":
    from yikatong.cli.keys import operator
    from yikatong.core import clock
    from yikatong.portals.staff import managing

    return act(managing.id_of(login), reason=reason, by=operator(), at=clock.now())


def _set_up() -> None:
    """Django only where a command needs it."""
    import django

    django.setup()
