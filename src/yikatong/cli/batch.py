"""`yikatong batch`: the whole round of production with the sandbox bank and card maker."""

import json
import os
from typing import Annotated, Any

import typer

app = typer.Typer(help="制卡批次", no_args_is_help=True)
Share = Annotated[float, typer.Option(min=0.0, max=1.0)]


@app.callback()
def _batch() -> None:
    """Keeps `run` a command of its own."""


@app.command("run")
def run(
    bank: Annotated[str, typer.Argument(help="银行编号，或已开立的批次号（接着办完这一批）")],
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="最多件数")] = 20_000,
    bank_failing: Share = 0.0,
    maker_failing: Share = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False,
) -> None:
    """用沙箱银行和沙箱制卡机构走完一轮：建批次、预开户、制卡、回盘；给批次号，则接着办完控制台开立的那一批。"""
    _set_up()
    from yikatong.adapters.production_sandbox import rest_of_round, whole_round
    from yikatong.core import clock
    from yikatong.core.actor import SYSTEM
    from yikatong.registry.cards.models import Batch

    more: dict[str, Any] = {"bank_failing": bank_failing, "maker_failing": maker_failing}
    more |= {"by": SYSTEM, "at": clock.now()}
    begun = Batch.objects.filter(number=bank).first()
    report = rest_of_round(begun, **more) if begun else whole_round(bank, limit=limit, **more)
    facts: dict[str, Any] = {
        "batch": report.batch,
        "rows": report.rows,
        "made": report.made,
        "failed": report.failed,
        "failures": [{"row": row, "step": step, "reason": why} for row, step, why in report.failures],
    }
    print(json.dumps(facts, ensure_ascii=False) if as_json else _words(facts))


def _words(facts: dict[str, Any]) -> str:
    lines = [f"批次 {facts['batch']}：{facts['rows']} 件，制成 {facts['made']}，失败 {facts['failed']}。"]
    lines += [f"  第 {one['row']} 件，{one['step']}：{one['reason']}" for one in facts["failures"][:20]]
    return "\n".join(lines)


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    django.setup()
