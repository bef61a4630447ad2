"""One running joint matter 联办 of each kind, opened by the acts themselves a day ago; the departments go on from there."""

from datetime import timedelta

from yikatong.cli.demo.plan import Loading, Person
from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.models import StaffUser
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import actions
from yikatong.registry.joint.actions import Guardian, Making, Newborn, Veteran
from yikatong.registry.regions.models import Outlet


def load_joint_matters(loading: Loading) -> None:
    """The young holder of the demonstration has left the army, on her phone; a clerk serves the parent of a child."""
    young = [one for one in loading.people[:100] if one.kind == "A" and 25 <= one.age <= 45]
    _veteran(loading, Holder.objects.get(pk=young[0].holder.pk))
    _newborn(loading, young[1])


def _newborn(loading: Loading, parent: Person) -> None:
    """Its household book ends in 001: the police of the sandbox will ask for a correction."""
    at, place = loading.at - timedelta(days=1), parent.holder.division_code
    child = Newborn(
        name="示小满",
        sex="2",
        birth_date=day_of(at) - timedelta(days=9),
        birth_certificate="T510088001",
        hospital="示例妇幼保健院",
        mother_name=parent.holder.name,
        household_book="510188001",
        division_code=place,
    )
    guardian = Guardian(
        name=parent.holder.name, kind=parent.kind, number=parent.number, phone=str(parent.holder.phone)
    )
    clerk = StaffUser.objects.get(username="liqiang").actor(Channel.COUNTER)
    actions.open_newborn(child, _making(loading, place), guardian=guardian, by=clerk, at=at)


def _veteran(loading: Loading, soldier: Holder) -> None:
    at = loading.at - timedelta(days=1)
    served = Veteran(
        discharge_certificate="退字第2026088002号",
        discharged_on=day_of(at) - timedelta(days=60),
        unit="示例部队",
        household_book="510188002",
        phone=str(soldier.phone),
        division_code=soldier.division_code,
    )
    herself = Actor(soldier.pk, "持卡人本人", Role.HOLDER, Channel.MOBILE)
    actions.open_veteran(soldier.pk, served, by=herself, at=at)


def _making(loading: Loading, place: str) -> Making:
    near = [one for one in loading.outlets if one.division_code[:4] == place[:4]] or loading.outlets
    outlet: Outlet = near[0]
    bank = next(one for one in loading.banks if one.accepts_new)
    return Making(bank_code=bank.code, outlet_id=outlet.pk, division_code=outlet.division_code)
