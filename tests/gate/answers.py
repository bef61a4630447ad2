"""The whole answer of a refusal; and a row set to what it may become."""

from typing import Any

from tests.gate.world import SCENE, Asked
from yikatong.using.codes.pass_ import Reason
from yikatong.using.usage.models import Use


def refused(asked: Asked, reason: Reason, sequence: int, *, scene: int = SCENE) -> None:
    """The whole answer of a code that was refused, and recorded as refused."""
    assert asked.status == 200
    expected: dict[str, Any] = {
        "sequence": sequence,
        "accepted": False,
        "reason": reason.value,
        "name": reason.name.lower(),
        "message": reason.sentence,
        "next_step": reason.operator,
        "tell_holder": reason.holder,
        "scene": scene,
        "used_at": asked.body["used_at"],
        "amount_fen": 0,
    }
    assert asked.body == {key: value for key, value in expected.items() if key != "scene" or value}
    use = Use.objects.get(sequence=sequence, terminal=asked.terminal)
    assert (use.outcome, use.amount_fen, use.concession, use.first_terminal) == (reason, 0, 0, None)


def problem(asked: Asked, reason: Reason, status: int, **facts: Any) -> None:
    """The whole answer of a request that was refused as such."""
    assert asked.status == status
    assert asked.body == {
        "type": f"urn:yikatong:refusal:{reason.name.lower()}",
        "title": reason.sentence,
        "status": status,
        "code": reason.name.lower(),
        "reason": reason.value,
        "next_step": reason.operator,
        "tell_holder": reason.holder,
        **facts,
    }


def set_to(model: Any, **values: Any) -> None:
    type(model).objects.filter(pk=model.pk).update(**values)
