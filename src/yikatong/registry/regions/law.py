"""The province this installation serves, and its laws as people cite them."""

from typing import Any, ClassVar, Final

from django.conf import settings

from yikatong.core.errors import DomainError
from yikatong.registry.regions import profile
from yikatong.registry.regions.profile import Profile

_DIGITS: Final = "零一二三四五六七八九"
#: Opinions have numbered paragraphs, regulations have articles.
_PARAGRAPHS: Final = frozenset("O")


def province() -> Profile:
    """The profile that the setting PROVINCE names."""
    return profile.load(settings.PROVINCE)


def cite(article: str) -> str:
    """《title》第五条 for "G5", after the laws of the province's profile; "" for a law it does not name.

    A code of ours (N17) means nothing to who reads it.
    """
    titles = {law.letter: law.title for law in province().laws}
    letter, number = article[:1], article[1:]
    if letter not in titles or not number:
        return titles.get(letter, "")
    numeral = _numeral(int(number))
    return f"《{titles[letter]}》" + (f"（{numeral}）" if letter in _PARAGRAPHS else f"第{numeral}条")


def _numeral(number: int) -> str:
    """Chinese numeral of 1 … 99."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十"
    return head + (_DIGITS[ones] if ones or not tens else "")


class ByLaw(DomainError):
    """A refusal that rests on articles of the province's laws: codes as in the profile, e.g. ("G5",)."""

    articles: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        super().__init__(message, article="、".join(filter(None, map(cite, self.articles))), **facts)
