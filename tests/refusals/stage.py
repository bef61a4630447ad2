"""What refusals are provoked with: people, cards, cases and staff, made as they are asked for."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.agreements import agree
from tests.registry import conftest as cast
from tests.registry.conftest import (
    APART,
    AT,
    CLOSED,
    JOINT,
    LI_QIANG,
    MIAN_YANG,
    SUPERVISOR,
    ZHAO_MIN,
    id_number,
)
from yikatong.adapters.production_sandbox import whole_round
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.models import StaffUser
from yikatong.registry.banks import actions as banks
from yikatong.registry.cards import actions, batches
from yikatong.registry.cards.models import Batch, Card, Case
from yikatong.registry.holders import actions as holders
from yikatong.registry.holders.models import Guardianship, Holder
from yikatong.registry.outlets.rules import SERVICES
from yikatong.registry.regions.models import Organisation, Outlet

__all__ = ["APART", "CLOSED", "JOINT", "Stage"]

CHILD = id_number(7, born="20180601")


class Stage:
    """李强 is at the counter, 陈静 beside him, 周主任 supervises; it is a Friday in November."""

    at = AT
    today = date(2026, 11, 20)
    clerk, other_clerk, supervisor, stranger = LI_QIANG, MIAN_YANG, SUPERVISOR, ZHAO_MIN
    admin = Actor(None, "管理员", Role.ADMIN, Channel.WEB)
    who: dict[str, Any] = {"by": LI_QIANG, "at": AT}
    chief: dict[str, Any] = {"by": SUPERVISOR, "at": AT}
    proven: dict[str, Any] = {"evidence": "户口簿 1"}

    def __init__(self, folder: Path, settings: Any) -> None:
        """`settings`: the fixture that gives back what a provocation has changed."""
        self.folder, self.settings = folder, settings

    # --- people ---

    def enter(self, serial: int = 1, **changes: Any) -> Holder:
        claim: dict[str, Any] = {
            "kind": "A", "number": id_number(serial), "name": "王芳", "phone": f"139{serial:08d}",
            "division_code": "510107", "ground": "residence",
        }  # fmt: skip
        return holders.register(**(claim | self.who | changes))

    def foreigner(self, **changes: Any) -> Holder:
        claim = {"kind": "C", "number": "E12345678", "nationality": "FRA", "birth_date": date(1990, 3, 7)}
        return self.enter(9, **(claim | {"name": "ANA EXAMPLE", "ground": "work"} | changes))

    def child(self) -> Holder:
        return self.enter(7, number=CHILD)

    def guard(self, child: Holder, **changes: Any) -> Guardianship:
        proof = {"name": "王芳", "kind": "A", "number": id_number(1), "ground": "parent", "evidence": "birth"}
        return holders.register_guardian(child.pk, **(proof | self.who | changes))

    def himself(self, holder: Holder, channel: Channel = Channel.MOBILE) -> Actor:
        return Actor(holder.pk, holder.name, Role.HOLDER, channel)

    def dead(self, serial: int = 1) -> Holder:
        holder = self.enter(serial)
        actions.record_death(holder.pk, on=self.today, **self.proven, **self.who)
        return holder

    # --- cases and cards ---

    def apply(self, holder: Holder | None = None, **more: Any) -> Case:
        holder = holder or self.enter()
        wish: dict[str, Any] = {"bank_code": JOINT, "division_code": "510107"}
        return actions.apply(holder.pk, **(wish | self.who | more))

    def checked(self, serial: int = 1, *, bank: str = JOINT) -> Case:
        case = self.apply(self.enter(serial), bank_code=bank)
        return actions.check(case.pk, **self.chief)

    def ready(self, holder: Holder | None = None, case: Case | None = None) -> Case:
        return cast.make_card(case or self.apply(holder))

    def held(self, holder: Holder | None = None) -> Card:
        """Handed over, not yet in use."""
        return actions.hand_over(self.ready(holder).pk, **self.who)

    def carried(self, holder: Holder | None = None) -> Card:
        """In use."""
        return actions.activate(self.held(holder).pk, **self.who)

    def lost(self) -> Card:
        return actions.report_loss(self.carried().pk, **self.who)

    def replace(self, card: Card, reason: str = "damaged", **more: Any) -> Case:
        wish: dict[str, Any] = {"reason": reason, "division_code": "510107"}
        return actions.replace(card.holder_id, **(wish | self.who | more))

    def asked(self) -> Case:
        """Given back to its applicant for a better address."""
        case = self.apply()
        return actions.ask_correction(case.pk, items={"address": "请写明门牌"}, **self.chief)

    def authorise(self, holder: Holder, **changes: Any) -> Any:
        agent: dict[str, Any] = {
            "name": "李四", "kind": "A", "number": id_number(8), "matters": ["loss"], "evidence": "letter",
            "valid_until": self.today + timedelta(days=30),
        }  # fmt: skip
        return actions.authorise(holder.pk, **(agent | self.who | changes))

    def merged(self) -> Any:
        kept, gone = self.enter(1), self.enter(2)
        return actions.merge(kept.pk, gone.pk, reason="重复登记", **self.proven, **self.chief)

    # --- production ---

    def batch(self) -> Batch:
        self.checked()
        return batches.open_batch(JOINT, **self.chief)

    def produced(self) -> None:
        self.checked()
        whole_round(JOINT, **self.chief)

    def hall(self) -> Outlet:
        """An outlet that issues at once, with a printer; 李强 sits there."""
        self.settings.CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter"
        office = Organisation.objects.create(
            code="CD", name="成都市人社局", kind="hrss", division_code="510100"
        )
        return Outlet.objects.create(
            number="5101070001",
            name="武侯大厅",
            organisation=office,
            division_code="510107",
            services=list(SERVICES),
            issues_at_once=True,
        )

    def seated(self) -> dict[str, Any]:
        """The clerk of that hall."""
        place = self.hall().pk
        clerk = Actor(UUID(int=1), "李强", Role.CLERK, Channel.COUNTER, scope="5101", outlet_id=place)
        return {"by": clerk, "at": AT}

    def printable(self) -> Case:
        """Approved, its account open."""
        case = self.checked()
        account = banks.preopen(
            case.holder_id, bank_code=JOINT, number="6229519000000000014", by=SUPERVISOR, at=AT
        )
        Case.objects.filter(pk=case.pk).update(status="preopened", account=account)
        return case

    # --- staff ---

    def bank_clerk(self, **changes: Any) -> Actor:
        """At an outlet that the joint bank has been delegated."""
        place = self.hall().pk
        agree(JOINT, outlets=[place])
        given = {"scope": "5101", "bank": JOINT, "outlet_id": place} | changes
        return Actor(None, "林芳", Role.BANK_CLERK, Channel.COUNTER, **given)

    def colleague(self, **more: Any) -> StaffUser:
        user = StaffUser(username="liqiang", display_name="李强", role=Role.CLERK, scope="5101", **more)
        user.set_password("蜀道难于上青天 A1")
        user.save()
        return user
