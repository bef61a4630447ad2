"""A presentation made in JavaScript, from the document, with the browser's library: our verifiers accept it."""

import json
import shutil
import subprocess

import pytest

from tests.using.codes.vectors import ROOT
from yikatong.core.sm import sm2
from yikatong.using.codes import pass_
from yikatong.using.codes.pass_ import Keyset, Limits

NOW = 1_800_000_000
SCRIPT = """
const { sm2, sm3 } = require('sm-crypto-v2');
const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const n = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123n;
const own = (BigInt('0x' + given.device_private) + BigInt('0x' + given.tweak)) % n;
const key = own.toString(16).padStart(64, '0');
const stamp = Buffer.alloc(6);
stamp.writeUInt32BE(given.made_at, 0);
stamp.writeUInt16BE(given.counter, 4);
const macced = Buffer.concat([Buffer.from(given.credential, 'hex'), stamp]);
const mac = Buffer.from(sm3(macced, { key: given.secret }), 'hex').subarray(0, 12);
const unsigned = Buffer.concat([macced, mac]);
const publicKey = sm2.getPublicKeyFromPrivateKey(key);
const signature = Buffer.from(sm2.doSignature(unsigned, key, { hash: true, publicKey }), 'hex');
const bytes = Buffer.concat([unsigned, signature]);
const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
let text = 'YKT1:';
for (let at = 0; at < bytes.length; at += 2) {
  const pair = at + 1 < bytes.length;
  let value = pair ? bytes.readUInt16BE(at) : bytes[at];
  for (let left = pair ? 3 : 2; left; left -= 1) { text += letters[value % 45]; value = Math.floor(value / 45); }
}
console.log(text);
"""


@pytest.mark.clause("C1", "C2")
@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_phone_and_platform_speak_one_format() -> None:
    keyset, device = Keyset.generate(issuer=500000, key_id=2), sm2.generate()
    issued = pass_.issue_credential(
        keyset,
        device=77,
        scene=4,
        generation=3,
        device_public=device.public,
        not_before=NOW - 10,
        expires_at=NOW + 100,
        limits=Limits(0, 0, 5),
        scene_key=True,
    )
    given = {name: getattr(issued, name).hex() for name in ("credential", "secret", "tweak")}
    given |= {"device_private": device.private.hex()}
    done = subprocess.run(
        ["node", "-e", SCRIPT],
        input=json.dumps(given | {"made_at": NOW, "counter": 513}),
        text=True,
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    shown = pass_.parse(pass_.decode_text(done.stdout.strip("\n")))
    assert (shown.made_at, shown.counter) == (NOW, 513)
    assert pass_.verify_online(shown, {(500000, 2): keyset}, now=NOW) == (77, 4, 3)
    key = pass_.IssuerKey(500000, 2, keyset.sm2_public, pass_.KeyState.ACTIVE, 0, NOW, NOW + 1)
    trust = pass_.TrustList([key])
    pass_.verify_offline(shown, trust, frozenset(), now=NOW, seen=pass_.Journal())
