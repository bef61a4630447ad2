import time
from itertools import pairwise
from uuid import RFC_4122

from yikatong.core.ids import uuid7


def test_keys_made_one_after_the_other_keep_their_order() -> None:
    keys = []
    for _ in range(2_000):
        keys.append(uuid7())
        time.sleep(0)
    # Two keys within a quarter of a microsecond may swap; a database row takes far longer.
    assert sum(one > two for one, two in pairwise(keys)) < 20
    assert len(set(keys)) == 2_000


def test_a_key_is_a_version_7_and_tells_its_time() -> None:
    key = uuid7(1_700_000_000_123)
    assert (key.version, key.variant) == (7, RFC_4122)
    assert key.int >> 80 == 1_700_000_000_123
    assert abs((uuid7().int >> 80) - time.time_ns() // 1_000_000) < 1_000
