"""The virtual card in a reader of the machine: pcscd, the driver, pyscard, and our reading over them."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.card_reader import service
from tests.adapters.cards import PIN, SSSE, WANG_FANG, card, hsm
from tests.adapters.national_card.test_terminal import BASICS
from yikatong.adapters.card_reader import pcsc
from yikatong.adapters.card_reader.agent import Agent
from yikatong.adapters.card_reader.several import Several
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card import terminal, terminal_files
from yikatong.adapters.national_card.image import pin_block
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.faults import CardFault
from yikatong.registry.cards.chip.messages import AuthRequest

WHY_NOT = service.missing()
pytestmark = [pytest.mark.faults, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with service.running(tmp_path_factory.mktemp("pcscd")) as found:
        yield found


@pytest.fixture(autouse=True)
def empty(port: int) -> None:
    service.wait_until_empty()


@pytest.fixture
def device(tmp_path: Path) -> SoftHsm:
    return hsm(tmp_path)


@pytest.mark.clause("E3")
def test_a_card_is_read_through_real_pcsc(port: int, device: SoftHsm) -> None:
    with service.placed(card(device), port), pcsc.PcscReader().card() as channel:
        begun = terminal.begin(channel, "510100000001")
        answer = authentication.answer(begun.request, device)
        basics = terminal.finish(channel, begun, answer, terminal="510100000001", device="YK-7")
    assert basics.text() == BASICS


@pytest.mark.clause("E3")
def test_a_card_through_the_air_is_read_through_real_pcsc(port: int, device: SoftHsm) -> None:
    """With the answer to reset a reader makes of ISO/IEC 14443-4."""
    lying = card(device)
    lying.present(contactless=True)
    with service.placed(lying, port), pcsc.PcscReader().card() as channel:
        assert channel.atr == lying.atr
        assert channel.atr[:4].hex() == "3b8d8001"
        begun = terminal.begin(channel, "510100000001")
        answer = authentication.answer(begun.request, device)
        basics = terminal.finish(channel, begun, answer, terminal="510100000001", device="YK-7")
        assert basics.text() == BASICS
        assert channel.transmit(bytes.fromhex("0020000003") + pin_block(PIN)).hex() == "6985"


@pytest.mark.clause("E3", "B2")
def test_a_card_is_written_through_real_pcsc_and_keeps_it(port: int, device: SoftHsm) -> None:
    lying, this = card(device), f"{WANG_FANG.chip.identification}|{WANG_FANG.card_number}|"
    with service.placed(lying, port):
        with pcsc.PcscReader().card() as channel:
            begun = terminal_files.begin_write(channel, this, "3F00EF06|09|4E|$")
            proof = authentication.prove(begun.request, WANG_FANG.chip, device)
            terminal_files.finish_write(channel, begun, proof, "3F00EF06|王芳芳||$")
        with pcsc.PcscReader().card() as channel:
            reading = terminal_files.begin_read(channel, this, "3F00EF06|09|$")
            proof = authentication.prove(reading.request, WANG_FANG.chip, device)
            assert terminal_files.finish_read(channel, reading, proof) == "3F00EF06|王芳芳|$"
            photo = terminal_files.begin_read(channel, this, "3F00EF08|$")
            proof = authentication.prove(photo.request, WANG_FANG.chip, device)
            assert len(terminal_files.finish_read(channel, photo, proof)) == 2 * 4096 + 11


def test_every_reader_of_the_machine(port: int, device: SoftHsm) -> None:
    chosen = Several(pcsc.all_readers)
    assert chosen.is_occupied() is False
    with service.placed(card(device), port), chosen.card() as channel:
        assert terminal.card_file(channel).card_number == WANG_FANG.card_number


def test_the_reader_has_its_name_and_says_when_it_is_empty(port: int) -> None:
    assert any("Virtual PCD" in name for name in pcsc.names())
    with pytest.raises(CardFault) as refusal, pcsc.PcscReader("virtual pcd").card():
        pass
    assert refusal.value.number == -2
    with pytest.raises(CardFault) as refusal, pcsc.PcscReader("no such").card():
        pass
    assert refusal.value.number == -12


@pytest.mark.clause("S14")
def test_the_agent_of_a_counter_reads_through_it(port: int, device: SoftHsm) -> None:
    reader = pcsc.PcscReader()
    agent = Agent(reader)
    assert agent.has_card() is False
    with service.placed(card(device), port):
        assert reader.is_occupied() is True
        key, request = agent.begin()
        assert agent.has_card() is True, "while it is read as well"
        answer = authentication.answer(AuthRequest.read(request), device).text()
        assert agent.finish(key, answer).name == "王芳"
        assert agent.begin()[1].startswith("510100|"), "and again, for the card was let go"
        agent.close()


def test_what_was_opened_is_closed_for_the_next_program(port: int, device: SoftHsm) -> None:
    with service.placed(card(device), port):
        with pcsc.PcscReader().card() as channel:
            terminal.select_environment(channel)
            terminal.send(channel, bytes.fromhex("0020000003") + pin_block(PIN))
            assert channel.transmit(bytes.fromhex("0020000000")) == bytes.fromhex("9000")
        with pcsc.PcscReader().card() as channel:
            assert channel.transmit(bytes.fromhex("0020000000")) == bytes.fromhex("63C3")


def test_the_card_is_ours_alone_while_we_read(port: int, device: SoftHsm) -> None:
    with service.placed(card(device), port), pcsc.PcscReader().card():
        with pytest.raises(CardFault) as refusal, pcsc.PcscReader().card():
            pass
        assert refusal.value.number == -4


def test_a_command_takes_milliseconds(port: int, device: SoftHsm) -> None:
    """Without quick confirmations each takes 48 ms; the limit lies far from both."""
    with service.placed(card(device), port), pcsc.PcscReader().card() as channel:
        assert terminal.card_file(channel).card_number == WANG_FANG.card_number
        times = []
        for _ in range(50):
            started = time.perf_counter()
            terminal.item(channel, 0x07)
            times.append(time.perf_counter() - started)
    assert statistics.median(times) < 0.02


# The last one: the driver loses the next card after such an end, and takes only the one after it.
def test_a_card_taken_out_while_reading_is_mute(port: int, device: SoftHsm) -> None:
    with service.placed(card(device), port):
        opened = pcsc.PcscReader().card()
        channel = opened.__enter__()
    with pytest.raises(CardFault) as refusal:
        channel.transmit(SSSE)
    assert refusal.value.number == -4
    opened.__exit__(None, None, None)
