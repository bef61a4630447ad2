"""Refusals of a request as such (not of a code): nothing is recorded, and the answer says what to do."""

from typing import Any

from yikatong.using.codes.reasons import Reason

STATUS = {
    Reason.TERMINAL_UNKNOWN: 401,
    Reason.TERMINAL_STOPPED: 403,
    Reason.TERMINAL_WRONG_SCENE: 403,
    Reason.REQUEST_BAD_MAC: 401,
    Reason.REQUEST_TIME_OFF: 401,
    Reason.WORK_KEY_EXPIRED: 401,
    Reason.SEQUENCE_REUSED: 409,
    Reason.REQUEST_MALFORMED: 422,
    Reason.TOO_LARGE: 413,
    Reason.TOO_MANY_REQUESTS: 429,
}


class Refusal(Exception):
    """A request is refused by a Reason. `facts` are small public values a terminal may use."""

    def __init__(self, reason: Reason, **facts: Any) -> None:
        super().__init__(reason.name)
        self.reason, self.facts = reason, facts

    @property
    def status(self) -> int:
        return STATUS.get(self.reason, 403)

    def problem(self) -> dict[str, Any]:
        """Problem details after RFC 9457."""
        reason = self.reason
        return {
            "type": f"urn:yikatong:refusal:{reason.name.lower()}",
            "title": reason.sentence,
            "status": self.status,
            "code": reason.name.lower(),
            "reason": reason.value,
            "next_step": reason.operator,
            "tell_holder": reason.holder,
        } | self.facts


def other_problem(status: int, code: str, title: str, **facts: Any) -> dict[str, Any]:
    """Problems that are no Reason: no such address, no such method, not available."""
    return {"type": f"urn:yikatong:problem:{code}", "title": title, "status": status, "code": code} | facts
