"""The national functions by name, as a terminal program calls them: each number and each text, and never an exception."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.cards import CHIP, PIN, WANG_FANG, Torn, card, hsm
from tests.adapters.national_card.test_medical import Desk
from tests.adapters.national_card.test_terminal import BASICS
from yikatong.adapters.card_reader import Reader
from yikatong.adapters.card_reader.several import Interface, Several
from yikatong.adapters.card_reader.virtual import VirtualReader
from yikatong.adapters.hsm.soft import SoftHsm
from yikatong.adapters.national_card.functions import Functions
from yikatong.adapters.national_card.terminal import Channel
from yikatong.registry.cards.chip import authentication
from yikatong.registry.cards.chip.messages import AuthRequest
from yikatong.registry.cards.chip.requests import DebitRequest, KeyRequest, SecureRequest

THIS = f"{CHIP.identification}|{WANG_FANG.card_number}|"
TERMINAL = "510100000001"


class Hall:
    """A terminal with a reader of two faces, a holder at its PIN pad, and the key device behind it."""

    def __init__(self, folder: Path) -> None:
        self.device: SoftHsm = hsm(folder)
        self.chip = card(self.device)
        self.slot, self.field = VirtualReader(self.chip, "slot"), VirtualReader(None, "PICC")
        self.typed: list[str | type[TimeoutError] | None] = []
        self.asked: list[str] = []
        self.functions = Functions(self.place, self.pad, number=TERMINAL, device="YK-7")

    @contextmanager
    def place(self, face: int) -> Iterator[Channel]:
        readers: list[Reader] = [self.slot, self.field]
        with Several(lambda: readers, Interface.of(face)).card() as channel:
            yield channel

    def pad(self, words: str) -> str | None:
        self.asked.append(words)
        typed = self.typed.pop(0)
        if isinstance(typed, type):
            raise typed
        return typed

    def __call__(self, name: str, *typed: Any, **given: Any) -> tuple[int, str]:
        self.typed = list(typed)
        needs_face = not name.endswith(("Step2", "Step3"))
        return self.functions.call(name, ({"iType": 3} if needs_face else {}) | given)

    def prove(self, text: str) -> str:
        return authentication.prove(KeyRequest.read(text), CHIP, self.device)

    def secure(self, text: str) -> str:
        return authentication.secure(SecureRequest.read(text), CHIP, self.device)


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


@pytest.mark.clause("E2", "E3", "O8")
def test_a_card_is_read(hall: Hall) -> None:
    number, text = hall("iReadCardBas_HSM_Step1")
    assert (number, text.split("|")[8]) == (0, TERMINAL)
    answer = authentication.answer(AuthRequest.read(text), hall.device).text()
    assert hall("iReadCardBas_HSM_Step2", pKey=answer) == (0, BASICS)
    assert hall("iReadCardBas_HSM_Step2", pKey=answer) == (-14, "命令参数错，请更新终端软件"), "sent again"


@pytest.mark.clause("E3")
def test_items_are_read_and_written(hall: Hall) -> None:
    wanted = {"pCardInfo": THIS, "pFileAddr": "3F00EF06|09|4E|$"}
    _, text = hall("iWriteCard_HSM_Step1", **wanted)
    fresh = "3F00EF06|王芳芳||$"
    assert hall("iWriteCard_HSM_Step2", pKey=hall.prove(text), pWriteData=fresh) == (0, "")
    _, text = hall("iReadCard_HSM_Step1", **wanted)
    assert hall("iReadCard_HSM_Step2", pKey=hall.prove(text)) == (0, fresh)


@pytest.mark.clause("E3", "S15")
def test_the_pin_functions(hall: Hall) -> None:
    assert hall("iVerifyPIN", None) == (-31, "已取消输入密码")
    assert hall("iVerifyPIN", TimeoutError) == (-32, "输入密码超时，请重新操作")
    assert hall("iVerifyPIN", "1") == (-33, "输入密码长度错，应为 6 位数字")
    assert [hall("iVerifyPIN", "000000")[0] for _ in range(3)] == [-51] * 3
    assert hall("iVerifyPIN", PIN) == (-52, "密码已锁定，请到窗口重置密码")
    _, text = hall("iUnblockPIN_HSM_Step1", pCardInfo=THIS)
    _, text = hall("iUnblockPIN_HSM_Step2", pKey=hall.prove(text))
    assert hall("iUnblockPIN_HSM_Step3", pKey=hall.secure(text)) == (0, "")
    assert hall("iChangePIN", PIN, "135790", "135791") == (-34, "两次输入的密码不一致，请重新输入")
    assert hall("iChangePIN", PIN, "123456", "123456") == (-36, "不能改为初始密码，请另设密码")
    assert hall("iChangePIN", PIN, "135790", "135790") == (0, "")
    assert hall.asked[-3:] == ["请输入原密码", "请输入新密码", "请再次输入新密码"]
    _, text = hall("iReloadPIN_HSM_Step1", pCardInfo=THIS)
    _, text = hall("iReloadPIN_HSM_Step2", "246802", "246802", pKey=hall.prove(text))
    assert hall("iReloadPIN_HSM_Step3", pKey=hall.secure(text)) == (0, "")
    assert hall("iVerifyPIN", "246802") == (0, "")


@pytest.mark.clause("E3", "S9")
def test_a_debit_with_the_pin_shown_before(hall: Hall) -> None:
    Desk(hall.device, hall.chip).load(10_000)
    paying = {"pCardInfo": THIS, "pPayInfo": "10|0.5|0|20261121101530|"}
    hall.functions.close()
    assert hall("iDoDebit_HSM_Step1", **paying) == (-27010, "不满足安全条件")
    assert hall("iReadDebitRecord") == (-27010, "不满足安全条件")
    assert hall("iVerifyPIN", PIN) == (0, "")
    _, text = hall("iDoDebit_HSM_Step1", **paying)
    asked = DebitRequest.read(text)
    mac = authentication.debit_mac(asked, CHIP, hall.device)
    number, receipt = hall("iDoDebit_HSM_Step2", pKey=f"0000{asked.sequence:04X}|{asked.at}|{mac}")
    sequence, balance, tac, _, _ = receipt.split("|")
    assert (number, sequence, balance) == (0, "0000", "90.00")
    assert authentication.is_debit_proven(asked, bytes.fromhex(tac), CHIP, hall.device)
    assert hall("iReadDebitRecord") == (
        0, f"0000|02|{TERMINAL}|20261121101530|10.00|0.50|0.00|$0000|01|{TERMINAL}|20261121101530|100.00|0.00|0.00|",
    )  # fmt: skip


@pytest.mark.clause("S15")
def test_who_pays_with_the_maker_s_pin_does_not(hall: Hall) -> None:
    _, text = hall("iReloadPIN_HSM_Step1", pCardInfo=THIS)
    _, text = hall("iReloadPIN_HSM_Step2", "123456", "123456", pKey=hall.prove(text))
    hall("iReloadPIN_HSM_Step3", pKey=hall.secure(text))
    assert hall("iVerifyPIN", "123456") == (0, "")
    paying = {"pCardInfo": THIS, "pPayInfo": "0|0|0|20261121101530|"}
    assert hall("iDoDebit_HSM_Step1", **paying) == (-35, "初始密码不能交易，请先修改密码")
    assert hall("iChangePIN", "123456", "135790", "135790") == (0, "")
    assert hall("iDoDebit_HSM_Step1", **paying)[0] == 0


@pytest.mark.parametrize(
    "name", ["iReadCardBas", "iReadCard", "iWriteCard", "iReloadPIN", "iUnblockPIN", "iDoDebit"]
)
def test_there_is_no_psam(hall: Hall, name: str) -> None:
    assert hall(name) == (-2201, "终端没有 PSAM 卡，请用加密机方式")
    hall.slot.placed = None
    hall.functions.close()
    assert hall(name) == (-2, "读卡器上没有卡，请放好卡片后重试")


@pytest.mark.parametrize("face", [0, 5, -1, "3", None])
def test_there_are_four_faces(hall: Hall, face: object) -> None:
    assert hall("iReadCardBas_HSM_Step1", iType=face) == (-14, "命令参数错，请更新终端软件")
    assert hall("iReadCardBas_HSM_Step1", iType=2) == (-2, "读卡器上没有卡，请放好卡片后重试")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("iReadCard_HSM_Step1", {"pCardInfo": THIS}),
        ("iReadCard_HSM_Step2", {}),
        ("iReadCard_HSM_Step2", {"pKey": 1}),
        ("iReadCard_HSM_Step2", {"pKey": "00" * 16}),  # nothing begun
        ("iWriteCard_HSM_Step2", {"pKey": "00" * 16, "pWriteData": "x"}),
        ("iReloadPIN_HSM_Step3", {"pKey": "00" * 20}),
        ("iDoDebit_HSM_Step2", {"pKey": "00" * 4}),
    ],
)
def test_calls_that_do_not_fit(hall: Hall, name: str, given: dict[str, Any]) -> None:
    assert hall(name, **given) == (-14, "命令参数错，请更新终端软件")


def test_a_step_of_one_function_does_not_go_on_with_another(hall: Hall) -> None:
    _, text = hall("iReadCard_HSM_Step1", pCardInfo=THIS, pFileAddr="3F00EF06|09|$")
    assert hall("iWriteCard_HSM_Step2", pKey=hall.prove(text), pWriteData="3F00EF06|x|$")[0] == -14
    assert hall("iReadCard_HSM_Step2", pKey=hall.prove(text))[0] == -14, "and it is over"


def test_a_function_nobody_knows(hall: Hall) -> None:
    assert hall("iFormatCard") == (-13, "不支持该命令或该卡的算法")
    assert len(Functions.NAMES) == 23


def test_two_cards_and_a_card_that_went(hall: Hall) -> None:
    hall.slot.name = "one"
    hall.field.name, hall.field.placed = "two", card(hall.device)
    assert hall("iReadCardBas_HSM_Step1") == (
        -1, "有两张卡同时放在读卡器上，请只留下要办理的一张，再按 F8。",
    )  # fmt: skip
    hall.field.placed = None
    assert hall("iReadCardBas_HSM_Step1")[0] == 0
    assert hall.functions._channel is not None
    hall.functions._channel = Torn(hall.chip, at=1, is_done=False)
    assert hall("iReadCardBas_HSM_Step1") == (-4, "卡片无应答，请取下卡片重新放置")
    assert hall("iReadCardBas_HSM_Step1")[0] == 0, "the terminal takes it up again"


@pytest.fixture(scope="module")
def any_hall(tmp_path_factory: pytest.TempPathFactory) -> Hall:
    return Hall(tmp_path_factory.mktemp("keys"))


words = st.one_of(
    st.text(max_size=30),
    st.sampled_from([THIS, "3F00EF06|09|$", "3F00EF06|x|$", "00" * 16 + "|", "0|0|20261121101530|", ""]),
)
calls = st.tuples(
    st.sampled_from([*Functions.NAMES, "iNone"]),
    st.fixed_dictionaries(
        {},
        optional={
            "iType": st.sampled_from([1, 2, 3, 4, 9]), "pKey": words, "pCardInfo": words, "pFileAddr": words,
            "pWriteData": words, "pPayInfo": words,
        },
    ),
)  # fmt: skip


@given(st.lists(calls, max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_call_gets_a_number_and_changes_nothing_unproven(
    any_hall: Hall, made: list[tuple[str, dict[str, Any]]]
) -> None:
    any_hall.functions.close()
    any_hall.chip._state = card(any_hall.device)._state
    before = any_hall.chip._state.memory
    for name, given_ in made:
        any_hall.typed = [None] * 3
        number, text = any_hall.functions.call(name, given_)
        assert number <= 0
        assert isinstance(text, str)
    after = any_hall.chip._state.memory
    assert (after.written, after.pin, after.balance, after.log, after.pin_tries) == (
        before.written, before.pin, before.balance, before.log, before.pin_tries,
    )  # fmt: skip
