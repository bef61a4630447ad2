"""Round trips and laws that hold for all values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yikatong.core.sm import sm2
from yikatong.using.codes import base45, pass_
from yikatong.using.codes.pass_ import Claims, Keyset, Limits, Reason, Reference, Refused

KEYS = Keyset.generate(issuer=640000, key_id=65535)
PAIR = sm2.generate()
U8, U16, U24, U32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 24, 32))
SCENES = st.integers(1, 255)
DEVICES = st.integers(0, 2**48 - 1)
REFERENCES = st.binary(min_size=16, max_size=16)


@given(st.binary(max_size=300))
def test_base45_round_trip(data: bytes) -> None:
    text = base45.encode(data)
    assert len(text) == (len(data) * 3 + 1) // 2
    assert base45.decode(text) == data


@given(st.text(max_size=12) | st.text(base45.ALPHABET, max_size=12))
def test_base45_is_canonical(text: str) -> None:
    """Whatever is accepted is the one text of its bytes."""
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text


CLAIMS = st.builds(Claims, st.none() | U8, st.none() | U16, st.none() | U8)


@given(CLAIMS)
def test_claims_round_trip(claims: Claims) -> None:
    assert Claims.from_bytes(claims.to_bytes()) == claims


@given(st.binary(max_size=48))
def test_claims_are_read_or_refused(data: bytes) -> None:
    try:
        claims = Claims.from_bytes(data)
    except Refused as refusal:
        reason = refusal.reason
    else:
        reason, again = None, Claims.from_bytes(claims.to_bytes())
        assert again == claims
    assert reason in (None, Reason.MALFORMED)


@settings(deadline=None)
@given(
    device=DEVICES,
    scene=SCENES,
    generation=U16,
    period=st.lists(U32, min_size=2, max_size=2, unique=True).map(sorted),
    limits=st.builds(Limits, U24, U24, U8),
    claims=CLAIMS,
    made_at=U32,
    counter=st.integers(0, 2**20),
)
def test_what_is_issued_is_read(  # noqa: PLR0917
    device: int,
    scene: int,
    generation: int,
    period: list[int],
    limits: Limits,
    claims: Claims,
    made_at: int,
    counter: int,
) -> None:
    issued = pass_.issue_credential(
        KEYS,
        device=device,
        scene=scene,
        generation=generation,
        device_public=PAIR.public,
        not_before=period[0],
        expires_at=period[1],
        limits=limits,
        claims=claims,
    )
    raw = pass_.present(issued.credential, issued.secret, PAIR.private, made_at, counter)
    shown = pass_.parse(pass_.decode_text(pass_.encode_text(raw)))
    each = shown.credential
    assert (each.issuer, each.key_id, each.scene) == (640000, 65535, scene)
    assert (each.not_before, each.expires_at) == tuple(period)
    assert (each.limits, each.claims, each.device_public) == (limits, claims, PAIR.public)
    assert (shown.made_at, shown.counter) == (made_at, counter % 65536)
    assert each.reference == issued.reference
    assert pass_.open_reference(KEYS.reference_key, each.reference) == (device, scene, generation)
    pass_.check_signatures(shown, trust(each), now=period[0])
    if period[0] - 30 <= made_at < period[1]:
        assert pass_.verify_online(shown, {(640000, 65535): KEYS}, now=made_at).device == device


def trust(each: pass_.Credential) -> pass_.TrustList:
    dates = (each.not_before, each.not_before + 1, each.not_before + 1)
    return pass_.TrustList(
        [pass_.IssuerKey(each.issuer, each.key_id, KEYS.sm2_public, pass_.KeyState.ACTIVE, *dates)]
    )


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        pass_.parse(raw)
    with pytest.raises(Refused):
        pass_.parse(b"\1\1" + raw[:120])


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for opened in (
        lambda: pass_.parse(pass_.decode_text(text)),
        lambda: pass_.parse(pass_.decode_text("YKT1:" + text)),
    ):
        with pytest.raises(Refused):
            opened()
    with pytest.raises(Refused):
        pass_.open_short_code("YKS1:" + text, {}, now=0)


@given(st.lists(st.builds(Reference, DEVICES, SCENES, U16), unique=True, max_size=20))
def test_references_are_stable_distinct_and_open_in_order(entries: list[Reference]) -> None:
    made = pass_.make_references(KEYS.reference_key, entries)
    assert len(set(made)) == len(entries)
    assert made == [pass_.make_reference(KEYS.reference_key, *entry) for entry in entries]
    assert pass_.open_references(KEYS.reference_key, made) == entries
    assert pass_.open_references(bytes(16), made) == [None] * len(made)


@given(DEVICES, SCENES, U32.filter(bool))
def test_short_codes_round_trip(device: int, scene: int, expires_at: int) -> None:
    text = pass_.make_short_code(KEYS, device=device, scene=scene, expires_at=expires_at)
    found = pass_.open_short_code(text, {65535: KEYS}, now=expires_at - 1)
    assert (found.device, found.scene, found.expires_at) == (device, scene, expires_at)
    assert len(text) == 44
    again = pass_.make_short_code(KEYS, device=device, scene=scene, expires_at=expires_at)
    assert pass_.open_short_code(again, {65535: KEYS}, now=0).replay_key != found.replay_key


@given(st.sets(REFERENCES, max_size=30), st.sets(REFERENCES, max_size=10), st.data())
def test_delta_does_what_sets_do(before: set[bytes], adds: set[bytes], data: st.DataObject) -> None:
    some = data.draw(st.sets(st.sampled_from(sorted(before) or [bytes(16)]), max_size=10))
    removes = some - adds
    adds |= data.draw(st.sets(st.sampled_from(sorted(before - some) or [bytes(16)]), max_size=3)) - removes
    hot = pass_.Hotlist(pass_.hot_payload(before), scene=3, version=1, made_at=0)
    delta = pass_.Envelope("hot", 3, 1, 2, 9, 640000, 1, pass_.delta_payload(adds, removes))
    after = pass_.apply_delta(hot, delta)
    assert list(after) == sorted((before | adds) - removes)
    assert (after.version, after.made_at, list(hot)) == (2, 9, sorted(before))
    assert all((each in after) == (each in (before | adds) - removes) for each in before | adds | removes)
