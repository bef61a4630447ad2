"""Two forms, two answers, two corrections at the same moment, on real connections."""

from collections.abc import Callable

import pytest

from tests.department_sandbox import Departments
from tests.registry.cards.test_races import together
from tests.registry.conftest import AT, LI_QIANG, MIAN_YANG, herself
from tests.registry.joint.conftest import MAKING, departments_work, item, newborn, veteran
from yikatong.core.clock import now
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Category, Guardianship, Holder
from yikatong.registry.joint import actions, following, requests
from yikatong.registry.joint.connector import Answer
from yikatong.registry.joint.models import JointItem, JointMatter, JointRequest, JointStep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def db(transactional_db: None) -> None:
    """The cast's fixtures ask for `db`: here they must commit."""


@pytest.mark.clause("B7")
def test_a_newborn_sent_three_times_at_once_is_opened_once(parent: Holder) -> None:
    def send() -> JointMatter:
        return actions.open_newborn(newborn(), MAKING, by=herself(parent), at=AT)

    assert sorted(together(send, send, send)) == ["joint_already_open", "joint_already_open", "ok"]
    assert (JointMatter.objects.count(), JointItem.objects.count(), JointRequest.objects.count()) == (1, 4, 1)
    assert (Holder.objects.count(), Guardianship.objects.count(), Case.objects.count()) == (2, 1, 1)


@pytest.mark.clause("B7")
def test_a_veteran_on_the_phone_and_at_the_counter_at_once(sun_li: Holder) -> None:
    def at_counter() -> JointMatter:
        return actions.open_veteran(sun_li.pk, veteran(), MAKING, by=LI_QIANG, at=AT)

    def on_phone() -> JointMatter:
        return actions.open_veteran(sun_li.pk, veteran(), MAKING, by=herself(sun_li), at=AT)

    assert sorted(together(at_counter, on_phone)) == ["joint_already_open", "ok"]
    assert (JointMatter.objects.count(), Case.objects.count()) == (1, 1)
    assert Category.objects.count() <= 1


@pytest.mark.clause("B7")
def test_one_request_is_claimed_and_one_answer_taken_once(at_counter: JointMatter) -> None:
    found: list[JointRequest | None] = []

    def claim() -> None:
        found.append(requests.claim("health", at=now()))

    assert list(together(claim, claim)) == ["ok", "ok"]
    claimed = [one for one in found if one is not None]
    assert len(claimed) == 1

    def settle(state: str) -> Callable[[], JointRequest]:
        answer = Answer(state, "1", "", now(), {"number": "T510012345"})  # type: ignore[arg-type]
        return lambda: following.settle(claimed[0].pk, answer, at=now())

    assert list(together(settle("done"), settle("done"))) == ["ok", "ok"]
    assert item(at_counter, "birth").status == "done"
    assert JointStep.objects.filter(item__key="birth", status="done").count() == 1
    assert JointRequest.objects.filter(item__key="household").count() == 1, "what waited begins once"


@pytest.mark.clause("B7")
def test_two_clerks_correct_one_part(at_counter: JointMatter, departments: Departments) -> None:
    departments.goes_wrong("correct", "household", reason="请核对户口簿编号")
    departments_work()

    def correct(book: str, by: object) -> Callable[[], JointMatter]:
        answers = {"household_book": book}
        return lambda: actions.correct(at_counter.pk, "household", answers=answers, by=by, at=now())  # type: ignore[arg-type]

    outcomes = together(correct("510107222", LI_QIANG), correct("510107333", MIAN_YANG))
    assert sorted(outcomes) == ["joint_not_correctable", "ok"]
    assert JointRequest.objects.filter(item__key="household", act="correct").count() == 1
