"""The register of terminals: who may, what a code opens, what ends with a stop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.registry.access import actions, platform_keys, queries, rules
from yikatong.registry.access.models import Terminal
from yikatong.registry.catalogue.models import Domain, Place
from yikatong.registry.regions.models import Organisation

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
OPERATOR = Actor(id=None, name="运营员", role=Role.OPERATOR, channel=Channel.WEB, scope="51")
NEIGHBOUR = Actor(id=None, name="邻省运营员", role=Role.OPERATOR, channel=Channel.WEB, scope="50")
CLERK = Actor(id=None, name="赵敏", role=Role.CLERK, channel=Channel.COUNTER, scope="51")

Register = Callable[..., Terminal]


def place() -> Place:
    domain, _ = Domain.objects.get_or_create(code="transit", defaults={"name": "交通出行"})
    keeper, _ = Organisation.objects.get_or_create(
        code="TESTBUS", defaults={"name": "测试公交", "kind": "operator", "division_code": "510100"}
    )
    found, _ = Place.objects.get_or_create(
        number="P1",
        defaults={
            "name": "测试线路",
            "kind": "bus",
            "domain": domain,
            "keeper": keeper,
            "division_code": "510105",
        },
    )
    return found


@pytest.fixture
def register(db: None) -> Register:
    def make(by: Actor = OPERATOR, **changed: object) -> Terminal:
        at_place = place()
        given: dict[str, object] = {
            "name": "一号车载机",
            "kind": "bus",
            "place_id": at_place.id,
            "owner_id": at_place.keeper_id,
            "scenes": [3, 1, 3],
        }
        return actions.register_terminal(by=by, at=AT, **(given | changed))  # type: ignore[arg-type]

    return make


def enrolled(register: Register) -> Terminal:
    terminal = register()
    actions.enrol(terminal.number, actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT), at=AT)
    terminal.refresh_from_db()
    return terminal


@pytest.mark.clause("E3")
def test_terminals_of_a_county_are_numbered_on(register: Register) -> None:
    first, second = register(), register()
    assert (first.number, second.number) == (510105000001, 510105000002)
    assert (first.status, first.city_code, first.domain_code, first.scenes) == (
        "registered",
        "510100",
        "transit",
        [1, 3],
    )
    assert register(number=510105000900).number == 510105000900
    assert register().number == 510105000901
    assert list(AuditEntry.objects.values_list("event", flat=True)) == ["access:terminal:registered"] * 4


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"scenes": []}, rules.ScenesWrong),
        ({"scenes": [0]}, rules.ScenesWrong),
        ({"scenes": [1, 256]}, rules.ScenesWrong),
        ({"number": 510105000000}, rules.NumberWrong),
        ({"number": 510107000001}, rules.NumberWrong),
        ({"number": 5101050001}, rules.NumberWrong),
        ({"place_id": UUID(int=1)}, NotFound),
        ({"owner_id": UUID(int=1)}, NotFound),
        ({"by": NEIGHBOUR}, NotFound),
        ({"by": CLERK}, Forbidden),
    ],
)
def test_what_is_not_registered(
    register: Register, changed: dict[str, object], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        register(**changed)
    assert not Terminal.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_number_is_given_once_and_they_can_run_out(register: Register) -> None:
    register(number=510105999999)
    with pytest.raises(rules.NumberTaken):
        register(number=510105999999)
    with pytest.raises(rules.NoNumberLeft):
        register()
    assert Terminal.objects.count() == 1


@pytest.mark.clause("E3")
def test_a_code_gives_the_key_once(register: Register) -> None:
    terminal = register()
    code = actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)
    assert len(code) == 19
    assert set(code) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-")
    terminal.refresh_from_db()
    assert code.encode() not in bytes(terminal.enrol_code_hash or b"")
    typed = code.lower().replace("-", " ")
    main, generation = actions.enrol(terminal.number, typed, at=AT + timedelta(hours=23))
    assert (main, generation) == (platform_keys.main_key(terminal.number, 1), 1)
    terminal.refresh_from_db()
    assert (terminal.status, terminal.key_generation) == ("enrolled", 1)
    assert terminal.enrolled_at == AT + timedelta(hours=23)
    with pytest.raises(rules.EnrolmentRefused):
        actions.enrol(terminal.number, code, at=AT + timedelta(hours=23))
    entry = AuditEntry.objects.get(event="access:terminal:enrolled")
    assert entry.subject == f"terminal:{terminal.id}"
    assert entry.facts == {"number": terminal.number, "generation": 1}


def test_the_next_enrolment_ends_the_key_before(register: Register) -> None:
    terminal = enrolled(register)
    code = actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)
    main, generation = actions.enrol(terminal.number, code, at=AT)
    assert generation == 2
    assert main != platform_keys.main_key(terminal.number, 1)


def test_codes_that_open_nothing(register: Register) -> None:
    terminal, other = register(), register()
    old = actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)
    code = actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)
    wrong = [
        (terminal.number, old, AT),
        (terminal.number, code[:-1] + ("0" if code[-1] != "0" else "1"), AT),
        (terminal.number, "", AT),
        (other.number, code, AT),
        (510105999999, code, AT),
        (terminal.number, code, AT + timedelta(hours=24)),
    ]
    for number, text, at in wrong:
        with pytest.raises(rules.EnrolmentRefused) as refused:
            actions.enrol(number, text, at=at)
        assert refused.value.facts == {}
    assert set(Terminal.objects.values_list("status", "key_generation")) == {("registered", 0)}


@pytest.mark.django_db(transaction=True)
def test_two_who_enrol_with_one_code() -> None:
    at_place = place()
    terminal = actions.register_terminal(
        name="闸机",
        kind="gate",
        place_id=at_place.id,
        owner_id=at_place.keeper_id,
        scenes=[4],
        by=OPERATOR,
        at=AT,
    )
    code = actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)

    def attempt(_: int) -> str:
        try:
            actions.enrol(terminal.number, code, at=AT)
        except rules.EnrolmentRefused as refused:
            return refused.code
        finally:
            connection.close()
        return "enrolled"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(attempt, range(6)))
    assert answers == ["enrolled"] + ["enrolment_refused"] * 5
    terminal.refresh_from_db()
    assert terminal.key_generation == 1


@pytest.mark.clause("E3")
def test_stopped_resumed_retired(register: Register) -> None:
    terminal = enrolled(register)
    code = actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)
    stopped = actions.stop(terminal.id, reason="读头故障", by=OPERATOR, at=AT)
    assert (stopped.status, stopped.stopped_reason, stopped.enrol_code_hash) == ("stopped", "读头故障", None)
    with pytest.raises(rules.EnrolmentRefused):
        actions.enrol(terminal.number, code, at=AT)
    with pytest.raises(rules.TerminalMove):
        actions.new_enrol_code(terminal.id, by=OPERATOR, at=AT)
    with pytest.raises(rules.TerminalMove):
        actions.stop(terminal.id, reason="再停", by=OPERATOR, at=AT)
    resumed = actions.resume(terminal.id, by=OPERATOR, at=AT)
    assert (resumed.status, resumed.stopped_reason, resumed.key_generation) == ("enrolled", "", 1)
    retired = actions.retire(terminal.id, reason="报废", by=OPERATOR, at=AT)
    assert retired.status == "retired"
    for act in (actions.stop, actions.retire):
        with pytest.raises(rules.TerminalMove):
            act(terminal.id, reason="x", by=OPERATOR, at=AT)
    with pytest.raises(rules.TerminalMove):
        actions.resume(terminal.id, by=OPERATOR, at=AT)


def test_a_terminal_never_enrolled_cannot_be_resumed_or_stopped(register: Register) -> None:
    terminal = register()
    with pytest.raises(rules.TerminalMove):
        actions.resume(terminal.id, by=OPERATOR, at=AT)
    with pytest.raises(rules.TerminalMove):
        actions.stop(terminal.id, reason="x", by=OPERATOR, at=AT)
    terminal.refresh_from_db()
    assert terminal.status == "registered"


def test_a_stop_names_its_reason(register: Register) -> None:
    terminal = enrolled(register)
    with pytest.raises(rules.ReasonMissing):
        actions.stop(terminal.id, reason="  ", by=OPERATOR, at=AT)
    terminal.refresh_from_db()
    assert terminal.status == "enrolled"


def test_another_province_sees_no_terminal(register: Register) -> None:
    terminal = enrolled(register)
    for act in (actions.stop, actions.retire):
        with pytest.raises(NotFound):
            act(terminal.id, reason="x", by=NEIGHBOUR, at=AT)
        with pytest.raises(Forbidden):
            act(terminal.id, reason="x", by=CLERK, at=AT)
    with pytest.raises(NotFound):
        queries.get(terminal.number, by=NEIGHBOUR)
    assert list(queries.visible_to(NEIGHBOUR)) == []
    assert list(queries.visible_to(OPERATOR)) == [terminal]
    assert queries.get(terminal.number, by=OPERATOR) == terminal
