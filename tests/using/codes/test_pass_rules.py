"""What vectors do not say: a terminal's memory, keysets, sizes, refusals to issue, a million entries."""

import os
import random
import subprocess
import sys
from typing import Any

import pytest
import segno

from yikatong.core.sm import sm2
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Claims, Journal, Keyset, Limits, Policy, Reason, Refused, Spent

CODES = "yikatong.using.codes"
NOW = 1_800_000_000
KEYS = Keyset.generate(issuer=510000, key_id=3)
PAIR = sm2.generate()
TRUST = pass_.TrustList(
    [pass_.IssuerKey(510000, 3, KEYS.sm2_public, pass_.KeyState.ACTIVE, NOW - 100, NOW + 100, NOW + 10**6)]
)


def issue(**changes: Any) -> pass_.Issued:
    fields: dict[str, Any] = {"device": 9, "scene": 3, "generation": 1, "device_public": PAIR.public}
    fields |= {"not_before": NOW, "expires_at": NOW + 86_400, "limits": Limits(500, 1_000, 3)}
    return pass_.issue_credential(KEYS, **fields | changes)


def show(issued: pass_.Issued, made_at: int = NOW, counter: int = 1) -> pass_.Presentation:
    return pass_.parse(pass_.present(issued.credential, issued.secret, PAIR.private, made_at, counter))


def reason(act: Any, *args: Any, **kwargs: Any) -> Reason:
    with pytest.raises(Refused) as refusal:
        act(*args, **kwargs)
    return refusal.value.reason


def tap(journal: Journal, shown: pass_.Presentation, fen: int, now: int = NOW) -> None:
    """What a terminal does: verify, then remember."""
    pass_.verify_offline(shown, TRUST, frozenset(), now=now, seen=journal, fen=fen)
    journal.record(shown, fen=fen)


@pytest.mark.clause("C2", "G6")
def test_terminal_bounds_what_one_credential_may_spend() -> None:
    journal, issued = Journal(), issue()
    tap(journal, show(issued, counter=1), 500)
    assert reason(tap, journal, show(issued, counter=1), 100) is Reason.REPLAYED
    assert reason(tap, journal, show(issued, counter=2), 501) is Reason.OVER_PER_USE
    tap(journal, show(issued, counter=2), 450)
    assert reason(tap, journal, show(issued, counter=3), 51) is Reason.OVER_OFFLINE_TOTAL
    tap(journal, show(issued, counter=3), 50)
    assert reason(tap, journal, show(issued, counter=4), 0) is Reason.OVER_OFFLINE_USES
    identity = show(issued).credential.identity
    assert journal.spent(identity) == Spent(3, 1_000)
    tap(journal, show(issue(not_before=NOW - 1), counter=4), 500)  # a fresh credential has fresh limits
    assert journal.spent(identity) == Spent(3, 1_000)


def test_negative_amount_cannot_widen_a_limit() -> None:
    with pytest.raises(ValueError, match="never less"):
        tap(Journal(), show(issue()), -1)


def test_refused_pass_leaves_no_trace_in_the_journal() -> None:
    journal, shown = Journal(), show(issue())
    assert reason(tap, journal, shown, 999) is Reason.OVER_PER_USE
    assert journal.spent(shown.credential.identity) == Spent(0, 0)
    assert not journal.replayed(shown.replay_key)


def test_journal_forgets_only_what_cannot_return() -> None:
    journal, shown = Journal(), show(issue())
    tap(journal, shown, 100)
    journal.forget(now=NOW + 89)
    assert reason(tap, journal, shown, 100, now=NOW + 89) is Reason.REPLAYED
    journal.forget(now=NOW + 90)
    assert not journal.replayed(shown.replay_key)
    assert reason(tap, journal, shown, 100, now=NOW + 90) is Reason.PRESENTATION_EXPIRED
    assert journal.spent(shown.credential.identity) == Spent(1, 100)
    journal.forget(now=NOW + 86_400)
    assert journal.spent(shown.credential.identity) == Spent(0, 0)


@pytest.mark.clause("C1", "C2")
def test_codes_carry_no_number_and_differ_by_scene() -> None:
    bodies = [issue(scene=scene).credential for scene in (1, 2, 3, 4)]
    references = {body[8:24] for body in bodies}
    assert len(references) == 4
    assert all((9).to_bytes(8, "big") not in body for body in bodies)
    assert issue(generation=2).reference not in references
    assert issue().reference == issue().reference


@pytest.mark.clause("C1")
def test_scenes_see_different_keys_of_one_device() -> None:
    made = [issue(scene=scene, scene_key=True) for scene in (1, 2, 3, 4)]
    keys = {pass_.parse_credential(each.credential).device_public for each in made}
    assert len(keys | {PAIR.public}) == 5
    private = sm2.shift_private(PAIR.private, made[2].tweak)
    shown = pass_.parse(pass_.present(made[2].credential, made[2].secret, private, NOW, 1))
    tap(Journal(), shown, 100)
    wrong = show(made[2])
    assert reason(tap, Journal(), wrong, 100) is Reason.BAD_DEVICE_SIGNATURE


def test_code_fits_its_qr_version() -> None:
    usual = issue(claims=Claims(1, 1, 1)).credential
    text = pass_.encode_text(pass_.present(usual, bytes(32), PAIR.private, NOW, 1))
    qr = segno.make(text, error="m", boost_error=False)
    assert (len(text), qr.mode, qr.version) == (349, "alphanumeric", 11)
    assert segno.make(text + "0" * 57, error="m", boost_error=False).version == 12  # the longest allowed
    short = pass_.make_short_code(KEYS, device=1, scene=1, expires_at=NOW)
    assert segno.make(short, error="m", boost_error=False).version == 3


def test_changed_claims_change_the_secret() -> None:
    secrets = {issue(claims=Claims(fare)).secret for fare in range(5)} | {
        issue(limits=Limits(1, 1, 1)).secret
    }
    assert len(secrets) == 6


def test_hardware_key_signs_through_a_callback() -> None:
    asked = []

    def sign_e(e: bytes) -> bytes:
        asked.append(e)
        return sm2.sign_e(KEYS.sm2_private, e)

    shown = show(issue(sign_e=sign_e))
    pass_.check_signatures(shown, TRUST, now=NOW)
    assert asked == [sm2.digest(KEYS.sm2_public, shown.credential.body)]


@pytest.mark.parametrize(
    "changes",
    [
        {"device": 2**48},
        {"device": -1},
        {"scene": 0},
        {"scene": 256},
        {"generation": 65_536},
        {"expires_at": NOW},
        {"expires_at": 2**32},
        {"not_before": -1},
        {"device_public": b"\2" + bytes(31) + b"\5"},
        {"device_public": b""},
        {"limits": Limits(2**24, 0, 0)},
        {"limits": Limits(0, -1, 0)},
        {"limits": Limits(0, 0, 256)},
    ],
)
def test_issuer_refuses_what_does_not_fit(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"out of range|ordered period|offline limits"):
        issue(**changes)


@pytest.mark.parametrize("claims", [Claims(256), Claims(None, 65_536), Claims(None, None, -1)])
def test_issuer_refuses_claims_that_do_not_fit(claims: Claims) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        issue(claims=claims)


def test_keyset_hides_its_secrets_and_is_stored_as_one() -> None:
    text = repr(KEYS)
    assert all(repr(each) not in text for each in (KEYS.sm2_private, KEYS.mac_key, KEYS.short_key))
    assert len(KEYS.secrets) == 96
    stored = Keyset.from_secrets(KEYS.secrets, issuer=510000, key_id=3, sm2_public=KEYS.sm2_public)
    assert stored == KEYS
    verifying = Keyset.from_secrets(KEYS.secrets[32:], issuer=510000, key_id=3, sm2_public=KEYS.sm2_public)
    assert (verifying.sm2_private, verifying.mac_key) == (b"", KEYS.mac_key)
    for secrets in (b"", KEYS.secrets[:95], KEYS.secrets[33:]):
        with pytest.raises(ValueError, match="keyset has keys"):
            Keyset.from_secrets(secrets, issuer=510000, key_id=3, sm2_public=KEYS.sm2_public)


@pytest.mark.parametrize(("issuer", "key_id"), [(99_999, 1), (1_000_000, 1), (510000, 65_536), (510000, -1)])
def test_keyset_has_a_division_code_and_a_short_number(issuer: int, key_id: int) -> None:
    with pytest.raises(ValueError, match="six-digit"):
        Keyset.generate(issuer=issuer, key_id=key_id)


def test_short_code_refuses_what_does_not_fit() -> None:
    for fields in ({"device": 2**48}, {"scene": 0}, {"expires_at": -1}, {"nonce": b""}):
        with pytest.raises(ValueError, match=r"out of range|five bytes"):
            pass_.make_short_code(KEYS, **{"device": 1, "scene": 1, "expires_at": 1} | fields)
    assert pass_.is_short("YKS1:")
    assert not pass_.is_short("YKT1:")


def test_policy_of_a_terminal() -> None:
    shown = show(issue())
    strict = Policy(scenes={3}, validity_s=30, tolerance_s=5, hot_age_s=60)
    verify = {"now": NOW + 34, "seen": Journal(), "policy": strict, "hot_made_at": NOW}
    pass_.verify_offline(shown, TRUST, frozenset(), **verify)
    late = verify | {"now": NOW + 35}
    assert reason(pass_.verify_offline, shown, TRUST, frozenset(), **late) is Reason.PRESENTATION_EXPIRED


@pytest.mark.clause("B2", "C2")
def test_lost_card_is_refused_with_the_next_list() -> None:
    signer, shown = sm2.generate(), show(issue())
    empty = pass_.Envelope("hot", 3, 0, 1, NOW, 510000, 3, pass_.hot_payload([])).signed(signer.private)
    hot = pass_.read_hotlist(pass_.read_envelope(empty.to_json(), signer.public))
    pass_.verify_offline(shown, TRUST, hot, now=NOW, seen=Journal())
    lost = pass_.delta_payload([shown.credential.reference], [])
    delta = pass_.Envelope("hot", 3, 1, 2, NOW + 1, 510000, 3, lost).signed(signer.private)
    after = pass_.apply_delta(hot, pass_.read_envelope(delta.to_json(), signer.public))
    assert reason(pass_.verify_offline, shown, TRUST, after, now=NOW, seen=Journal()) is Reason.HOTLISTED
    found = pass_.Envelope(
        "hot", 3, 2, 3, NOW, 510000, 3, pass_.delta_payload([], [shown.credential.reference])
    )
    pass_.verify_offline(shown, TRUST, pass_.apply_delta(after, found), now=NOW, seen=Journal())


def test_delta_payload_refuses_a_reference_on_both_sides() -> None:
    with pytest.raises(ValueError, match="both added and removed"):
        pass_.delta_payload([bytes(16)], [bytes(16)])


def test_a_million_entries() -> None:
    chance = random.Random(1)
    payload = b"".join(sorted(chance.randbytes(16) for _ in range(1_000_000)))
    hot = pass_.read_hotlist(pass_.Envelope("hot", 3, 0, 1, NOW, 510000, 3, payload))
    assert len(hot) == 1_000_000
    assert all(payload[at : at + 16] in hot for at in range(0, len(payload), 160_000))
    assert chance.randbytes(16) not in hot
    assert "not bytes" not in hot
    adds, removes = [chance.randbytes(16) for _ in range(500)], [payload[:16], payload[-16:]]
    after = pass_.apply_delta(
        hot, pass_.Envelope("hot", 3, 1, 2, NOW, 510000, 3, pass_.delta_payload(adds, removes))
    )
    assert len(after) == 1_000_498
    assert all(each in after for each in adds)
    assert not any(each in after for each in removes)


def test_many_codes_verified_at_once_get_what_each_gets_alone() -> None:
    other = Keyset.generate(issuer=320000, key_id=1)
    foreign = pass_.issue_credential(
        other, device=1, scene=3, generation=1, device_public=PAIR.public, not_before=NOW, expires_at=NOW + 9,
        limits=Limits(1, 1, 1),
    )  # fmt: skip
    good, flipped = show(issue()), bytearray(show(issue()).raw)
    flipped[40] ^= 1
    shown = [
        (good, NOW), (pass_.parse(bytes(flipped)), NOW), (good, NOW + 90), (show(issue(scene=1)), NOW),
        (show(foreign), NOW), (good, NOW - 31), (show(issue(device=77), counter=5), NOW + 1),
    ]  # fmt: skip
    keysets, policy = {(510000, 3): KEYS}, Policy(scenes={3})

    def alone(presentation: pass_.Presentation, now: int) -> pass_.Reference | Reason:
        try:
            return pass_.verify_online(presentation, keysets, now=now, policy=policy)
        except Refused as refused:
            return refused.reason

    found = pass_.verify_online_many(shown, keysets, policy=policy)
    assert found == [alone(*each) for each in shown]
    assert found == [
        pass_.Reference(9, 3, 1), Reason.BAD_MAC, Reason.PRESENTATION_EXPIRED, Reason.WRONG_SCENE,
        Reason.UNKNOWN_ISSUER, Reason.NOT_YET_VALID, pass_.Reference(77, 3, 1),
    ]  # fmt: skip
    assert pass_.verify_online_many([], keysets, policy=policy) == []


def test_pass_loads_only_national_crypto_and_its_neighbours() -> None:
    """Gate, terminals and partners run these files without Django."""
    look = (
        "import sys, yikatong.using.codes.pass_; print(*(n for n in sys.modules if n[:3] in ('yik', 'dja')))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, env=env())
    loaded = {name for name in done.stdout.split() if name.count(".") > 1}
    assert {name.rpartition(".")[0] for name in loaded} == {
        "yikatong.core",
        "yikatong.core.sm",
        "yikatong.using",
        CODES,
    }
    assert {name for name in loaded if name.startswith("yikatong.core.")} == {
        "yikatong.core.sm",
        *(f"yikatong.core.sm.{part}" for part in ("kdf", "libcrypto", "sm2", "sm3", "sm4")),
    }
    assert {f"{CODES}.models", "django"}.isdisjoint(done.stdout.split())


def env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
