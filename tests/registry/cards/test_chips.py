"""A clerk writes what changed into a card and sets its PIN: for which cards, with what trace, and refused how."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.registry.conftest import AT, LI_QIANG
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import registered, terminal, terminal_files, terminal_pin
from yikatong.adapters.national_card.virtual import VirtualCard
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import DomainError, Forbidden, Invalid, NotFound
from yikatong.core.models import AuditEntry, Look
from yikatong.insight.soundness import checking
from yikatong.registry.cards import actions, refusals
from yikatong.registry.cards.actions import chips
from yikatong.registry.cards.actions.reading import CardUnknown, authenticate
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.chip.messages import AuthAnswer
from yikatong.registry.cards.models import Card, CardEvent
from yikatong.registry.holders.models import Holder, Proof

pytestmark = pytest.mark.django_db
ZHAO_MIN = Actor(None, "赵敏", Role.CLERK, Channel.COUNTER, scope="5001")
TELLER = Actor(None, "陈会", Role.BANK_CLERK, Channel.COUNTER, scope="5101", bank="103")
LEADER = Actor(None, "周敏华", Role.LEADER, Channel.WEB, scope="51")
Carry = Callable[[Holder], Card]


def of(card: Card) -> str:
    return f"{card.identification}|{card.number}|"


def events(card: Card) -> list[tuple[str, str]]:
    return [
        (one.kind, one.note)
        for one in CardEvent.objects.filter(card=card, kind__in=["chip_written", "pin_set", "pin_unblocked"])
    ]


def write(chip: VirtualCard, card: Card, key: str, *, by: Actor = LI_QIANG) -> str:
    """As page, platform and agent do it together; what is asked for is what the platform has."""
    wanted = {one.key: one.wanted for one in chips.should_hold(card.holder, AT.date())}[key]
    begun = terminal_files.begin_write(chip, of(card), wanted)
    answer, file = chips.write(
        of(card), begun.request.text(), key=key, holder_id=card.holder_id, by=by, at=AT
    )
    terminal_files.finish_write(chip, begun, answer, file.data)
    return file.data


@pytest.mark.clause("B2", "A1", "G17")
def test_a_new_name_is_written_into_the_card(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    chip = registered.virtual(card, SoftHsm())
    card.holder.name = "阿依古丽·买买提·图尔荪巴克·甲乙丙"
    card.holder.save(update_fields=["name"])
    data = write(chip, card, "person")
    assert data == (
        f"3F00EF06|{wang_fang.social_security_number}|阿依古丽·买买提·图尔荪巴克·|甲乙丙|2|{wang_fang.ethnicity}"
        f"|{wang_fang.birth_date:%Y%m%d}|$"
    )
    begun = terminal.begin(chip)
    answered = authenticate(begun.request.text(), by=LI_QIANG, at=AT).answer
    assert terminal.finish(chip, begun, AuthAnswer.read(answered)).name == card.holder.name
    assert events(card) == [("chip_written", "个人信息：写卡数据已给出")]
    assert AuditEntry.objects.filter(event="cards:card:chip_written").count() == 1
    (look,) = Look.objects.filter(holder_id=wang_fang.pk, purpose="窗口写卡")
    assert look.fields == ["社会保障号码", "姓名", "性别", "民族", "出生日期"]


@pytest.mark.clause("A3", "O7")
def test_a_work_permit_is_carried_while_it_is_in_force(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    permit = {"kind": Proof.Kind.WORK_PERMIT, "number": "51A2026000123", "issuer": "四川省外国专家局"}
    period = {"valid_from": date(2026, 3, 1), "valid_until": AT.date() + timedelta(days=30)}
    Proof.objects.create(holder=wang_fang, created_at=AT, created_by="李强", **permit, **period)
    chip = registered.virtual(card, SoftHsm())
    held = f"DF02EF0C|51A2026000123|20260301|{period['valid_until']:%Y%m%d}|四川省外国专家局|$"
    assert write(chip, card, "permit") == held
    Proof.objects.update(valid_until=AT.date())
    assert write(chip, card, "permit") == "DF02EF0C|||||$", "it ended: taken off the card"
    assert write(chip, card, "residence") == f"DF01EF06|{wang_fang.division_code[:6]}|$"


def test_a_card_as_the_maker_writes_it_holds_what_the_register_says(wang_fang: Holder, carry: Carry) -> None:
    """The same words by two ways: made new, or written later."""
    card = carry(wang_fang)
    Proof.objects.create(
        holder=wang_fang, kind=Proof.Kind.WORK_PERMIT, number="51A1", issuer="四川省外国专家局",
        valid_from=date(2026, 3, 1), valid_until=date(2099, 1, 1), created_at=AT, created_by="李强",
    )  # fmt: skip
    image = registered.image(card, SoftHsm(), day=AT.date())
    chip = VirtualCard(image)
    for file in chips.should_hold(wang_fang, AT.date()):
        write(chip, card, file.key)
    written = dict(chip._state.memory.written)
    made = {
        (*place, one.tag): one.value
        for place, records in image.files.items()
        for one in records
        if (*place, one.tag) in written
    }
    assert written == made


def pin(chip: VirtualCard, card: Card, new: str = "", *, by: Actor = LI_QIANG) -> None:
    begun = terminal_pin.begin_reload(chip, of(card))
    who: dict[str, Any] = {"holder_id": card.holder_id, "by": by, "at": AT}
    answer = chips.prove_puk(of(card), begun.text(), **who)
    second = (
        terminal_pin.reload(chip, begun, answer, new, new)
        if new
        else terminal_pin.unblock(chip, begun, answer)
    )
    terminal_pin.finish_reload(chip, second, chips.set_pin(of(card), second.text(), **who))


@pytest.mark.clause("B2")
@pytest.mark.parametrize(
    ("new", "holds", "event"), [("135790", "135790", "pin_set"), ("", "123456", "pin_unblocked")]
)
def test_a_locked_pin_is_set_anew_or_unblocked(
    wang_fang: Holder, carry: Carry, new: str, holds: str, event: str
) -> None:
    card = carry(wang_fang)
    chip = registered.virtual(card, SoftHsm())
    for _ in range(3):
        with pytest.raises(CardFault):
            terminal_pin.verify_pin(chip, "000000")
    pin(chip, card, new)
    terminal_pin.verify_pin(chip, holds)
    assert events(card) == [(event, "")]
    kept = str(list(AuditEntry.objects.values())) + str(list(CardEvent.objects.values()))
    assert "135790" not in kept


def test_a_card_that_was_served_is_still_sound(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    chip = registered.virtual(card, SoftHsm())
    write(chip, card, "person")
    pin(chip, card, "135790")
    pin(chip, card)
    way = [one for one in checking.INVARIANTS if one.name == "card_moved_along_its_table"]
    assert checking.breaches(at=AT, chosen=way) == []
    CardEvent.objects.filter(kind="pin_set").update(to_status="2")
    assert [one.examples for one in checking.breaches(at=AT, chosen=way)] == [(f"card:{card.pk}",)]


PROVE = "0" * 16 + "|" + "0" * 16 + "|"
WRITE, PUK, SET = f"03|0174|{PROVE}", f"03|0090|{PROVE}", "03|0173|0000000000000000|8424000114|135790|"


def refused(card: Card, kind: type[DomainError], *, by: Actor = LI_QIANG, info: str = "") -> list[Any]:
    told: dict[str, Any] = {"holder_id": card.holder_id, "by": by, "at": AT}
    info, found = info or of(card), []
    for act in (
        lambda: chips.write(info, WRITE, key="person", **told),
        lambda: chips.prove_puk(info, PUK, **told),
        lambda: chips.set_pin(info, SET, **told),
    ):
        with pytest.raises(kind) as refusal:
            act()
        found.append(refusal.value)
    assert events(card) == []
    assert not Look.objects.filter(purpose="窗口写卡").exists()
    assert not AuditEntry.objects.filter(event="cards:card:puk_proven").exists()
    return found


@pytest.mark.clause("B2", "G17")
def test_a_lost_card_is_not_written_and_gets_no_pin(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    actions.report_temporary_loss(card.pk, by=LI_QIANG, at=AT)
    for refusal in refused(card, refusals.ChipNotServed):
        assert refusal.message == (
            "只有正常使用的社会保障卡才能更新卡内信息、重置或解锁密码。"
            "下一步：未启用的先启用；挂失的先解除挂失，不能解除的办理补卡；已注销的请核对是否拿错了卡。"
        )


@pytest.mark.clause("S15")
def test_who_may_not_and_which_card_is_not_served(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    refused(card, Forbidden, by=LEADER)
    refused(card, CardUnknown, by=ZHAO_MIN)
    strange = f"{card.identification[:-8]}FFFFFFFF|{card.number}|"
    refused(card, CardUnknown, info=strange)
    for refusal in refused(card, CardFault, info=f"{card.identification}|A00000001|"):
        assert refusal.number in {-22, -23}
    other = Holder.objects.exclude(pk=wang_fang.pk).first()
    wrong = {"holder_id": other.pk if other else card.pk, "by": LI_QIANG, "at": AT}
    with pytest.raises(CardFault, match="传入数据与卡内不符"):
        chips.set_pin(of(card), SET, **wrong)


@pytest.mark.clause("G12")
def test_a_bank_s_clerk_writes_nothing_and_serves_the_pins_of_his_bank(
    wang_fang: Holder, carry: Carry
) -> None:
    card = carry(wang_fang)
    told: dict[str, Any] = {"holder_id": card.holder_id, "by": TELLER, "at": AT}
    with pytest.raises(Forbidden):
        chips.write(of(card), WRITE, key="person", **told)
    with pytest.raises(NotFound):
        chips.set_pin(of(card), SET, **told)
    assert events(card) == []


@pytest.mark.parametrize(
    ("act", "text", "number"),
    [
        ("write", PUK, -24), ("prove_puk", WRITE, -24), ("set_pin", PUK, -14), ("write", f"01|0174|{PROVE}", -13),
        ("set_pin", SET.replace("135790", "13579"), -33), ("set_pin", SET.replace("8424000114", "00DC000003"), -14),
    ],
)  # fmt: skip
def test_texts_for_another_purpose_are_refused(
    wang_fang: Holder, carry: Carry, act: str, text: str, number: int
) -> None:
    card = carry(wang_fang)
    told: dict[str, Any] = {"holder_id": card.holder_id, "by": LI_QIANG, "at": AT}
    more = {"key": "person"} if act == "write" else {}
    with pytest.raises(CardFault) as refusal:
        getattr(chips, act)(of(card), text, **told, **more)
    assert refusal.value.number == number
    assert events(card) == []


def test_a_file_there_is_not(wang_fang: Holder, carry: Carry) -> None:
    card = carry(wang_fang)
    with pytest.raises(Invalid, match="没有这项卡内信息"):
        chips.write(of(card), WRITE, key="card", holder_id=card.holder_id, by=LI_QIANG, at=AT)
    assert events(card) == []
