"""证件有效期 as it is filled in everywhere: the first day, and the last or 长期."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django import forms

from yikatong.core.errors import DomainError
from yikatong.registry.holders import refusals
from yikatong.registry.holders.models import Certificate
from yikatong.registry.holders.validity import Validity, is_over

NAMES: Final = ("certificate_from", "certificate_long_term", "certificate_until")
_DAY: Final = {"invalid": "日期应为年、月、日，例如 2036-05-01"}
#: Where a refusal of the period is shown.
FIELDS_AT_FAULT: Final[dict[type[DomainError], str]] = {
    refusals.BadValidity: "certificate_from",
    refusals.LongTermNotAllowed: "certificate_long_term",
    refusals.CertificateExpired: "certificate_until",
}


class ValidityFields(forms.Form):
    """Beside the other fields of a form; may be left blank."""

    certificate_from = forms.DateField(
        label="证件有效期自",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=_DAY,
    )
    certificate_long_term = forms.ChoiceField(
        label="证件长期有效",
        required=False,
        choices=[("", "否"), ("1", "是")],
        widget=forms.RadioSelect,
        help_text="只有年满 46 周岁后申领的居民身份证。",
        initial="",
    )
    certificate_until = forms.DateField(
        label="证件有效期至",
        required=False,
        help_text="证件上写的最后一天；长期有效的不填。",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=_DAY,
    )


def told(given: Mapping[str, Any]) -> Validity:
    """What was filled in; a form without these fields tells nothing."""
    begins, long_term, ends = (given.get(name) for name in NAMES)
    return Validity(begins, ends, is_long_term=bool(long_term))


def is_wanted(certificate: Certificate | None, day: date) -> bool:
    """Whether to ask: nothing is recorded, or it has run out. A newborn's birth certificate has no period."""
    if certificate is None or certificate.kind == "B":
        return False
    return not certificate.validity_words or is_over(certificate, day)
