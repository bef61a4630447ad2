"""What a phone's browser signs with sm-crypto-v2 we accept, and the other way round."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from yikatong.core.sm import sm2

ROOT = Path(__file__).parents[3]
SCRIPT = """
const { sm2 } = require('sm-crypto-v2');
const rows = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const bytes = hex => Uint8Array.from(Buffer.from(hex, 'hex'));
console.log(JSON.stringify(rows.map(row => {
  const plain = sm2.getPublicKeyFromPrivateKey(row.private);
  return {
    compressed: sm2.compressPublicKeyHex(plain),
    accepted: sm2.doVerifySignature(bytes(row.message), row.signature, plain, { hash: true }),
    refused: sm2.doVerifySignature(bytes(row.message + '00'), row.signature, plain, { hash: true }),
    signature: sm2.doSignature(bytes(row.message), row.private, { hash: true, publicKey: plain }),
  };
})));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_browser_library_and_ours_accept_each_other() -> None:
    pairs = [(sm2.generate(), bytes(range(size))) for size in (0, 1, 64, 154, 200)]
    rows = [
        {
            "private": pair.private.hex(),
            "message": message.hex(),
            "signature": sm2.sign(pair.private, message).hex(),
        }
        for pair, message in pairs
    ]
    done = subprocess.run(
        ["node", "-e", SCRIPT], input=json.dumps(rows), text=True, capture_output=True, check=True, cwd=ROOT
    )
    for (pair, message), answer in zip(pairs, json.loads(done.stdout), strict=True):
        assert answer["compressed"] == pair.public.hex()
        assert answer["accepted"] is True
        assert answer["refused"] is False
        assert sm2.verify(pair.public, message, bytes.fromhex(answer["signature"]))
