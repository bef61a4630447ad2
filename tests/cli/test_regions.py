from pathlib import Path

import pytest
from typer.testing import CliRunner

from yikatong.cli.regions import app
from yikatong.registry.regions import profile
from yikatong.registry.regions.models import Division

PROFILE = Path(profile.__file__).parent / "profiles" / "chongqing.toml"


@pytest.mark.django_db
def test_a_missing_source_is_said_and_nothing_is_loaded(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["load", "--source", str(tmp_path)])

    assert (result.exit_code, result.stdout) == (1, "找不到行政区划数据，请先在安装目录执行 npm ci。\n")
    assert not Division.objects.exists()


def test_a_good_profile_is_summed_up() -> None:
    result = CliRunner().invoke(app, ["check", str(PROFILE)])

    assert (result.exit_code, result.stdout) == (0, "重庆市：配置有效，39 个地区，3 家合作银行。\n")


@pytest.mark.clause("Q2")
def test_a_bad_profile_is_refused_by_its_key(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(PROFILE.read_text(encoding="utf-8").replace("check = 2", "chekc = 2"), encoding="utf-8")

    result = CliRunner().invoke(app, ["check", str(bad)])

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "bad.toml 的 limits.ordinary.check：缺少这一项",
        "bad.toml 的 limits.ordinary.chekc：没有这一项，请检查拼写",
    ]
