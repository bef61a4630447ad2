"""`python -m tests.refusals.write`: read every refusal's words anew and write them to sentences.toml.

Runs the test that compares with `YIKATONG_SENTENCES` set to the file, so that it writes instead.
"""

import os
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).with_name("sentences.toml")

if __name__ == "__main__":
    environment = os.environ | {"YIKATONG_SENTENCES": str(FILE)}
    test = str(Path(__file__).with_name("test_sentences.py"))
    sys.exit(
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test, "-k", "says_exactly"],
            env=environment, check=False,
        ).returncode
    )  # fmt: skip
