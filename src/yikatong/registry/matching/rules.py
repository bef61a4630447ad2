"""What counts as a difference. Pure decisions."""

from collections.abc import Iterator
from datetime import date

from yikatong.core.errors import DomainError
from yikatong.registry.holders import names, validity
from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate, Holder
from yikatong.registry.holders.rules import Ground
from yikatong.registry.matching.models import ISSUE_MOVES, Issue
from yikatong.registry.matching.source import Answer

Field = Issue.Field
UNKNOWN = "查无此人"
KNOWN = "已登记"
NOT_INSURED = "未参保"


class IssueSettled(DomainError):
    code = "issue_settled"
    message = "这项问题已经处理，不需要再次处理；请刷新列表。"


class NotTakeable(DomainError):
    code = "issue_not_takeable"
    message = "这一项不能直接采用来源的数据。请与来源单位核实，或请本人持材料到窗口办理。"


class TheirsUnusable(DomainError):
    code, status = "theirs_unusable", 422
    message = "来源的数据不符合登记要求，不能采用。请保留本库数据，或请本人核实。"


def differences(holder: Holder, answer: Answer) -> Iterator[tuple[Issue.Field, str, str]]:
    """Field, our value, theirs. What the source does not say is no difference."""
    if not answer.is_known:
        yield Field.PERSON, KNOWN, UNKNOWN
        return
    facts = answer.facts
    if (theirs := facts.get(Field.NAME)) and same_name(theirs) != holder.name:
        yield Field.NAME, holder.name, theirs
    if (theirs := facts.get(Field.PHONE)) and theirs != (holder.phone or ""):
        yield Field.PHONE, holder.phone or "", theirs
    if (theirs := facts.get(Field.DIVISION)) and theirs[:6] != holder.division_code[:6]:
        yield Field.DIVISION, holder.division_code[:6], theirs[:6]
    if (theirs := facts.get(Field.VALIDITY)) and (ours := validity_of(holder)) and theirs != ours:
        yield Field.VALIDITY, ours, theirs
    if theirs := facts.get(Field.DEATH):
        yield Field.DEATH, "", theirs
    if facts.get(Field.INSURED) == NOT_INSURED and holder.ground == Ground.INSURANCE:
        yield Field.INSURED, Ground.INSURANCE.label, NOT_INSURED


def identity_card(holder: Holder) -> Certificate | None:
    """The present identity card: of whose period the population register is the authority."""
    present = (one for one in holder.certificates.all() if one.is_current and one.kind == Kind.RESIDENT_ID)
    return next(present, None)


def validity_of(holder: Holder) -> str:
    """The recorded period of the identity card in words; "" where none is recorded: that is no difference."""
    card = identity_card(holder)
    return validity.of(card).words if card else ""


def untold_validity(holder: Holder, answer: Answer) -> validity.Validity | None:
    """What a source tells of the period of an identity card of which we have recorded none."""
    told = answer.facts.get(Field.VALIDITY)
    if not answer.is_known or not told or same_name(answer.facts.get(Field.NAME, "")) != holder.name:
        return None
    return validity.read(told) if identity_card(holder) and not validity_of(holder) else None


def same_name(text: str) -> str:
    """A source's spelling in ours, where it is a name at all."""
    try:
        return names.normalise(text).text
    except names.BadName:
        return text.strip()


def death_of(holder: Holder, answer: Answer) -> date | None:
    """The day of a death that is told of the same person: number and name agree. Else it is for a supervisor."""
    told = answer.facts.get(Field.DEATH)
    if not answer.is_known or not told or same_name(answer.facts.get(Field.NAME, "")) != holder.name:
        return None
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


def check_move(issue: Issue, to: Issue.Status) -> None:
    if to not in ISSUE_MOVES[Issue.Status(issue.status)]:
        raise IssueSettled
