"""What no clerk does: files go to banks and card maker and come back, schools and employers send theirs, jobs run."""

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from bench.year import rates
from bench.year.ledger import Ledger
from bench.year.people import BANKS, COUNTIES, Numbers, Person, name
from yikatong.adapters.bank_files import sandbox as bank_sandbox
from yikatong.adapters.card_maker import sandbox as maker_sandbox
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import BEIJING
from yikatong.core.workdays import is_workday
from yikatong.registry.banks import deliveries
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import actions, batches, rosters
from yikatong.registry.cards.models import Batch, Case
from yikatong.registry.cards.rosters.columns import OPTIONAL, REQUIRED
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import sealing

_ROSTER_DAYS = {(3, 2), (6, 1), (9, 1), (11, 2)}
_MADE_IN = 4  # days from order to return
_REFUSED = 0.01


@dataclass
class Night:
    """`making`: batches at the card maker, with the day on which they come back."""

    given: Numbers
    dice: Random
    size: int
    intensity: float = 1.0
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        scope = {"scope": "51", "organisation": "省社保卡中心"}
        self.centre = Actor(UUID(int=400), "周主任", Role.SUPERVISOR, Channel.COUNTER, **scope)  # type: ignore[arg-type]
        self.making: list[tuple[date, UUID]] = []

    def pass_(self, day: date) -> tuple[Ledger, list[tuple[Person, UUID]]]:
        """From six in the evening on; returns what was done, and the people of a roster with their cases."""
        self.day, self.at = day, datetime.combine(day, time(18), BEIJING).astimezone(UTC)
        self.ledger, rostered = Ledger(), list[tuple[Person, UUID]]()
        if is_workday(day):
            self._returns()
            if day.isoweekday() in {1, 3, 5}:
                for bank in BANKS:
                    self._batch(bank)
        if (day.month, day.day) in _ROSTER_DAYS:
            rostered = self._roster()
        self._lists()
        self._jobs()
        return self.ledger, rostered

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def _many(self, what: str, rows: int) -> None:
        self.ledger.rows[what] += rows

    # --- the card maker and the banks by file ---

    def _batch(self, bank: str) -> None:
        by, act = self.centre, self.ledger.do
        batch = act("open_batch", batches.open_batch, bank, by=by, at=self.now())
        if batch is None:
            return
        self._many("open_batch", batch.rows)
        if batch.status == Batch.Status.OPEN:
            asked = batches.take_file(batch.pk, "preopening", by=by, at=self.now())
            told = bank_sandbox.answer(asked, prefix=batch.bank.bin, failing=rates.BANK_FAILS)
            act(
                "take_preopening_return", batches.take_preopening_return, batch.pk, told, by=by, at=self.now()
            )
        batch = act("start_production", batches.start_production, batch.pk, by=by, at=self.now())
        if batch is not None and batch.status == Batch.Status.PRODUCING:
            self.making.append((self.day + timedelta(days=_MADE_IN), batch.pk))

    def _returns(self) -> None:
        due = [key for back, key in self.making if back <= self.day]
        self.making = [one for one in self.making if one[0] > self.day]
        for key in due:
            order = batches.take_file(key, "production", by=self.centre, at=self.now())
            made = maker_sandbox.answer(order, failing=rates.MAKER_FAILS)
            report = self.ledger.do(
                "take_return", batches.take_return, key, made, by=self.centre, at=self.now()
            )
            self._many("take_return", report.rows if report else 0)
            again = batches.take_return(key, made, by=self.centre, at=self.now())
            assert again.repeated, "a resend is harmless"

    # --- what banks deliver ---

    def _lists(self) -> None:
        """Each bank's agreed list of the day before: three accounts, as they are."""
        deliveries.expect(at=self.now())
        for one in deliveries.owed(at=self.now()):
            known = BankAccount.objects.filter(bank=one.bank_id).order_by("pk")[:3]
            rows = [(str(account.number), str(account.status)) for account in known]
            self.ledger.do("take_delivery", deliveries.take, one.pk, rows, at=self.now())

    # --- a school's or an employer's file ---

    def _roster(self) -> list[tuple[Person, UUID]]:
        rows = [
            self._row(serial)
            for serial in range(max(2, round(self.size * rates.ROSTERED * self.intensity / 4000)))
        ]
        text = io.StringIO()
        writer = csv.DictWriter(text, [*REQUIRED, *OPTIONAL], restval="")
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode("utf-8-sig")
        kind = {"kind": "employer", "applicant": "示例公司"}
        roster = rosters.receive(
            data, f"{self.day}.csv", **kind, run_now=False, by=self.centre, at=self.now()
        )
        done = self.ledger.do("roster", rosters.run, roster.pk, at=self.now())
        self._many("roster", done.rows if done else 0)
        assert done is not None
        assert done.cases == len(rows), "every row is sound"
        found = Case.objects.filter(roster_row__startswith=f"{roster.pk.hex}:").order_by("number")
        people = Holder.objects.in_bulk([case.holder_id for case in found])
        return [(_person(people[case.holder_id], case), case.pk) for case in found]

    def _row(self, serial: int) -> dict[str, Any]:
        born = self.day - timedelta(days=self.dice.randint(18 * 365, 55 * 365))
        county = self.dice.choice(COUNTIES)
        number = self.given.new(county, born)
        return {
            "证件类型": "居民身份证", "证件号码": number, "姓名": name(self.dice),
            "性别": "男" if int(number[16]) % 2 else "女", "出生日期": f"{born}", "国籍": "中国",
            "手机号码": f"135{self.day:%m%d}{serial:04d}", "所在区划": county, "通讯地址": "示例街道 2 号",
            "银行": self.dice.choice(BANKS), "领取方式": "自取",
        }  # fmt: skip

    # --- the jobs of the house ---

    def _jobs(self) -> None:
        self.at = datetime.combine(self.day + timedelta(days=1), time(0, 10), BEIJING).astimezone(UTC)
        for what, job in (
            ("release_ended_losses", actions.release_ended_losses), ("close_uncorrected", actions.close_uncorrected),
            ("escalate_overdue", actions.escalate_overdue), ("end_grown_wards", holders.end_grown_wards),
            ("switch_categories", holders.switch_categories), ("tell_expiring", holders.tell_expiring),
            ("erase_roster_rows", rosters.erase_old),
        ):  # fmt: skip
            self._many(what, self.ledger.do(what, job, at=self.now()) or 0)
        if self.day.isoweekday() == 7:
            self.ledger.do("seal_audit", sealing.seal, at=self.now())


def _person(holder: Holder, case: Case) -> Person:
    return Person(holder.pk, holder.birth_date, holder.division_code, str(case.bank_id))
