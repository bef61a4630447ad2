"""`yikatong roster`: load a file of applications, get its faults, get the template."""

import json
import os
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

app = typer.Typer(help="批量申领名册", no_args_is_help=True)
Out = Annotated[Path, typer.Option("-o", "--output", help="写到这个 xlsx 文件", dir_okay=False)]


@app.command("load")
def load(
    file: Annotated[
        Path, typer.Argument(help="xlsx 或 CSV（UTF-8 或 GB 18030）", exists=True, dir_okay=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False,
) -> None:
    """导入名册：逐行受理或列出错误；中断后再次执行会接着做，重复执行没有变化。"""
    _set_up()
    from yikatong.core import clock
    from yikatong.core.actor import SYSTEM
    from yikatong.registry.cards import rosters

    with file.open("rb") as data:
        roster = rosters.receive(data, file.name, run_now=False, by=SYSTEM, at=clock.now())
    was_done = roster.finished_at is not None
    roster = _run(roster.pk, roster.rows - roster.rows_done, roster.rows_done)
    facts: dict[str, Any] = {
        "roster": str(roster.pk),
        "rows": roster.rows,
        "cases": roster.cases,
        "faults": roster.faults,
        "by_code": _by_code(roster.pk),
        "repeated": was_done,
    }
    print(json.dumps(facts, ensure_ascii=False) if as_json else _words(facts))


@app.command("errors")
def errors(roster: Annotated[UUID, typer.Argument(help="名册编号")], output: Out) -> None:
    """导出错误清单。"""
    _set_up()
    from yikatong.registry.cards import rosters

    output.write_bytes(rosters.faults_xlsx(roster))
    print(f"错误清单已写到 {output}。")


@app.command("rows")
def rows(roster: Annotated[UUID, typer.Argument(help="名册编号")], output: Out) -> None:
    """导出有误的行原样，供改正后再次导入；只限在本机导入的名册，且在保存期限内。"""
    _set_up()
    from yikatong.cli.keys import operator
    from yikatong.core import clock
    from yikatong.core.errors import DomainError
    from yikatong.registry.cards import rosters

    try:
        content = rosters.given_xlsx(roster, by=operator(), at=clock.now())
    except DomainError as refusal:
        print(refusal.message)
        raise typer.Exit(1) from None
    output.touch(mode=0o600)  # whole numbers of persons
    output.write_bytes(content)
    print(f"有误的行已写到 {output}，改正后可以直接再次导入。")


@app.command("template")
def template(output: Out) -> None:
    """导出名册模板。"""
    _set_up()
    from yikatong.registry.cards import rosters

    output.write_bytes(rosters.template_xlsx())
    print(f"名册模板已写到 {output}。")


def _run(roster_id: UUID, left: int, done_before: int) -> Any:
    from yikatong.cli.progress import progress
    from yikatong.core import clock
    from yikatong.registry.cards import rosters

    done = done_before
    with progress("名册", left) as tick:

        def shown(now_done: int, _total: int) -> None:
            nonlocal done
            tick(count=now_done - done)
            done = now_done

        return rosters.run(roster_id, shown, at=clock.now())


def _by_code(roster_id: UUID) -> dict[str, int]:
    from django.db.models import Count

    from yikatong.registry.cards.models import RosterFault

    counted = RosterFault.objects.filter(roster_id=roster_id).values("code").annotate(count=Count("pk"))
    return dict(counted.order_by("-count", "code").values_list("code", "count"))


def _words(facts: dict[str, Any]) -> str:
    head = "这份名册已经处理过，没有变化。\n" if facts["repeated"] else ""
    lines = [f"名册 {facts['roster']}：{facts['rows']} 行，受理 {facts['cases']}，有误 {facts['faults']}。"]
    lines += [f"  {code}：{count}" for code, count in facts["by_code"].items()]
    if facts["faults"]:
        lines.append(f"错误清单（脱敏）：yikatong roster errors {facts['roster']} -o 错误清单.xlsx")
        lines.append(f"原行，改正后再导入：yikatong roster rows {facts['roster']} -o 有误的行.xlsx")
    return head + "\n".join(lines)


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yikatong.site.settings")
    django.setup()
