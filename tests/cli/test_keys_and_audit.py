"""`yikatong keys` and `yikatong audit`, as an operator on the server uses them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from typer.testing import CliRunner, Result

from yikatong.cli import audit, keys
from yikatong.core import clock
from yikatong.core.models import AuditEntry
from yikatong.using.codes import publish, rotation, sealing
from yikatong.using.codes.models import IssuerKey

pytestmark = pytest.mark.django_db
ROOT = r"[0-9a-f]{64}"


def run(app: Any, *arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=given)


def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(keys.app, "list", "--json").stdout)
    return found


def test_before_the_first_key() -> None:
    result = run(keys.app, "list")
    assert (result.exit_code, result.stdout) == (0, "还没有密钥；首次启动或首次签发时自动生成。\n")
    assert listed() == []


def test_a_rotation_and_a_withdrawal() -> None:
    result = run(keys.app, "rotate")
    assert (result.exit_code, result.stdout) == (0, "已启用新密钥 2。终端下次更新名单时生效。\n")
    assert [(key["key_id"], key["state"]) for key in listed()] == [(2, "signing"), (1, "verifying")]
    result = run(keys.app, "withdraw", "1", "--reason", "疑似泄露", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["state"]) == (0, "withdrawn")
    assert [(key["key_id"], key["state"]) for key in listed()] == [(2, "signing"), (1, "withdrawn")]
    entry = AuditEntry.objects.get(event="codes:key:withdrawn")
    assert entry.actor_name.startswith("命令行 ")
    assert entry.facts == {"key_id": 1, "reason": "疑似泄露"}


def test_the_first_lists_and_then_only_changes() -> None:
    made = json.loads(run(keys.app, "publish", "--json").stdout)
    assert made == [
        {"kind": "trust", "scene": 0, "version": 1},
        *({"kind": "hot", "scene": scene, "version": 1} for scene in (1, 2, 3, 4)),
    ]
    assert run(keys.app, "publish").stdout == "名单没有变化。\n"


def test_a_listed_key_shows_no_secret() -> None:
    publish.publish_lists(at=clock.now())
    key = listed()[0]
    row = IssuerKey.objects.get()
    assert key["public"] == bytes(row.public_key).hex()
    assert set(key) == {
        "key_id",
        "issuer",
        "state",
        "public",
        "list_public",
        "checkpoint_public",
        "created_at",
        "sign_until",
        "verify_until",
        "withdrawn_at",
    }
    line = run(keys.app, "list").stdout
    assert line.startswith("1  签发中  建于 ")
    assert line.endswith(f"公钥 {key['public']}\n")


def test_a_withdrawal_is_asked_for_twice() -> None:
    run(keys.app, "rotate")
    result = run(keys.app, "withdraw", "1", "--reason", "误操作", given="n\n")
    assert result.exit_code == 1
    assert not IssuerKey.objects.exclude(withdrawn_at=None).exists()
    result = run(keys.app, "withdraw", "1", "--reason", "疑似泄露", given="y\n")
    assert result.exit_code == 0
    result = run(keys.app, "withdraw", "1", "--reason", "再次", "--yes")
    assert isinstance(result.exception, rotation.KeyIsWithdrawn)


@pytest.mark.clause("cap:O5")
def test_a_whole_log_is_said_to_be_whole_with_its_checkpoint() -> None:
    run(keys.app, "rotate")
    sealing.seal(at=clock.now())
    result = run(audit.app, "check")
    found = re.fullmatch(rf"审计日志完整：2 条，1 个检查点。检查点 (2:{ROOT})\n", result.stdout)
    assert result.exit_code == 0
    assert found is not None
    assert run(audit.app, "check", "--witness", found[1]).exit_code == 0
    result = run(audit.app, "check", "--witness", "2:" + "00" * 32)
    assert (result.exit_code, result.stdout) == (1, "编号 2：与保存的检查点不符，日志已被截断或重写\n")
    assert run(audit.app, "check", "--witness", "two").exit_code == 2


@pytest.mark.clause("cap:O5")
def test_a_changed_log_ends_with_one() -> None:
    run(keys.app, "rotate")
    sealing.seal(at=clock.now())
    entry = AuditEntry.objects.get(event="codes:key:rotated")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE core_auditentry SET actor_name = '别人' WHERE id = %s", [entry.id])
        cursor.execute("ALTER TABLE core_auditentry ENABLE TRIGGER USER")
    result = run(audit.app, "check", "--json")
    assert result.exit_code == 1
    fault = json.loads(result.stdout)["fault"]
    assert fault["code"] == "entry_changed"
    assert str(entry.id) in fault["message"]


def test_an_export_seals_first(tmp_path: Path) -> None:
    run(keys.app, "rotate")
    result = run(audit.app, "export", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert result.stdout.startswith("已导出 2 条审计记录到 ")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["checkpoints.jsonl", "entries.jsonl", "keys.json", "leaves.jsonl"]
