"""The office of a shard: it checks, gives back, hands over, activates, prints at once, and counts its blanks."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bench.year import rates
from bench.year.ledger import Ledger
from bench.year.people import Person, age_on
from yikatong.core.actor import Actor, Channel, Role
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.cards import actions
from yikatong.registry.cards.actions import Answers
from yikatong.registry.cards.models import Case
from yikatong.registry.regions.models import Outlet
from yikatong.registry.stock import actions as stock
from yikatong.registry.stock.models import Blank
from yikatong.registry.stock.printer import printer

if TYPE_CHECKING:
    from bench.year.shard import Shard

_FEW, _PACK = 20, 200


@dataclass
class Office:
    """`cases`: what is on its way, by case; what comes next is seen from the case itself each morning."""

    outlet: Outlet
    number: int
    dice: Random
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        place = {"scope": "5107", "organisation": self.outlet.name, "outlet_id": self.outlet.pk}
        counter, clerk = Channel.COUNTER, Role.CLERK
        self.clerk = Actor(UUID(int=100 + self.number), "李强", clerk, counter, **place)  # type: ignore[arg-type]
        self.checker = Actor(UUID(int=200 + self.number), "赵敏", clerk, counter, **place)  # type: ignore[arg-type]
        self.supervisor = Actor(
            UUID(int=300 + self.number),
            "陈晓",
            Role.SUPERVISOR,
            counter,
            scope="51",
            outlet_id=self.outlet.pk,
        )
        self.cases: dict[UUID, Person] = {}
        self.fetched: set[UUID] = set()
        self.next_serial = (self.number + 1) * 10**7
        self.receipts = 0
        self.shard: Shard

    def took(self, person: Person, case: Case) -> None:
        self.cases[case.pk] = person

    def do(
        self, what: str, act: Callable[..., Any], /, *arguments: Any, by: Actor | None = None, **options: Any
    ) -> Any:
        return self.ledger.do(what, act, *arguments, by=by or self.clerk, at=self.shard.now(), **options)

    # --- the morning's lists ---

    def work(self) -> None:
        """Go through all that is under way, step by step as it stands."""
        found = Case.objects.filter(pk__in=list(self.cases)).values_list(
            "pk", "status", "card_id", "fee_fen", "fee_paid_at", "kind", "bank_id", "step_due_on"
        )
        by_status: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in found.order_by("created_at", "number"):
            by_status[row[1]].append(row)
        for row in by_status["submitted"]:
            self._judge(row)
        for row in by_status["failed"]:
            self.do("retry", actions.retry, row[0], by=self.checker)
        for row in by_status["preopened"]:
            if row[6] == "95902" and row[5] == "replace":
                self._at_once(row[0])
        for row in by_status["ready"]:
            self._fetch(row)
        for status in ("done", "rejected", "withdrawn", "abandoned"):
            for row in by_status[status]:
                self._over(self.cases.pop(row[0]))
        self._print()

    def _over(self, person: Person) -> None:
        """Back to where he was, unless his matter has made him a card or he is no more."""
        shard = self.shard
        here = person in shard.carrying or person in shard.lost or person in shard.temporary
        if not here and person.key not in shard.ended:
            (shard.carrying if person.card else shard.without).add(person)

    def _judge(self, row: tuple[Any, ...]) -> None:
        case, chance = row[0], self.dice.random()
        late = row[7] is not None and row[7] < self.shard.day
        if late:
            self.do("give_order", actions.give_order, case, order="请今日办结", by=self.supervisor)
        elif chance < rates.LEFT_LYING * 5:  # asked anew each of some five days
            return
        elif chance < rates.LEFT_LYING * 5 + rates.WITHDRAWN:
            self.do("withdraw", actions.withdraw, case)
            return
        elif chance > 1 - rates.REJECTED:
            self.do("reject", actions.reject, case, reason="申领依据不符", by=self.checker)
            return
        elif chance > 1 - rates.REJECTED - rates.CORRECTED:
            items = {"phone": "号码已停机", "address": "请写明门牌"}
            asked = self.do("ask_correction", actions.ask_correction, case, items=items, by=self.checker)
            if asked and self.dice.random() < rates.CORRECTED_IN_TIME:
                self.shard.on(self.dice.randint(1, 6), self.correct, case)
            return
        self.do("check", actions.check, case, by=self.checker)

    def correct(self, case: UUID) -> None:
        answers = Answers(address="示例街道 9 号", seen={"phone": "已核对新号码"})
        self.do("correct", actions.correct, case, answers=answers)

    # --- the card reaches its holder ---

    def _fetch(self, row: tuple[Any, ...]) -> None:
        case, card = row[0], row[2]
        if case not in self.fetched:
            self.fetched.add(case)
            if self.dice.random() < rates.NEVER_FETCHED:
                self.cases.pop(case)
                return
        if self.dice.random() > 0.4:  # people come when they can: after two days or so
            return
        person = self.cases[case]
        if row[3] and row[4] is None and not self._pay(case):
            return
        if self.do("hand_over", actions.hand_over, case) is None:
            return
        self.fetched.discard(case)
        self.cases.pop(case)
        if self.dice.random() < rates.NOT_ACTIVATED_AT_ONCE:
            self.shard.on(self.dice.randint(1, 14), self.activate, person, card)
        else:
            self.activate(person, card)

    def activate(self, person: Person, card: UUID) -> None:
        if self.do("activate", actions.activate, card) is None:
            return
        person.card = card
        if person.key not in self.shard.ended:
            self.shard.carrying.add(person)
        is_new = BankAccount.objects.filter(cards=card, status="preopened").exists()
        if is_new and (age_on(person.born, self.shard.day) >= 16 or self.dice.random() < 0.3):
            self.do("activate_account", actions.activate_account, card)

    def _pay(self, case: UUID) -> bool:
        if self.dice.random() < rates.FEE_WAIVED:
            why = {"ground": "disaster", "note": "洪灾受损", "by": self.supervisor}
            return self.do("waive_fee", actions.waive_fee, case, **why) is not None
        self.receipts += 1
        receipt = f"SJ{self.number}-{self.receipts:07d}"
        return self.do("take_fee", actions.take_fee, case, receipt=receipt) is not None

    def try_unpaid(self) -> None:
        """Somebody would like his card before he has paid."""
        unpaid = Case.objects.filter(pk__in=list(self.cases), status="ready", fee_fen__gt=0, fee_paid_at=None)
        case = unpaid.order_by("pk").values_list("pk", flat=True).first()
        if case is not None:
            self.do("hand_over", actions.hand_over, case)

    # --- cards made while people wait ---

    def _at_once(self, case: UUID) -> None:
        if Blank.objects.filter(outlet=self.outlet, bank="95902", status="in_stock").count() < _FEW:
            self.do("receive_blanks", stock.receive, "95902", first=f"{self.next_serial:012d}", count=_PACK)
            self.next_serial += _PACK
        self.do("issue_at_once", stock.issue_at_once, case)

    def _print(self) -> None:
        line = printer()
        assert line is not None
        while (job := stock.start_next(self.outlet.pk, at=self.shard.now())) is not None:
            order = stock.order_of(job, at=self.shard.at)
            if self.dice.random() < rates.PRINT_FAILS:
                self.do("print_failed", stock.print_failed, job.pk, reason="卡面印刷不合格")
                continue
            answer = line.print_card(order, job.blank.serial)
            self.ledger.do("printed", stock.printed, job.pk, order, answer, at=self.shard.now())

    def close(self) -> None:
        """The day's end: now and then a blank is found damaged, and all are counted."""
        free = Blank.objects.filter(outlet=self.outlet, bank="95902", status="in_stock").order_by("serial")
        if self.dice.random() < 0.05 and (serial := free.values_list("serial", flat=True).first()):
            self.do("spoil", stock.spoil, serial, reason="卡面划伤")
        if not Blank.objects.filter(outlet=self.outlet).exists():
            return
        book = Blank.objects.filter(
            outlet=self.outlet, bank="95902", status__in=["in_stock", "taken"]
        ).count()
        found = book - (self.dice.random() < 0.02)
        note = "" if found == book else "少一张，已查找"
        self.do("count_blanks", stock.count, "95902", counted=found, note=note)
        assert self.shard.at.date() < self.shard.day + timedelta(days=1)
