import json

from tests.refusals.conftest import *
from tests.refusals.test_sentences import *

OUT = {}


@pytest.mark.parametrize("refusal", PROVOCATIONS, ids=key)
def test_collect(refusal, stage):
    try:
        PROVOCATIONS[refusal](stage)
    except DomainError as f:
        with open("/tmp/h/yprobe/said.jsonl", "a") as fh:
            fh.write(
                json.dumps(
                    {
                        "key": key(refusal),
                        "got": key(type(f)),
                        "code": f.code,
                        "status": f.status,
                        "says": f.message,
                        "article": f.article,
                    },
                    ensure_ascii=False,
                )
                + "\n"
            )
        assert type(f) is refusal, (key(type(f)), f.message)
        return
    raise AssertionError("not refused")
