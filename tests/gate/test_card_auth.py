"""A terminal reads a physical card: from the chip over the gate and the key device, and back."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.gate.test_parity import MODELS, columns
from tests.gate.world import Desk, Rider, World
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import (
    registered,
    terminal,
    terminal_debit,
    terminal_files,
    terminal_pin,
)
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.clock import BEIJING
from yikatong.core.models import Look
from yikatong.gate import card_auth
from yikatong.registry.cards import numbers
from yikatong.registry.cards.chip import hsm
from yikatong.registry.cards.chip.messages import AuthAnswer
from yikatong.registry.cards.models import Card


def carried(world: World, *, card_status: str = "1", **changes: Any) -> tuple[Rider, VirtualCard]:
    """A holder, and his card as a chip."""
    rider = world.rider(card_status=card_status)
    serial = Card.objects.count()
    rider.card.number = numbers.make("B", serial)
    rider.card.identification = numbers.identifier("510100", serial, b"gate")
    rider.card.reset_info = numbers.reset_information(b"MAKER", serial.to_bytes(8, "big"))
    for name, value in changes.items():
        setattr(rider.card, name, value)
    rider.card.save()
    return rider, registered.virtual(rider.card, SoftHsm())


def halls(world: World) -> Desk:
    return world.terminal(scenes=(1, 3))


def asked(desk: Desk, text: str) -> Any:
    return desk.ask("card-auth", {"request": text})


def looks(rider: Rider) -> list[Look]:
    return list(Look.objects.filter(holder_id=rider.holder.pk))


@pytest.mark.clause("E3", "O8", "G17", "S15")
def test_a_card_is_read_end_to_end_and_its_holder_sees_who_read_it(world: World) -> None:
    rider, chip = carried(world)
    desk = halls(world)
    number = f"{desk.row.number:012d}"
    begun = terminal.begin(chip, number)
    response = asked(desk, begun.request.text())
    assert response.status == 200
    basics = terminal.finish(chip, begun, AuthAnswer.read(response.body["answer"]), terminal=number)
    assert basics.text() == (
        f"510100|{rider.holder.social_security_number}|{rider.card.number}|{rider.card.identification}|王芳"
        f"|{rider.card.reset_info}|3.00|{rider.card.issued_on:%Y%m%d}|{rider.card.expires_on:%Y%m%d}|{number}||"
    )
    (look,) = looks(rider)
    assert (look.looker_id, look.looker_name, look.looker_role) == (
        desk.row.id,
        f"测试闸机（{number}）",
        "system",
    )
    assert (look.organisation, look.channel, look.purpose) == ("测试公交", "terminal", "终端读卡")
    assert look.looker_scope == "5101"
    assert (look.at, look.day, look.fields) == (world.at(), world.today, ["社会保障号码", "姓名", "卡号"])


@pytest.mark.clause("B2", "E3")
@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("B", "card_lost_temporary"), ("2", "card_lost"), ("3", "card_cancelled"), ("4", "card_cancelled"),
        ("0", "card_not_active"), ("A", "card_not_active"),
    ],
)  # fmt: skip
def test_a_card_that_is_not_in_use_is_not_opened(world: World, status: str, name: str) -> None:
    rider, chip = carried(world, card_status=status)
    response = asked(halls(world), terminal.begin(chip).request.text())
    assert (response.status, response.body["code"]) == (403, name)
    assert "answer" not in response.body
    assert looks(rider) == []


def test_an_expired_card_is_not_opened(world: World) -> None:
    rider, chip = carried(world, expires_on=world.today - timedelta(days=1))
    response = asked(halls(world), terminal.begin(chip).request.text())
    assert (response.status, response.body["code"]) == (403, "card_expired")
    assert looks(rider) == []


@pytest.mark.clause("S15")
def test_a_terminal_that_needs_no_name_opens_no_card(world: World) -> None:
    rider, chip = carried(world)
    response = asked(world.terminal(scenes=(3,)), terminal.begin(chip).request.text())
    assert (response.status, response.body["code"]) == (403, "terminal_wrong_scene")
    assert looks(rider) == []


@pytest.mark.clause("E3")
def test_a_terminal_stopped_a_moment_ago_opens_no_card(world: World) -> None:
    rider, chip = carried(world)
    desk = halls(world)
    assert desk.ask("heartbeat", {"clock": world.now}).status == 200  # the gate remembers it as enrolled
    desk.row.status = "stopped"
    desk.row.save()
    response = asked(desk, terminal.begin(chip).request.text())
    assert (response.status, response.body["code"]) == (403, "terminal_stopped")
    assert looks(rider) == []


def test_a_card_nobody_registered_is_not_opened(world: World) -> None:
    rider, chip = carried(world)
    text = terminal.begin(chip).request.text().replace(rider.card.identification[-8:], "FFFFFFFF")
    response = asked(halls(world), text)
    assert (response.status, response.body["code"], response.body["reason"]) == (403, "card_unknown", 606)
    assert response.body["title"] == "该卡不在本平台登记"


def test_a_chip_whose_reset_information_differs_is_not_opened(world: World) -> None:
    rider, chip = carried(world)
    text = terminal.begin(chip).request.text().replace(rider.card.reset_info, "0" * 26)
    response = asked(halls(world), text)
    assert (response.status, response.body["code"], response.body["number"]) == (422, "card_fault", -22)
    assert response.body["title"] == "传入数据与卡内不符，请重新读卡"
    assert looks(rider) == []


@pytest.mark.parametrize(("text", "number"), [("", -14), ("1|2|01|4|5|6|7|8|", -13), ("x" * 300, -14)])
def test_texts_that_are_no_request_get_their_national_number(world: World, text: str, number: int) -> None:
    response = asked(halls(world), text)
    assert (response.status, response.body["number"]) == (422, number)


def test_messages_of_another_shape_are_refused(world: World) -> None:
    desk = halls(world)
    assert desk.ask("card-auth", {"request": "1" * 401}).body["code"] == "request_malformed"
    assert desk.ask("card-auth", {"request": "", "more": 1}).body["code"] == "request_malformed"
    assert desk.ask("card-auth", {"request": ""}, key=bytes(32)).body["code"] == "request_bad_mac"
    assert desk.ask("card-auth", None, method="GET").status == 405


def test_a_key_device_that_is_away_is_said_so_and_leaves_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rider, chip = carried(world)
    broken = tmp_path / "cards.json"
    broken.write_bytes(b"{}")
    broken.chmod(0o600)
    monkeypatch.setattr(card_auth, "card_hsm", lambda: SoftHsm(broken))
    response = asked(halls(world), terminal.begin(chip).request.text())
    assert (response.status, response.body["code"]) == (503, "hsm_unavailable")
    assert str(broken) not in str(response.body)
    assert looks(rider) == []


def test_the_setting_names_the_key_device() -> None:
    assert type(hsm.card_hsm()) is SoftHsm
    assert hsm.card_hsm() is hsm.card_hsm()


# --- the other functions ---

READ_ALL = "3F00EF06|08|09|4E|$"


def of(rider: Rider) -> str:
    return f"{rider.card.identification}|{rider.card.number}|"


def clinic(world: World) -> Desk:
    return world.terminal(scenes=(2,))


def refusal(response: Any) -> tuple[int, int, str]:
    return response.status, response.body["number"], response.body["title"]


def at_beijing(world: World, **later: float) -> str:
    return f"{(world.at() + timedelta(**later)).astimezone(BEIJING):%Y%m%d%H%M%S}"


@pytest.mark.clause("E3", "G17", "S15")
def test_items_of_a_card_are_read_and_its_holder_sees_it(world: World) -> None:
    rider, chip = carried(world)
    begun = terminal_files.begin_read(chip, of(rider), READ_ALL)
    response = halls(world).ask("card-auth", {"request": begun.request.text(), "card": of(rider)})
    assert response.status == 200
    assert terminal_files.finish_read(chip, begun, response.body["answer"]) == (
        f"3F00EF06|{rider.holder.social_security_number}|王芳||$"
    )
    (look,) = looks(rider)
    assert (look.purpose, look.fields[:4]) == ("终端读卡", ["社会保障号码", "姓名", "卡号", "性别"])


@pytest.mark.clause("S15")
@pytest.mark.parametrize(
    ("changed", "number", "words"),
    [
        ({"business": "02"}, -24, "密钥级别不够，该终端不能办理此业务，请到窗口办理"),
        ({"business": "04"}, -24, "密钥级别不够，该终端不能办理此业务，请到窗口办理"),
        (
            {"request": "03|0090|" + "0" * 16 + "|" + "0" * 16 + "|"},
            -24,
            "密钥级别不够，该终端不能办理此业务，请到窗口办理",
        ),
        (
            {"request": "03|0174|" + "0" * 16 + "|" + "0" * 16 + "|"},
            -24,
            "密钥级别不够，该终端不能办理此业务，请到窗口办理",
        ),
        (
            {"request": "03|0170|" + "0" * 16 + "|" + "0" * 16 + "|"},
            -24,
            "密钥级别不够，该终端不能办理此业务，请到窗口办理",
        ),
        ({"request": "01|004C|" + "0" * 16 + "|" + "0" * 16 + "|"}, -13, "不支持该命令或该卡的算法"),
        ({"request": "03|004C|" + "0" * 16 + "|"}, -14, "命令参数错，请更新终端软件"),
        ({"card": "x|y|"}, -20, "卡识别码格式错，请核对是否为社会保障卡"),
    ],
)
def test_a_terminal_writes_no_card_and_sets_no_pin(
    world: World, changed: dict[str, str], number: int, words: str
) -> None:
    rider, chip = carried(world)
    begun = terminal_files.begin_read(chip, of(rider), READ_ALL)
    response = halls(world).ask("card-auth", {"request": begun.request.text(), "card": of(rider)} | changed)
    assert refusal(response) == (422, number, words)
    assert looks(rider) == []


def test_numbers_that_are_not_of_one_card(world: World) -> None:
    rider, chip = carried(world)
    other, _ = carried(world)
    begun = terminal_files.begin_read(chip, of(rider), READ_ALL)
    mixed = f"{rider.card.identification}|{other.card.number}|"
    response = halls(world).ask("card-auth", {"request": begun.request.text(), "card": mixed})
    assert refusal(response) == (422, -22, "传入数据与卡内不符，请重新读卡")
    unknown = f"{rider.card.identification[:-8]}FFFFFFFF|{rider.card.number}|"
    response = halls(world).ask("card-auth", {"request": begun.request.text(), "card": unknown})
    assert (response.status, response.body["reason"]) == (403, 606)
    assert looks(rider) == looks(other) == []


@pytest.mark.clause("B2", "E3")
@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("B", 601, "该卡已临时挂失"),
        ("2", 602, "该卡已正式挂失"),
        ("4", 603, "该卡已注销"),
        ("A", 604, "该卡尚未启用"),
    ],
)
def test_no_function_serves_a_lost_card(world: World, status: str, reason: int, words: str) -> None:
    rider, chip = carried(world, card_status=status)
    desk = world.terminal(scenes=(1, 2))
    number = f"{desk.row.number:012d}"
    begun = terminal_files.begin_read(chip, of(rider), READ_ALL)
    terminal_pin.verify_pin(chip, "123456")
    paying = terminal_debit.begin_debit(chip, of(rider), f"0|1|{at_beijing(world)}|", number)
    for business, request in (("01", begun.request.text()), ("07", paying.request.text())):
        response = desk.ask("card-auth", {"request": request, "card": of(rider), "business": business})
        assert (response.status, response.body["reason"]) == (403, reason)
        assert response.body["title"] == words
    assert looks(rider) == []


@pytest.mark.clause("S15")
@pytest.mark.parametrize("number", ["000000000099", "99", "X" * 32])
def test_a_request_of_another_terminal_is_not_answered(world: World, number: str) -> None:
    rider, chip = carried(world)
    response = asked(halls(world), terminal.begin(chip, number).request.text())
    assert refusal(response) == (422, -23, "传入数据不合法，请重新读卡")
    assert looks(rider) == []
    assert asked(halls(world), terminal.begin(chip, "0" * 32).request.text()).status == 200, "none named"


@pytest.mark.clause("S9", "E3")
def test_a_clinic_takes_a_debit_and_proves_it(world: World) -> None:
    rider, chip = carried(world)
    desk = clinic(world)
    number = f"{desk.row.number:012d}"
    terminal_pin.verify_pin(chip, "123456")
    begun = terminal_debit.begin_debit(chip, of(rider), f"0|12.5|{at_beijing(world)}|", number)
    message = {"request": begun.request.text(), "card": of(rider), "business": "07"}
    response = desk.ask("card-auth", message)
    assert response.status == 200
    receipt = terminal_debit.finish_debit(chip, begun, response.body["answer"])
    tac = f"{receipt.tac.hex().upper()}|"
    (look,) = looks(rider)
    assert (look.purpose, look.fields) == ("医疗结算", ["个人账户"])
    assert desk.ask("card-auth", message | {"tac": tac}).body == {"answer": tac}
    response = desk.ask("card-auth", message | {"tac": "00000000|"})
    assert refusal(response) == (422, -37634, "MAC 无效")
    assert refusal(desk.ask("card-auth", message | {"tac": "xx"}))[1] == -23
    assert len(looks(rider)) == 1, "a proof is about what is past"


@pytest.mark.clause("S15")
def test_debits_of_other_places_and_times_are_not_signed(world: World) -> None:
    rider, chip = carried(world)
    terminal_pin.verify_pin(chip, "123456")
    desk = clinic(world)
    number = f"{desk.row.number:012d}"

    def ask(of_terminal: str, at: str, where: Desk = desk) -> Any:
        begun = terminal_debit.begin_debit(chip, of(rider), f"0|1|{at}|", of_terminal)
        told = {"request": begun.request.text(), "card": of(rider), "business": "07"}
        return where.ask("card-auth", told)

    assert refusal(ask("000000000000", at_beijing(world)))[1] == -23, "no terminal named"
    assert refusal(ask("000000000099", at_beijing(world)))[1] == -23, "another one"
    assert refusal(ask(number, at_beijing(world, minutes=-61)))[1] == -23, "long over"
    assert refusal(ask(number, at_beijing(world, minutes=61)))[1] == -23, "not yet"
    response = ask(number, at_beijing(world), halls(world))
    assert (response.status, response.body["code"]) == (403, "terminal_wrong_scene")
    assert looks(rider) == []


@pytest.mark.parametrize("table", card_auth.TABLES)
def test_every_column_named_is_a_column_of_the_model(table: str) -> None:
    assert set(card_auth.TABLES[table]) <= columns(table)


def test_the_look_is_written_whole() -> None:
    assert set(card_auth.TABLES["core_look"]) == columns("core_look")
    named = {table for table in MODELS if f" {table} " in card_auth.STATEMENT}
    assert named == set(card_auth.TABLES)


def test_the_statement_finds_the_card_by_its_index(world: World) -> None:
    text = card_auth.STATEMENT.replace("%s::uuid AS look_id", "gen_random_uuid() AS look_id")
    text = text.replace("%s::text AS identification", "'x'::text AS identification")
    text = text.replace("%s::text AS reset_info", "'x'::text AS reset_info").replace(
        "%s::uuid", "gen_random_uuid()"
    )
    text = text.replace("%s::timestamptz", "now()").replace("%s::date", "current_date")
    text = text.replace("%s::text AS purpose", "''::text AS purpose").replace("%s::text[]", "'{}'::text[]")
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + text)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "cards_card_identification" in plan
