"""`yikatong roster`: load a file, take its faulty rows as they came, mend them and load them again."""

import json
from pathlib import Path
from uuid import uuid4

import fastexcel
import pytest
from typer.testing import CliRunner, Result

from tests.registry.cards.sheets import as_csv, line, taken
from tests.registry.conftest import id_number
from yikatong.cli.roster import app
from yikatong.core.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("places", "partners")]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.clause("G5", "G17")
def test_what_was_loaded_here_comes_back_to_be_mended(tmp_path: Path) -> None:
    file, out = tmp_path / "名册.csv", tmp_path / "有误的行.xlsx"
    file.write_bytes(as_csv(line(1), line(2, 手机号码="1390")))
    loaded = json.loads(run("load", str(file), "--json").stdout)
    assert (loaded["cases"], loaded["faults"]) == (1, 1)
    assert run("rows", loaded["roster"], "-o", str(out)).exit_code == 0
    rows = fastexcel.read_excel(out).load_sheet(0, dtypes="string").to_polars()
    assert rows["证件号码"].to_list() == [id_number(2)]
    assert out.stat().st_mode & 0o077 == 0
    assert AuditEntry.objects.get(event="cards:roster:rows_taken").actor_name.startswith("命令行 ")


def test_what_staff_has_sent_is_not_the_command_lines(tmp_path: Path) -> None:
    sent, out = taken(as_csv(line(2, 手机号码="1390"))), tmp_path / "有误的行.xlsx"
    for roster, said in ((sent.pk, "只有上传人本人可以下载"), (uuid4(), "没有找到这份名册")):
        result = run("rows", str(roster), "-o", str(out))
        assert (result.exit_code, said in result.stdout, out.exists()) == (1, True, False)
