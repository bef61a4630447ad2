"""证件有效期: from when until when a certificate proves its bearer, as it is printed there. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from yikatong.registry.holders.certificates import Kind
from yikatong.registry.holders.models import Certificate
from yikatong.registry.holders.refusals import BadValidity, CertificateExpired, LongTermNotAllowed
from yikatong.registry.holders.rules import birthday
from yikatong.registry.regions.law import cite

#: From this age on an identity card is issued for good (居民身份证法 art. 5).
LONG_TERM_AGE: Final = 46
#: The longest period each kind is issued for, in years; a passport's is its country's.
_LONGEST: Final = {
    Kind.RESIDENT_ID: 20,
    Kind.FOREIGN_RESIDENT: 10,
    Kind.HK_MO_PERMIT: 10,
    Kind.TW_PERMIT: 5,
    Kind.HK_MO_TW_RESIDENCE: 5,
}
_RENEWED: Final = "《中华人民共和国居民身份证法》第十一条"
_APPLYING: Final = "G5"


@dataclass(frozen=True, slots=True)
class Validity:
    """As printed: the last day still counts. 长期 has no last day; where nothing is recorded there is neither."""

    begins: date | None = None
    ends: date | None = None
    is_long_term: bool = False

    @property
    def is_told(self) -> bool:
        return self.begins is not None or self.ends is not None or self.is_long_term

    @property
    def words(self) -> str:
        """起/止 as sources and events tell it: 2016-05-01/2036-05-01, 2016-05-01/长期; "" where nothing is recorded."""
        if not self.is_told:
            return ""
        return f"{self.begins or ''}/{'长期' if self.is_long_term else self.ends or ''}"


UNTOLD: Final = Validity()


def read(words: str) -> Validity | None:
    """A validity from its words; None for what is none."""
    begins, _, ends = (part.strip() for part in words.partition("/"))
    try:
        first = date.fromisoformat(begins)
        return (
            Validity(first, None, is_long_term=True)
            if ends == "长期"
            else Validity(first, date.fromisoformat(ends))
        )
    except ValueError:
        return None


def of(certificate: Certificate) -> Validity:
    """What is recorded of a certificate."""
    return Validity(certificate.valid_from, certificate.valid_until, certificate.is_long_term)


def check(validity: Validity, kind: Kind, born: date, today: date) -> Validity:
    """A validity that such a certificate can have, and that has not run out.

    Raises BadValidity, LongTermNotAllowed, CertificateExpired. Nothing told is nothing wrong.
    """
    begins, ends = validity.begins, validity.ends
    if not validity.is_told:
        return validity
    if begins is None or (ends is None) != validity.is_long_term:
        raise BadValidity
    if begins > today or begins < born:
        raise BadValidity("证件起始日期不能晚于今天或早于出生日期，请对照证件核对。")
    if ends is None:
        _check_long_term(kind, born, begins)
        return validity
    if ends <= begins:
        raise BadValidity("证件截止日期应晚于起始日期，请对照证件核对。")
    if (years := _LONGEST.get(kind)) and ends > birthday(begins, years):
        raise BadValidity(f"{kind.label}的有效期最长 {years} 年，请对照证件核对起止日期。")
    if ends < today:
        raise expired(kind, ends)
    return validity


def _check_long_term(kind: Kind, born: date, begins: date) -> None:
    if kind is not Kind.RESIDENT_ID:
        raise LongTermNotAllowed(f"{kind.label}没有长期有效的，请填写证件上的截止日期。", article="")
    if birthday(born, LONG_TERM_AGE) > begins:
        raise LongTermNotAllowed


def expired(kind: Kind, ends: date) -> CertificateExpired:
    text = f"{kind.label}已于 {ends} 到期，不能据以办理。下一步：换领新证后，登记新证的有效期再办理。"
    return CertificateExpired(text, article=_RENEWED if kind is Kind.RESIDENT_ID else cite(_APPLYING))


def is_over(certificate: Certificate, day: date) -> bool:
    return certificate.valid_until is not None and certificate.valid_until < day


def in_use(certificates: Iterable[Certificate], day: date) -> Certificate | None:
    """The certificate a person proves himself with: a present one before a former, one in force before one that is over."""
    return min(
        certificates,
        key=lambda one: (not one.is_current, is_over(one, day), -one.created_at.timestamp()),
        default=None,
    )


def check_in_force(certificates: Iterable[Certificate], day: date) -> None:
    """Raises CertificateExpired when every present certificate is recorded as run out."""
    found = in_use([one for one in certificates if one.is_current], day)
    if found is not None and found.valid_until is not None and is_over(found, day):
        raise expired(Kind(found.kind), found.valid_until)
