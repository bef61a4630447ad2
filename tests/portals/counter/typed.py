"""What a clerk types, and what is read of the answer."""

from typing import Any

from tests import cast
from yikatong.core.models import AuditEntry, Look
from yikatong.registry.cards.models import Case, CaseStep

NEW_NUMBER = cast.id_number(7)


def text(answer: Any) -> str:
    return answer.content.decode()


def registration(**changes: str) -> dict[str, str]:
    form = {
        "kind": "A",
        "number": NEW_NUMBER,
        "name": "李小花",
        "phone": "13900000007",
        "ground": "residence",
        "division_code": "510107",
        "address": "",
        "birth_date": "",
        "sex": "",
        "nationality": "CHN",
        "verified": "yes",
        "step": "check",
    }
    return form | changes


def looks() -> list[tuple[str, str]]:
    return list(Look.objects.order_by("at", "id").values_list("looker_name", "purpose"))


def everything() -> tuple[object, ...]:
    """What an act on a case may change; equal before and after a refusal."""
    acts = AuditEntry.objects.filter(event__startswith="cards:").count()
    return sorted(Case.objects.values_list("pk", "status", "closed_at")), CaseStep.objects.count(), acts


def application(**changes: str) -> dict[str, str]:
    form = {"bank_code": cast.JOINT, "delivery": "0", "outlet_id": str(cast.HALL), "verified": "yes"}
    return form | {"step": "confirm"} | changes
