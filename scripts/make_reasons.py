"""Write docs/spec/reasons.json from the closed list in the code, for browsers, terminals and partners."""

import json
from pathlib import Path

from yikatong.using.codes.reasons import Reason

TARGET = Path(__file__).parents[1] / "docs/spec/reasons.json"


def reasons_json() -> str:
    """The text of the file: one object a reason, in the order of the numbers."""
    rows = [
        {"number": int(reason), "name": reason.name, "sentence": reason.sentence}
        | {"holder": reason.holder, "operator": reason.operator}
        for reason in Reason
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(reasons_json(), encoding="utf-8")
    print(f"{len(Reason)} reasons in {TARGET}")
