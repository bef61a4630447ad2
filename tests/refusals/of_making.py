"""Refusals about production: batches and their files, rosters, blank cards, chips and readers."""

import io
import zipfile
from datetime import timedelta
from uuid import UUID

from tests.refusals.stage import JOINT, Stage
from tests.refusals.table import refuses, way
from tests.registry.conftest import id_number
from yikatong.adapters.bank_files import sandbox as bank_sandbox
from yikatong.adapters.bank_files.layout import PipeBankFiles
from yikatong.core import gb18030
from yikatong.core.actor import SYSTEM, Actor, Channel, Role
from yikatong.registry.cards import batches, numbers, rosters
from yikatong.registry.cards.batches import bulk, files, opening
from yikatong.registry.cards.rosters import columns, given, reading
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock import rules

HEADER = ",".join(columns.REQUIRED)


way(opening.NothingToProduce, lambda s: batches.open_batch(JOINT, **s.chief))
way(bulk.WrongBatchStep, lambda s: batches.start_production(s.batch().pk, **s.chief))
way(
    bulk.ProvinceOnly,
    lambda s: batches.open_batch(
        JOINT, by=Actor(None, "主管", Role.SUPERVISOR, Channel.COUNTER, scope="5101"), at=s.at
    ),
)
way(files.BadReturn, lambda s: batches.take_preopening_return(s.batch().pk, b"\xff", **s.chief))


@refuses(bulk.AlreadyReturned)
def _(s: Stage) -> None:
    batch = s.batch()
    asked = batches.preopening_file(batch.pk)
    for failing in (0.0, 1.0):
        data = bank_sandbox.answer(asked, prefix=batch.bank.bin, failing=failing)
        batches.take_preopening_return(batch.pk, data, **s.chief)


def told(s: Stage, **changes: object) -> None:
    """A bank's answer whose head or row says something else."""
    batch = s.batch()
    layout = PipeBankFiles()
    head, rows = layout.read_requests(batches.preopening_file(batch.pk))
    number = int(str(changes.pop("row", 1)))
    answer = files.OpenAnswer(number, "", "户名与证件不符")
    top = files.Head(head.batch, head.bank, 1, head.day, 0, 1)
    top = files.Head(
        **(
            {name: getattr(top, name) for name in ("batch", "bank", "rows", "day", "made", "failed")}
            | changes
        )
    )  # type: ignore[arg-type]
    batches.take_preopening_return(batch.pk, layout.write_answers(top, [answer]), **s.chief)
    assert rows


way(files.OtherBatch, lambda s: told(s, batch="P20260101000001"))
way(files.UnknownRow, lambda s: told(s, row=7))
way(files.WrongTotals, lambda s: told(s, rows=2))

# --- rosters ---


def roster(s: Stage, data: bytes) -> object:
    return rosters.receive(data, "名册.csv", **s.chief)


class Huge(io.BytesIO):
    """Says that it is large before anybody reads it."""

    size = reading.BYTES_MAX + 1


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 8_000_000)
    return packed.getvalue()


way(columns.MissingColumns, lambda s: roster(s, "姓名,证件号码\n王芳,1\n".encode()))
way(columns.RepeatedColumns, lambda s: roster(s, f"{HEADER},姓名\n".encode()))
way(reading.RosterTooLarge, lambda s: rosters.receive(Huge(), "名册.csv", **s.chief))
way(reading.RosterTooLong, lambda s: roster(s, (HEADER + "\n" + ("x," * 11 + "x\n") * 200_001).encode()))
way(reading.RosterBomb, lambda s: roster(s, bomb()))
way(reading.RosterUnreadable, lambda s: roster(s, b"PK\x03\x04 nothing"))
way(reading.RosterEmpty, lambda s: roster(s, (HEADER + "\n").encode()))


def sent(s: Stage, *, phone: str = "1390", days: int | None = 0) -> UUID:
    """A roster of the chief's with one row, worked through `days` ago (None: not yet)."""
    cells = dict.fromkeys(columns.REQUIRED, "") | {
        columns.KIND: "A", columns.NUMBER: id_number(1), columns.NAME: "王芳", columns.PHONE: phone,
        columns.DIVISION: "510107", columns.BANK: JOINT,
    }  # fmt: skip
    data = f"{HEADER}\n{','.join(cells.values())}\n".encode()
    found = rosters.receive(data, "名册.csv", **s.chief)
    if days is not None:
        rosters.run(found.pk, at=s.at - timedelta(days=days))
    return found.pk


way(given.NotSender, lambda s: rosters.given_xlsx(sent(s), by=SYSTEM, at=s.at))
way(given.RosterUnfinished, lambda s: rosters.given_xlsx(sent(s, days=None), **s.chief))
way(given.NoFaultyRows, lambda s: rosters.given_xlsx(sent(s, phone="13900000001"), **s.chief))


@refuses(given.RowsErased)
def _(s: Stage) -> None:
    roster_id = sent(s, days=31)
    rosters.erase_old(at=s.at)
    rosters.given_xlsx(roster_id, **s.chief)


way(gb18030.NotEncodable, lambda _: gb18030.encode("王\ud800"))
way(gb18030.TooLong, lambda _: gb18030.encode("王芳", max_bytes=3))
way(gb18030.NotDecodable, lambda _: gb18030.decode(b"ab\xff"))
way(gb18030.EncodingUnknown, lambda s: roster(s, b"\x00\x01\x02"))

# --- numbers ---

way(numbers.BadCardNumber, lambda _: numbers.check("A00000000"))
way(numbers.BadIdentifier, lambda _: numbers.check_identifier("1234"))
way(numbers.SequenceExhausted, lambda _: numbers.make("A", numbers.SEQUENCE_MAX + 1))

# --- blank cards ---

PACK = {"first": "000001", "count": 2}

way(rules.NotAtOnce, lambda s: stock.receive(JOINT, **PACK, **s.who))
way(rules.BadPack, lambda s: stock.receive(JOINT, first="12", count=1, **s.seated()))
way(rules.BlankNotHere, lambda s: stock.spoil("000001", reason="划伤", **s.seated()))
way(rules.NoBlanks, lambda s: stock.issue_at_once(s.printable().pk, **s.seated()))
way(rules.NotReadyToPrint, lambda s: stock.issue_at_once(s.apply().pk, **s.seated()))
way(rules.NotPrinting, lambda s: stock.print_failed(UUID(int=1), reason="卡纸", **s.seated()))
way(rules.CountMissing, lambda s: stock.count(JOINT, counted=1, **s.seated()))


@refuses(rules.NoPrinter)
def _(s: Stage) -> None:
    seat = s.seated()
    s.settings.CARD_PRINTER = ""
    stock.issue_at_once(s.printable().pk, **seat)


@refuses(rules.BlankKnown)
def _(s: Stage) -> None:
    seat = s.seated()
    for _again in range(2):
        stock.receive(JOINT, **PACK, **seat)  # type: ignore[arg-type]


@refuses(rules.CountedAlready)
def _(s: Stage) -> None:
    seat = s.seated()
    for _again in range(2):
        stock.count(JOINT, counted=0, **seat)
