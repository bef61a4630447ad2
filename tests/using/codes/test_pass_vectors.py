"""Our code and an outsider's, written from the document alone, agree on every published vector."""

import ast
import importlib.util
import inspect
import json
import sys
from types import ModuleType
from typing import Any

import pytest

from tests.using.codes import outsider
from tests.using.codes.vectors import ROOT, SPEC, load, named
from yikatong.core.sm import sm2
from yikatong.core.sm.kdf import derive
from yikatong.using.codes import base45, pass_
from yikatong.using.codes.pass_ import Reason, Refused

KEYS = load("keys")
TRUST = pass_.TrustList(
    pass_.IssuerKey(**key | {"public": bytes.fromhex(key["public"]), "state": pass_.KeyState(key["state"])})
    for key in KEYS["trust"]
)
KEYSETS = {
    (row["issuer"], row["key_id"]): pass_.Keyset(
        **{name: bytes.fromhex(value) if isinstance(value, str) else value for name, value in row.items()}
    )
    for row in KEYS["keysets"]
}
SHORT_KEYSETS = {keys.key_id: keys for keys in KEYSETS.values() if keys.issuer == 510000}


class Memory:
    """A terminal's memory as a vector gives it."""

    def __init__(self, seen: dict[str, Any]) -> None:
        self.keys = {bytes.fromhex(key) for key in seen["replay_keys"]}
        self.by_credential = {bytes.fromhex(key): pass_.Spent(**row) for key, row in seen["spent"].items()}

    def replayed(self, replay_key: bytes, /) -> bool:
        return replay_key in self.keys

    def spent(self, credential: bytes, /) -> pass_.Spent:
        return self.by_credential.get(credential, pass_.Spent(0, 0))


def refused(reason: Reason) -> dict[str, Any]:
    return {"refused": reason.name, "number": int(reason)}


def fields(shown: pass_.Presentation) -> dict[str, Any]:
    each = shown.credential
    plain = {name: getattr(each, name) for name in ("issuer", "key_id", "scene", "not_before", "expires_at")}
    plain |= {name: getattr(each, name).hex() for name in ("reference", "device_public", "identity")}
    plain |= {"claims": each.claims._asdict(), "limits": each.limits._asdict(), "made_at": shown.made_at}
    return plain | {"counter": shown.counter, "replay_key": shown.replay_key.hex()}


def ours(case: dict[str, Any]) -> dict[str, Any]:
    """What our verifier answers to a vector, in the vector's words."""
    policy = pass_.Policy(**case["policy"])
    try:
        shown = pass_.parse(pass_.decode_text(case["text"]))
        if case["mode"] == "online":
            found = pass_.verify_online(shown, KEYSETS, now=case["now"], policy=policy)
            device = {"number": found.device, "generation": found.generation}
            return {"expect": {"accepted": True}, "fields": fields(shown), "device": device}
        pass_.verify_offline(
            shown,
            TRUST,
            {bytes.fromhex(entry) for entry in case["hot"]},
            now=case["now"],
            seen=Memory(case["seen"]),
            fen=case["fen"],
            policy=policy,
            hot_made_at=case["hot_made_at"],
        )
    except Refused as refusal:
        return {"expect": refused(refusal.reason)}
    return {"expect": {"accepted": True}, "fields": fields(shown)}


def agrees(case: dict[str, Any], answer: dict[str, Any]) -> bool:
    return answer["expect"] == case["expect"] and all(
        answer[name] == case[name] for name in ("fields", "device") if name in case
    )


@pytest.mark.clause("C2", "S10", "O5")
@pytest.mark.parametrize("case", [*named("offline"), *named("online")])
def test_pass(case: dict[str, Any]) -> None:
    assert agrees(case, ours(case)), ours(case)


@pytest.mark.parametrize("case", [*named("offline"), *named("online")])
def test_outsider_agrees_on_pass(case: dict[str, Any]) -> None:
    answer = outsider.verify(case, KEYS)
    assert agrees(case, answer), answer


@pytest.mark.clause("C1")
@pytest.mark.parametrize("case", named("short"))
def test_short_code(case: dict[str, Any]) -> None:
    try:
        found = pass_.open_short_code(case["text"], SHORT_KEYSETS, now=case["now"], scenes=case["scenes"])
        answer = {"device": found.device, "scene": found.scene}
    except Refused as refusal:
        answer = refused(refusal.reason)
    assert answer == case["expect"]
    assert outsider.open_short(case, KEYS) == case["expect"]


def take(held: Any, envelope: str) -> Any:
    """What a terminal does with a list that arrives."""
    made = pass_.read_envelope(envelope, bytes.fromhex(KEYS["list_key"]["public"]))
    version = held.version if held else 0
    if made.kind == "trust":
        return pass_.read_trust(made, held=version)
    if held and made.from_version:
        return pass_.apply_delta(held, made)
    return pass_.read_hotlist(made, held=version)


def told(held: Any) -> dict[str, Any]:
    if isinstance(held, pass_.Hotlist):
        return {"version": held.version, "entries": [entry.hex() for entry in held]}
    return {"version": held.version, "keys": list(map(key_fields, held.keys.values()))}


def key_fields(key: pass_.IssuerKey) -> dict[str, Any]:
    names = ("issuer", "key_id", "public", "state", "not_before", "sign_until", "verify_until")
    return {name: getattr(key, name) for name in names} | {"public": key.public.hex()}


@pytest.mark.parametrize("case", named("lists"))
def test_list(case: dict[str, Any]) -> None:
    held: Any = None
    theirs = outsider.Lists(KEYS)
    for step in case["steps"]:
        try:
            held = take(held, step["envelope"])
            answer = told(held)
        except Refused as refusal:
            answer = refused(refusal.reason)
        assert answer == step["expect"]
        assert theirs.take(step["envelope"]) == step["expect"]


@pytest.mark.parametrize("code", [base45, outsider], ids=["ours", "outsider"])
def test_base45(code: Any) -> None:
    encode, decode = code.__dict__.get("encode") or code.base45, code.__dict__.get("decode") or code.unbase45
    for row in load("base45")["valid"]:
        assert encode(bytes.fromhex(row["bytes"])) == row["text"]
        assert decode(row["text"]) == bytes.fromhex(row["bytes"])
    for text in load("base45")["invalid"]:
        with pytest.raises(ValueError):  # noqa: PT011 - the one error of the codec
            decode(text)


def test_derivation_and_references() -> None:
    rows = load("secrets")
    for row in rows["derive"]:
        asked = bytes.fromhex(row["key"]), row["label"], bytes.fromhex(row["context"]), row["length"]
        assert derive(*asked).hex() == outsider.derive(*asked).hex() == row["output"]
    for row in rows["references"]:
        key, number = bytes.fromhex(row["key"]), (row["device"], row["scene"], row["generation"])
        assert pass_.make_reference(key, *number).hex() == row["reference"]
        assert pass_.open_reference(key, bytes.fromhex(row["reference"])) == number
        assert outsider.open_reference(key, bytes.fromhex(row["reference"])) == number
    for row in rows["scene_keys"]:
        values = {name: bytes.fromhex(value) for name, value in row.items()}
        tweak = pass_.scene_tweak(values["mac_key"], values["public"], values["reference"])
        assert tweak == values["tweak"]
        assert sm2.shift_public(values["public"], tweak) == values["scene_public"]
        assert sm2.shift_private(values["private"], tweak) == values["scene_private"]
        assert outsider.scene_key(values) == (tweak, values["scene_private"], values["scene_public"])
    for row in rows["not_references"]:
        key, block = bytes.fromhex(row["key"]), bytes.fromhex(row["reference"])
        assert pass_.open_reference(key, block) is outsider.open_reference(key, block) is None


def test_every_reason_of_a_pure_verifier_has_a_vector() -> None:
    cases = [*load("offline"), *load("online"), *load("short")]
    answers = [case["expect"] for case in cases] + [
        step["expect"] for case in load("lists") for step in case["steps"]
    ]
    met = {answer["refused"] for answer in answers if "refused" in answer}
    platform_only = {Reason.DOUBLE_OFFLINE_USE, Reason.SHORT_CODE_USED}
    assert met == {
        reason.name for reason in Reason if reason not in platform_only and not 600 <= reason < 800
    }


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_published_files_are_current() -> None:
    for name, text in script("make_vectors").files().items():
        assert (SPEC / "vectors" / name).read_text(encoding="utf-8") == text, (
            f"run scripts/make_vectors.py: {name}"
        )
    expected = script("make_reasons").reasons_json()
    assert (SPEC / "reasons.json").read_text(encoding="utf-8") == expected, "run scripts/make_reasons.py"


def test_document_names_every_reason_and_the_worked_example() -> None:
    text = (SPEC / "pass-v1.md").read_text(encoding="utf-8")
    for reason in Reason:
        assert f"| {int(reason)} | {reason.name} | {reason.sentence} |" in text
    example = next(case for case in load("offline") if case["name"] == "an unknown claim is skipped")
    raw = pass_.decode_text(example["text"]).hex()
    shown = "".join(text.split("<!-- example -->")[1].split("```")[1].split())
    assert shown == raw
    assert example["text"] in text


def test_outsider_knows_nothing_of_our_code() -> None:
    tree = ast.parse(inspect.getsource(outsider))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in imported if name.startswith(("yikatong", "tests", "scripts"))]


def test_reasons_are_complete_and_stable() -> None:
    rows = json.loads((SPEC / "reasons.json").read_text(encoding="utf-8"))
    assert all(row["sentence"] and row["holder"] and row["operator"] for row in rows)
    assert len({row["number"] for row in rows}) == len({row["sentence"] for row in rows}) == len(rows)
    assert {row["number"] // 100 for row in rows} == {1, 2, 3, 4, 5, 6, 7, 8}
