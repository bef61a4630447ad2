"""Phones and passwords as people write them."""

from datetime import date

import pytest

from yikatong.core.errors import DomainError
from yikatong.using.identity import rules

NUMBER = "510105199003072346"


@pytest.mark.parametrize("text", ["13900000001", " 139 0000 0001 ", "+86 139-0000-0001", "139-0000-0001"])
def test_a_phone_as_people_write_it(text: str) -> None:
    assert rules.phone(text) == "13900000001"


@pytest.mark.parametrize(
    "text", ["", "1390000000", "139000000011", "12900000001", "１３９００００００１１", "0281234567"]
)
def test_what_is_no_mobile_number(text: str) -> None:
    with pytest.raises(rules.PhoneInvalid):
        rules.phone(text)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", rules.PasswordNotSixDigits),
        ("12345", rules.PasswordNotSixDigits),
        ("1234567", rules.PasswordNotSixDigits),
        ("12345a", rules.PasswordNotSixDigits),
        ("１２３４５９", rules.PasswordNotSixDigits),
        ("000000", rules.PasswordRepeated),
        ("252525", rules.PasswordRepeated),
        ("739739", rules.PasswordRepeated),
        ("123456", rules.PasswordConsecutive),
        ("987654", rules.PasswordConsecutive),
        ("678901", rules.PasswordConsecutive),
        ("109876", rules.PasswordConsecutive),
        ("900307", rules.PasswordFromBirth),
        ("199003", rules.PasswordFromBirth),
        ("070390", rules.PasswordFromBirth),
        ("072346", rules.PasswordFromCertificate),
        ("510105", rules.PasswordFromCertificate),
        ("390000", rules.PasswordFromPhone),
    ],
)
def test_a_password_others_would_guess(password: str, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        rules.check_password(
            password, certificates=[NUMBER], birth_date=date(1990, 3, 7), phone="13900000001"
        )


@pytest.mark.parametrize("password", ["271828", "112358", "135791", "100001"])
def test_a_password_that_will_do(password: str) -> None:
    rules.check_password(password, certificates=[NUMBER], birth_date=date(1990, 3, 7), phone="13900000001")
