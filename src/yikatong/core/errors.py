"""Refusals: named, with a sentence a person reads and the article it rests on."""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal by rule. Nothing has been changed when it is raised.

    `code` is stable and for machines; `status` is the HTTP status of the edge; `message` is the Chinese
    sentence for people; `article` names the law or standard the refusal rests on ("" where none);
    `facts` are small public values a program may use, never personal data.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message: str = "不能办理。"
    article: str = ""

    def __init__(self, message: str | None = None, *, article: str | None = None, **facts: Any) -> None:
        self.message = message or type(self).message
        self.article = type(self).article if article is None else article
        self.facts = facts
        super().__init__(self.message)

    def problem(self) -> dict[str, Any]:
        """Problem details after RFC 9457."""
        body: dict[str, Any] = {
            "type": f"urn:yikatong:refusal:{self.code}",
            "title": self.message,
            "status": self.status,
            "code": self.code,
        }
        return body | ({"article": self.article} if self.article else {}) | self.facts


class NotFound(DomainError):
    """Also the answer to a stranger: what he may not see does not exist for him."""

    code = "not_found"
    status = 404
    message = "没有找到。请核对后重试。"


class Forbidden(DomainError):
    code = "forbidden"
    status = 403
    message = "您的岗位没有这项权限，请由有权限的岗位办理。"


class Invalid(DomainError):
    """The words of a request cannot be understood or are out of bounds."""

    code = "invalid"
    status = 422
    message = "填写的内容有误，请核对后重填。"
