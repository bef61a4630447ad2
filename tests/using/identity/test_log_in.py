"""Log in by text message, and the e-card password with its lock."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from tests.using.people import AT, LI, PHONE, MakeHolder, clerk, of
from yikatong.core.errors import DomainError, Forbidden, NotFound
from yikatong.core.models import AuditEntry
from yikatong.registry.holders.models import Holder
from yikatong.using.identity import actions, messages, queries, rules
from yikatong.using.identity.models import ECardPassword, SentMessage, SmsCode

PASSWORD = "271828"


@pytest.fixture(autouse=True)
def demo_sender(settings: Settings) -> None:
    settings.SMS_SENDER = "yikatong.adapters.sms.demo.DemoSender"


def code_for(phone: str = PHONE, *, at: datetime = AT, purpose: str = actions.LOGIN) -> str:
    actions.send_code(phone, at=at, purpose=purpose)
    message = queries.latest_message(phone)
    assert message is not None
    found = re.search(r"[0-9]{6}", message.text)
    assert found is not None
    return found[0]


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_logs_in_whoever_has_the_phone(wang: Holder, make_holder: MakeHolder) -> None:
    son = make_holder(LI, name="李强")
    code = code_for()
    assert actions.log_in("+86 139-0000-0001", code, at=AT + timedelta(minutes=4)) == [wang, son]
    assert list(AuditEntry.objects.values_list("event", "holder_id").order_by("id")) == [
        ("identity:login:passed", wang.id),
        ("identity:login:passed", son.id),
    ]


def test_the_code_is_kept_as_a_keyed_hash_and_the_message_sealed(wang: Holder) -> None:
    code = code_for()
    kept = SmsCode.objects.get()
    assert code.encode() not in bytes(kept.code_hash)
    assert len(kept.code_hash) == 32
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone, text FROM identity_sentmessage")
        row = cursor.fetchone()
    assert all(PHONE.encode() not in bytes(each) and code.encode() not in bytes(each) for each in row)


def test_the_message_leaves_by_a_job_and_once(wang: Holder) -> None:
    code_for()
    message = SentMessage.objects.get()
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args) == ("identity.deliver", {"message_id": str(message.id)})
    assert message.status == "waiting"
    messages.deliver(message.id)
    messages.deliver(message.id)
    message.refresh_from_db()
    assert (message.status, message.template) == ("sent", "code.login")


def test_a_code_works_once(wang: Holder) -> None:
    code = code_for()
    actions.log_in(PHONE, code, at=AT)
    with pytest.raises(rules.CodeWrong):
        actions.log_in(PHONE, code, at=AT)
    assert AuditEntry.objects.count() == 1


def test_a_code_lives_five_minutes(wang: Holder) -> None:
    code = code_for()
    with pytest.raises(rules.CodeWrong):
        actions.log_in(PHONE, code, at=AT + timedelta(minutes=5))
    assert len(actions.log_in(PHONE, code, at=AT + timedelta(minutes=5) - timedelta(seconds=1))) == 1


def test_a_code_bears_five_tries(wang: Holder) -> None:
    code = code_for()
    for _ in range(5):
        with pytest.raises(rules.CodeWrong):
            actions.log_in(PHONE, other(code), at=AT)
    with pytest.raises(rules.CodeWrong):
        actions.log_in(PHONE, code, at=AT)
    kept = SmsCode.objects.get()
    assert (kept.tries, kept.used_at) == (5, None)
    assert not AuditEntry.objects.exists()


def test_a_new_code_ends_the_one_before(wang: Holder) -> None:
    old = code_for()
    later = AT + timedelta(seconds=60)
    new = code_for(at=later)
    if old != new:
        with pytest.raises(rules.CodeWrong):
            actions.log_in(PHONE, old, at=later)
    assert actions.log_in(PHONE, new, at=later) == [wang]


def test_a_code_serves_its_purpose_only(wang: Holder) -> None:
    code = code_for(purpose=actions.PASSWORD)
    with pytest.raises(rules.CodeWrong):
        actions.log_in(PHONE, code, at=AT)


def test_an_unknown_phone_gets_the_same_answers(wang: Holder) -> None:
    stranger = "13900000009"
    actions.send_code(stranger, at=AT)
    actions.send_code(PHONE, at=AT)
    assert SmsCode.objects.count() == 2
    assert SentMessage.objects.count() == 1
    for phone in (stranger, PHONE):
        with pytest.raises(rules.SmsTooSoon):
            actions.send_code(phone, at=AT + timedelta(seconds=59))
        with pytest.raises(rules.CodeWrong):
            actions.log_in(phone, "000000x", at=AT)
    assert set(SmsCode.objects.values_list("tries", flat=True)) == {1}


def test_too_soon_says_how_many_seconds_are_left(wang: Holder) -> None:
    actions.send_code(PHONE, at=AT)
    with pytest.raises(rules.SmsTooSoon) as refusal:
        actions.send_code(PHONE, at=AT + timedelta(seconds=18, milliseconds=500))
    assert refusal.value.message == "验证码已发送。请在 42 秒后再获取。"
    assert refusal.value.facts == {"retry_after": 42}


@pytest.mark.clause("cap:O1")
def test_an_unknown_phone_costs_the_same_work(wang: Holder) -> None:
    """The time an answer takes tells nobody who holds a card."""
    work = []
    for phone in (PHONE, "13900000009"):
        with CaptureQueriesContext(connection) as done:
            actions.send_code(phone, at=AT)
        verbs = [query["sql"].split()[0] for query in done]
        work.append([verb for verb in verbs if verb not in {"SAVEPOINT", "RELEASE", "ROLLBACK"}])
    assert work[0] == work[1]
    assert work[0].count("INSERT") == 2
    assert (SentMessage.objects.count(), ProcrastinateJob.objects.count()) == (1, 1)


def test_a_phone_gets_ten_codes_a_day(wang: Holder) -> None:
    for number in range(10):
        actions.send_code(PHONE, at=AT + timedelta(minutes=number))
    with pytest.raises(rules.SmsTooMany) as refusal:
        actions.send_code(PHONE, at=AT + timedelta(hours=23))
    # The first of them was sent at 9:00 in Beijing, and there it is 8:00 of the next day.
    assert refusal.value.message == "获取验证码过于频繁。请在今天 9:00 后再试，或到服务网点办理。"
    assert refusal.value.facts == {"retry_after": 3600}
    assert SmsCode.objects.count() == 10
    actions.send_code(PHONE, at=AT + timedelta(days=1, minutes=1))


def test_a_stranger_uses_up_only_strangers_codes(wang: Holder, settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"sms_phone_daily": 2, "sms_pause_seconds": 60})
    for number in range(2):
        actions.send_code(PHONE, at=AT + timedelta(minutes=number))
    with pytest.raises(rules.SmsTooMany):
        actions.send_code(PHONE, at=AT + timedelta(minutes=5))
    for number in range(2):  # in the browser in which she has logged in before
        actions.send_code(PHONE, at=AT + timedelta(minutes=1 + number), is_familiar=True)
    with pytest.raises(rules.SmsTooMany):
        actions.send_code(PHONE, at=AT + timedelta(minutes=5), is_familiar=True)


def test_an_address_asks_for_sixty_phones_an_hour(db: None) -> None:
    for number in range(60):
        actions.send_code(f"139000010{number:02d}", at=AT, ip="192.0.2.7")
    with pytest.raises(rules.SmsTooMany) as refusal:
        actions.send_code("13900002000", at=AT + timedelta(minutes=20), ip="192.0.2.7")
    assert refusal.value.message == "获取验证码过于频繁。请在今天 10:00 后再试，或到服务网点办理。"
    assert refusal.value.facts == {"retry_after": 2400}
    actions.send_code("13900002000", at=AT, ip="192.0.2.8")
    assert SmsCode.objects.count() == 61
    assert b"192.0.2" not in bytes(SmsCode.objects.order_by("id")[0].ip_index or b"")


def test_limits_are_settings_and_the_longest_wait_counts(db: None, settings: Settings) -> None:
    limits = {
        "sms_pause_seconds": 10, "sms_phone_daily": 2, "sms_address_hourly": 3, "sms_address_daily": 4,
    }  # fmt: skip
    settings.ENV = settings.ENV.model_copy(update=limits)

    def asks(phone: str, minutes: float) -> str:
        try:
            actions.send_code(phone, at=AT + timedelta(minutes=minutes), ip="192.0.2.7")
        except DomainError as refusal:
            return refusal.message
        return "sent"

    one, two, three = "13900000011", "13900000012", "13900000013"
    assert [asks(one, 0), asks(one, 1), asks(two, 2)] == ["sent", "sent", "sent"]
    hour = "获取验证码过于频繁。请在今天 10:00 后再试，或到服务网点办理。"
    day = "获取验证码过于频繁。请在明天 9:00 后再试，或到服务网点办理。"
    assert asks(three, 3) == hour  # three within the hour from here
    assert asks(one, 3) == day  # and his own day is full as well
    assert asks(three, 60) == "sent"
    assert asks(two, 120) == day  # four within the day from here
    assert SmsCode.objects.count() == 4


def test_a_wait_is_never_said_too_short(wang: Holder, settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"sms_phone_daily": 1})
    late = datetime(2026, 11, 20, 15, 58, 31, tzinfo=UTC)  # 23:58:31 in Beijing
    actions.send_code(PHONE, at=late - timedelta(days=1) + timedelta(minutes=2))
    with pytest.raises(rules.SmsTooMany) as refusal:
        actions.send_code(PHONE, at=late)
    assert refusal.value.message == "获取验证码过于频繁。请在明天 0:01 后再试，或到服务网点办理。"


def test_without_a_sender_nothing_is_promised(wang: Holder, settings: Settings) -> None:
    settings.SMS_SENDER = ""
    with pytest.raises(rules.SmsUnavailable):
        actions.send_code(PHONE, at=AT)
    assert not SmsCode.objects.exists()


def test_a_deceased_holder_does_not_log_in(wang: Holder) -> None:
    code = code_for()
    Holder.objects.update(status=Holder.Status.DECEASED)
    with pytest.raises(rules.CodeWrong):
        actions.log_in(PHONE, code, at=AT)


def test_the_password_opens_and_is_not_readable(wang: Holder) -> None:
    with pytest.raises(rules.PasswordNotSet):
        actions.check_password(wang.id, PASSWORD, at=AT)
    actions.set_password(wang.id, PASSWORD, by=of(wang), at=AT)
    actions.check_password(wang.id, PASSWORD, at=AT)
    kept = ECardPassword.objects.get()
    assert PASSWORD not in kept.password_hash
    assert (kept.set_at, kept.failures, kept.locked_until) == (AT, 0, None)


@pytest.mark.parametrize("by", ["stranger", "clerk"])
def test_a_password_is_set_by_the_holder_alone(wang: Holder, make_holder: MakeHolder, by: str) -> None:
    actor = clerk() if by == "clerk" else of(make_holder(LI, name="李强"))
    refusal: type[DomainError] = Forbidden if by == "clerk" else NotFound
    with pytest.raises(refusal):
        actions.set_password(wang.id, PASSWORD, by=actor, at=AT)
    assert not ECardPassword.objects.exists()


def test_a_weak_password_is_refused_by_the_holders_own_data(wang: Holder) -> None:
    with pytest.raises(rules.PasswordFromCertificate):
        actions.set_password(wang.id, "072346", by=of(wang), at=AT)
    assert not ECardPassword.objects.exists()


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(wang: Holder) -> None:
    actions.set_password(wang.id, PASSWORD, by=of(wang), at=AT)
    for left in (4, 3, 2, 1):
        with pytest.raises(rules.PasswordWrong) as refused:
            actions.check_password(wang.id, "314159", at=AT)
        assert refused.value.facts == {"left": left}
    for password in ("314159", PASSWORD):
        with pytest.raises(rules.PasswordLocked):
            actions.check_password(wang.id, password, at=AT)
    assert queries.locked_until(wang.id, at=AT) == AT + timedelta(minutes=15)
    with pytest.raises(rules.PasswordLocked):
        actions.check_password(wang.id, PASSWORD, at=AT + timedelta(minutes=15) - timedelta(seconds=1))
    after = AT + timedelta(minutes=15)
    with pytest.raises(rules.PasswordWrong) as refused:
        actions.check_password(wang.id, "314159", at=after)
    assert refused.value.facts == {"left": 4}
    actions.check_password(wang.id, PASSWORD, at=after)
    assert ECardPassword.objects.get().failures == 0


def test_a_right_password_at_the_fifth_try_opens(wang: Holder) -> None:
    actions.set_password(wang.id, PASSWORD, by=of(wang), at=AT)
    for _ in range(4):
        with pytest.raises(rules.PasswordWrong):
            actions.check_password(wang.id, "314159", at=AT)
    actions.check_password(wang.id, PASSWORD, at=AT)
    assert queries.locked_until(wang.id, at=AT) is None


def test_a_code_to_the_phone_resets_a_locked_password(wang: Holder) -> None:
    actions.set_password(wang.id, PASSWORD, by=of(wang), at=AT)
    ECardPassword.objects.update(failures=5, locked_until=AT + timedelta(minutes=15))
    code = code_for(purpose=actions.PASSWORD)
    with pytest.raises(rules.CodeWrong):
        actions.reset_password(wang.id, other(code), "161803", by=of(wang), at=AT)
    actions.reset_password(wang.id, code, "161803", by=of(wang), at=AT)
    actions.check_password(wang.id, "161803", at=AT)


@pytest.fixture
def committed_holder(transactional_db: None, make_holder: MakeHolder) -> Holder:
    holder = make_holder()
    actions.set_password(holder.id, PASSWORD, by=of(holder), at=AT)
    return holder


def test_parallel_guesses_have_five_tries_between_them(committed_holder: Holder) -> None:
    def guess(number: int) -> str:
        try:
            actions.check_password(committed_holder.id, f"9{number:05d}", at=AT)
        except DomainError as refused:
            return refused.code
        finally:
            connection.close()
        return "opened"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(24)))
    assert answers.count("opened") == 0
    assert AuditEntry.objects.filter(event="identity:password:failed").count() == 5
    assert answers.count("password_locked") >= 20
    assert ECardPassword.objects.get().failures == 5


def test_a_stranger_with_the_number_can_neither_spend_nor_end_anothers_code(wang: Holder) -> None:
    hers = actions.send_code(PHONE, at=AT)
    message = queries.latest_message(PHONE)
    assert message is not None
    code = re.findall(r"[0-9]{6}", message.text)[0]
    later = AT + timedelta(minutes=1)
    strangers = actions.send_code(PHONE, at=later)

    for _ in range(rules.CODE_TRIES):
        with pytest.raises(rules.CodeWrong):
            actions.log_in(PHONE, other(code), at=later, ticket=strangers)

    assert actions.log_in(PHONE, code, at=later, ticket=hers) == [wang]


def test_a_ticket_of_one_phone_opens_no_other(wang: Holder, make_holder: MakeHolder) -> None:
    make_holder(LI, name="李强", phone="13900000002")
    ticket = actions.send_code(PHONE, at=AT)
    message = queries.latest_message(PHONE)
    assert message is not None
    code = re.findall(r"[0-9]{6}", message.text)[0]

    with pytest.raises(rules.CodeWrong):
        actions.log_in("13900000002", code, at=AT, ticket=ticket)


@pytest.mark.parametrize("phone", [PHONE, "13999999999"])
def test_without_a_gateway_every_phone_gets_the_same_refusal(
    wang: Holder, settings: Settings, phone: str
) -> None:
    settings.SMS_SENDER = ""

    with pytest.raises(rules.SmsUnavailable):
        actions.send_code(phone, at=AT)

    assert not SmsCode.objects.exists()
