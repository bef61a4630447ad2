"""The kiosk's own verifier runs every published vector and answers as they say."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.using.codes.vectors import ROOT, load
from yikatong.using.codes.reasons import Reason

PASS = ROOT / "src/yikatong/portals/terminal/static/terminal/pass.js"
SCRIPT = """
const fs = require('fs');
globalThis.SmCryptoV2 = require('sm-crypto-v2');
const given = JSON.parse(fs.readFileSync(0, 'utf8'));
require(given.script);
const P = globalThis.YktPass;
const trust = new Map(given.keys.trust.map((key) => [`${key.issuer}/${key.key_id}`, key]));
const listKey = P.unhex(given.keys.list_key.public);

function refused(error) { if (!(error instanceof P.Refused)) throw error; return { refused: error.reason }; }

function offline(one) {
  try {
    const shown = P.parse(P.decodeText(one.text));
    const hot = new P.Hotlist(P.join(...one.hot.sort().map(P.unhex)), { scene: 1, version: 1, madeAt: 0 });
    const { scenes, validity_s: validity, tolerance_s: tolerance, hot_age_s: hotAge } = one.policy;
    P.verifyOffline(shown, trust, hot, {
      now: one.now, fen: one.fen, hotMadeAt: one.hot_made_at, policy: { scenes, validity, tolerance, hotAge },
      seen: {
        replayed: (key) => one.seen.replay_keys.includes(key),
        spent: (identity) => one.seen.spent[identity] || { uses: 0, fen: 0 },
      },
    });
    const c = shown.credential;
    const limits = { per_use_fen: c.limits.perUse, total_fen: c.limits.total, uses: c.limits.uses };
    return { accepted: true, fields: {
      issuer: c.issuer, key_id: c.keyId, scene: c.scene, reference: P.hex(c.reference), claims: c.claims,
      not_before: c.notBefore, expires_at: c.expiresAt, limits, device_public: P.hex(c.devicePublic),
      identity: c.identity, made_at: shown.madeAt, counter: shown.counter, replay_key: shown.replayKey } };
  } catch (error) { return refused(error); }
}

function lists(one) {
  let held = null;
  return one.steps.map(({ envelope }) => {
    try { held = P.take(held, envelope, () => listKey); } catch (error) { return refused(error); }
    if (held.keys) return { version: held.version, keys: [...held.keys.values()] };
    const entries = P.hex(held.references).match(/.{32}/g) || [];
    return { version: held.version, entries };
  });
}

function base45(text) {
  try { return P.hex(P.fromBase45(text)); } catch (error) { return refused(error); }
}

const { valid, invalid } = given.base45;
const bytes = [...valid.map((one) => one.text), ...invalid].map(base45);
console.log(JSON.stringify({ offline: given.offline.map(offline), lists: given.lists.map(lists), base45: bytes }));
"""

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")


@pytest.fixture(scope="module")
def answers() -> Any:
    given = {name: load(name) for name in ("keys", "offline", "lists", "base45")} | {"script": str(PASS)}
    done = subprocess.run(
        ["node", "-e", SCRIPT], input=json.dumps(given), text=True, capture_output=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.clause("C2", "O5")
def test_offline_vectors(answers: Any) -> None:
    cases = load("offline")
    assert len(answers["offline"]) == len(cases)
    for case, answer in zip(cases, answers["offline"], strict=True):
        if case["expect"].get("accepted"):
            assert answer["accepted"], case["name"]
            assert answer["fields"] == case.get("fields", answer["fields"]), case["name"]
        else:
            assert answer == {"refused": case["expect"]["refused"]}, case["name"]


def test_list_vectors(answers: Any) -> None:
    for case, steps in zip(load("lists"), answers["lists"], strict=True):
        expected = [step["expect"] for step in case["steps"]]
        for row in expected:
            row.pop("number", None)
        assert steps == expected, case["name"]


def test_base45_vectors(answers: Any) -> None:
    given = load("base45")
    expected = [each["bytes"] for each in given["valid"]] + [{"refused": "MALFORMED"}] * len(given["invalid"])
    assert answers["base45"] == expected


def test_every_reason_of_the_vectors_is_in_the_closed_list(answers: Any) -> None:
    said = {answer["refused"] for answer in answers["offline"] if "refused" in answer}
    assert len(said) >= 19
    assert said <= {reason.name for reason in Reason}
