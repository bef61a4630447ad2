"""A `Connector` of registry.joint over signed HTTP."""

from datetime import datetime
from typing import Any

import msgspec

from yikatong.adapters.department_api import channels
from yikatong.adapters.signed_http import Wire
from yikatong.registry.joint.connector import STATES, Answer, DepartmentAway, DepartmentSilent, State, Wanted


class _Said(msgspec.Struct, frozen=True):
    request: str
    state: str
    at: datetime
    number: str = ""
    reason: str = ""
    result: dict[str, str] = {}


class DepartmentApi:
    def reaches(self, department: str) -> bool:
        return channels.wire_to(department) is not None

    def send(self, wanted: Wanted) -> Answer:
        said = {
            "number": wanted.number, "department": wanted.department, "act": wanted.act, "item": wanted.item,
            "key": wanted.key, "content": dict(wanted.content),
        }  # fmt: skip
        return _answer(_wire(wanted.department).post("/department/v1/requests", said), wanted.number)

    def ask(self, number: str, department: str) -> Answer | None:
        given = _wire(department).post("/department/v1/answers", {"department": department, "number": number})
        return _answer(given.get("answer"), number) if given.get("known") else None


def _wire(department: str) -> Wire:
    found = channels.wire_to(department)
    if found is None:
        raise DepartmentAway("没有设置这个部门的接口")
    return found


def _answer(given: Any, number: str) -> Answer:
    """Raises DepartmentSilent for what is no answer to this request."""
    try:
        said = msgspec.convert(given, _Said)
    except msgspec.ValidationError as error:
        raise DepartmentSilent("部门应答缺少要素") from error
    if said.request != number or said.state not in STATES:
        raise DepartmentSilent("部门应答与请求不符")
    state: State = said.state  # type: ignore[assignment]
    return Answer(state, said.number, said.reason, said.at, said.result)
