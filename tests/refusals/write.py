"""`python -m tests.refusals.write`: have every refusal say its words anew, and write them to sentences.toml.

Read the difference before it is committed: what stands there is what people will read.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("sentences.toml")


def main() -> int:
    known = tomllib.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl", encoding="utf-8") as said:
        test = str(Path(__file__).with_name("test_sentences.py"))
        command = [sys.executable, "-m", "pytest", "-q", test, "-k", "says_exactly", *sys.argv[1:]]
        subprocess.run(command, env=os.environ | {"REFUSALS_SAID": said.name}, check=False)
        heard = dict(json.loads(line) for line in said)
    FILE.write_text("".join(map(entry, sorted((known | heard).items()))), encoding="utf-8")
    return 0


def entry(one: tuple[str, dict[str, object]]) -> str:
    name, facts = one
    lines = (
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items() if value != ""
    )
    return f'["{name}"]\n' + "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    sys.exit(main())
