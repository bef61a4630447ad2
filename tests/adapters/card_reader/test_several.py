"""Several readers at one desk: which card is meant, and what is said when nobody can know."""

from pathlib import Path

import pytest

from tests.adapters.cards import card, hsm
from yikatong.adapters.card_reader import Reader
from yikatong.adapters.card_reader.several import Interface, Several, TwoCards, is_contactless
from yikatong.adapters.card_reader.virtual import VirtualReader
from yikatong.adapters.national_card import terminal
from yikatong.registry.cards.chip.faults import CardFault, Fault, fault

SLOT, FIELD, OTHER = "ACME Reader [Contact] 00 00", "ACME Reader [PICC Interface] 01 00", "Other 02 00"


class Broken(VirtualReader):
    def is_occupied(self) -> bool:
        raise fault(Fault.READER_BROKEN)


@pytest.fixture
def readers(tmp_path: Path) -> dict[str, VirtualReader]:
    device = hsm(tmp_path)
    found = {name: VirtualReader(None, name) for name in (SLOT, FIELD, OTHER)}
    for name, reader in found.items():
        reader.placed = card(device)
        reader.placed.present(contactless=name == FIELD)
    return found


def several(readers: dict[str, VirtualReader], *names: str, interface: int = 3) -> Several:
    return Several(lambda: [readers[name] for name in names], Interface.of(interface))


def through_the_air(chosen: Several) -> bool:
    with chosen.card() as channel:
        return channel.atr.startswith(b"\x3b\x8d\x80\x01")


@pytest.mark.clause("E3")
@pytest.mark.parametrize(("interface", "contactless"), [(1, False), (2, True), (3, False), (4, True)])
def test_a_card_with_both_faces_is_read_as_asked(
    readers: dict[str, VirtualReader],
    interface: int,
    contactless: bool,  # noqa: FBT001
) -> None:
    for order in ((SLOT, FIELD), (FIELD, SLOT)):
        chosen = several(readers, *order, interface=interface)
        assert through_the_air(chosen) is contactless
    with chosen.card() as channel:
        assert terminal.card_file(channel).card_number


@pytest.mark.parametrize(("interface", "there"), [(1, FIELD), (2, SLOT), (2, OTHER)])
def test_a_card_on_the_other_face_is_no_card(
    readers: dict[str, VirtualReader], interface: int, there: str
) -> None:
    chosen = several(readers, there, interface=interface)
    assert chosen.is_occupied() is False
    with pytest.raises(CardFault, match="读卡器上没有卡") as refusal, chosen.card():
        pass
    assert refusal.value.number == -2


@pytest.mark.parametrize(("interface", "there"), [(3, FIELD), (4, SLOT)])
def test_the_second_choice_is_taken_where_it_is_the_only_one(
    readers: dict[str, VirtualReader], interface: int, there: str
) -> None:
    assert several(readers, there, interface=interface).is_occupied()
    assert through_the_air(several(readers, there, interface=interface)) is (there == FIELD)


@pytest.mark.clause("S15")
def test_two_cards_are_no_card(readers: dict[str, VirtualReader]) -> None:
    chosen = several(readers, SLOT, OTHER)
    with pytest.raises(TwoCards) as refusal, chosen.card():
        pass
    assert refusal.value.message == "有两张卡同时放在读卡器上，请只留下要办理的一张，再按 F8。"
    readers[SLOT].placed = None
    assert through_the_air(chosen) is False


def test_a_broken_reader_hides_no_card_but_is_told_where_it_is_the_only_one(
    readers: dict[str, VirtualReader],
) -> None:
    readers["broken"] = Broken(None, "broken")
    assert several(readers, "broken", SLOT).is_occupied()
    with pytest.raises(CardFault) as refusal:
        several(readers, "broken").is_occupied()
    assert refusal.value.number == -11
    assert several(readers, "broken", SLOT).name == f"broken、{SLOT}"


@pytest.mark.parametrize("number", [0, 5, -1])
def test_there_are_four_ways_to_ask(number: int) -> None:
    with pytest.raises(CardFault) as refusal:
        Interface.of(number)
    assert refusal.value.number == -14


@pytest.mark.parametrize(
    ("name", "found"),
    [("X NFC 00", True), ("X CL 00", True), ("CLOUD 2700 R", False), ("X Contactless", True)],
)
def test_faces_are_told_by_their_names(name: str, *, found: bool) -> None:
    reader: Reader = VirtualReader(None, name)
    assert is_contactless(reader) is found
