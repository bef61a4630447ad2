"""国籍 by code and by name."""

import pytest

from yikatong.registry.holders import countries


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FRA", "FRA"),
        (" fra ", "FRA"),
        ("法国", "FRA"),
        ("中国", "CHN"),
        ("刚果（金）", "COD"),
        ("ZZZ", ""),
        ("", ""),
    ],
)
def test_a_country_is_known_by_code_or_name(text: str, code: str) -> None:
    assert countries.code_of(text) == code


def test_every_name_leads_back_to_its_code() -> None:
    assert len(countries.NAMES) == 198
    assert all(len(code) == 3 and code.isupper() for code in countries.NAMES)
    assert {countries.code_of(name) for name in countries.NAMES.values()} == set(countries.NAMES)
    assert (countries.name_of("CHN"), countries.name_of("SUN")) == ("中国", "SUN")
