"""`yikatong audit`: prove that nothing in the log was changed, and take it out for others to prove."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="审计日志：核验、导出", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("check")
def check(
    witness: Annotated[str, typer.Option(help="以前保存的检查点，形如 1200:根的十六进制")] = "",
    as_json: AsJson = False,
) -> None:
    """逐条核验审计日志；发现改动时指出第一处，退出码 1。"""
    kept = _witness(witness)
    _set_up()
    from yikatong.core import audit_log
    from yikatong.using.codes import queries

    report = audit_log.check(queries.checkpoint_publics(), witness=kept)
    fault = report.fault
    if as_json:
        said = {"size": report.size, "checkpoints": report.checkpoints, "root": report.root.hex()}
        found = fault and {"code": fault.code, "number": fault.number, "message": fault.sentence}
        print(json.dumps(said | {"fault": found}, ensure_ascii=False))
    elif fault is None:
        print(
            f"审计日志完整：{report.size} 条，{report.checkpoints} 个检查点。检查点 {report.size}:{report.root.hex()}"
        )
    else:
        print(fault.sentence)
    if fault is not None:
        raise typer.Exit(1)


@app.command("export")
def export(folder: Annotated[Path, typer.Argument(help="新目录")]) -> None:
    """导出审计日志，可用 scripts/verify_audit.py 独立核验。"""
    _set_up()
    from yikatong.cli.keys import operator
    from yikatong.core import audit_export, clock
    from yikatong.using.codes import queries, sealing

    sealing.seal(at=clock.now())
    publics = queries.checkpoint_publics()
    size = audit_export.export(folder, publics=publics, by=operator(), at=clock.now())
    print(f"已导出 {size} 条审计记录到 {folder}。核验：python scripts/verify_audit.py {folder}")


def _witness(text: str) -> tuple[int, bytes] | None:
    if not text:
        return None
    size, _, root = text.partition(":")
    try:
        return int(size), bytes.fromhex(root)
    except ValueError:
        raise typer.BadParameter("检查点应形如 1200:根的十六进制") from None


def _set_up() -> None:
    """Django only where a command needs it."""
    import django

    django.setup()
