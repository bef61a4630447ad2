"""`yikatong keys`: see, rotate and withdraw the keys that sign codes and lists."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from yikatong.core.actor import Actor
    from yikatong.using.codes.models import IssuerKey

app = typer.Typer(help="签发密钥：查看、轮换、撤销", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
_WORDS = {"signing": "签发中", "verifying": "仅验证", "expired": "已过期", "withdrawn": "已撤销"}


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """列出全部密钥及其状态。"""
    _set_up()
    from yikatong.using.codes import queries

    found = [_fields(row) for row in queries.issuer_keys()]
    if as_json:
        print(json.dumps(found))
        return
    for key in found:
        until = f"，验证至 {key['verify_until']}" if key["verify_until"] else ""
        print(
            f"{key['key_id']}  {_WORDS[key['state']]}  建于 {key['created_at']}{until}  公钥 {key['public']}"
        )
    if not found:
        print("还没有密钥；首次启动或首次签发时自动生成。")


@app.command("rotate")
def rotate(as_json: AsJson = False) -> None:
    """启用一把新密钥；旧密钥签发的码在到期前仍然有效。"""
    _set_up()
    from yikatong.core import clock
    from yikatong.using.codes import actions

    _say(actions.rotate_keys(by=operator(), at=clock.now()), "已启用新密钥", as_json=as_json)


@app.command("withdraw")
def withdraw(
    key_id: Annotated[int, typer.Argument(help="密钥编号，见 yikatong keys list")],
    reason: Annotated[str, typer.Option(help="撤销原因，记入审计日志")],
    yes: Annotated[bool, typer.Option("--yes", help="不再询问")] = False,
    as_json: AsJson = False,
) -> None:
    """撤销一把可能泄露的密钥：它签发的码立即失效。"""
    if not yes:
        typer.confirm(
            f"密钥 {key_id} 签发的所有码将立即失效，持卡人须联网更新。确定撤销吗？", abort=True, err=True
        )
    _set_up()
    from yikatong.core import clock
    from yikatong.using.codes import actions

    row = actions.withdraw_key(key_id, reason=reason, by=operator(), at=clock.now())
    _say(row, "已撤销密钥", as_json=as_json)


@app.command("publish")
def publish(as_json: AsJson = False) -> None:
    """发布有变化的名单；没有密钥时先生成一把。"""
    _set_up()
    from yikatong.core import clock
    from yikatong.using.codes import actions

    made = [
        {"kind": one.kind, "scene": one.scene, "version": one.version}
        for one in actions.publish_lists(at=clock.now())
    ]
    print(json.dumps(made) if as_json else f"已发布 {len(made)} 份名单。" if made else "名单没有变化。")


def _say(row: "IssuerKey", words: str, *, as_json: bool) -> None:
    print(json.dumps(_fields(row)) if as_json else f"{words} {row.key_id}。终端下次更新名单时生效。")


def _fields(row: "IssuerKey") -> dict[str, Any]:
    from yikatong.using.codes import keysets

    keyset = keysets.unwrap(row)
    return {
        "key_id": row.key_id,
        "issuer": row.issuer,
        "state": _state(row),
        "public": keyset.sm2_public.hex(),
        "list_public": keysets.list_key(keyset).public.hex(),
        "checkpoint_public": keysets.checkpoint_key(keyset).public.hex(),
        "created_at": _text(row.created_at),
        "sign_until": _text(row.sign_until),
        "verify_until": _text(row.verify_until),
        "withdrawn_at": _text(row.withdrawn_at),
    }


def _state(row: "IssuerKey") -> str:
    from yikatong.core import clock

    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.verify_until is None:
        return "signing"
    return "verifying" if row.verify_until > clock.now() else "expired"


def _text(at: Any) -> str | None:
    from yikatong.core.clock import BEIJING

    return at.astimezone(BEIJING).isoformat(timespec="seconds") if at else None


def operator() -> "Actor":
    """Whoever runs the command on the server, by the name of his account there, for the audit log."""
    import getpass

    from yikatong.core.actor import Actor, Channel, Role

    return Actor(id=None, name=f"命令行 {getpass.getuser()}"[:100], role=Role.SYSTEM, channel=Channel.SYSTEM)


def _set_up() -> None:
    """Django only where a command needs it: the others start at once."""
    import django

    django.setup()
