"""Sources of registry.matching over signed HTTP (docs/spec/sources-v1.md)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from yikatong.adapters import signed_channels
from yikatong.adapters.signed_channels import Channel
from yikatong.adapters.signed_http import Wire
from yikatong.core import env
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import (
    LABELS,
    Answer,
    Changes,
    Question,
    Source,
    SourceAway,
    SourceSilent,
    SourceUnfit,
)

PAGE: Final = 250
_TEXT_MOST: Final = 100
_FIELDS: Final = {field.value: field for field in Issue.Field}
_Said = TypeVar("_Said")


class _Answer(msgspec.Struct, frozen=True):
    reference: str
    known: bool
    facts: dict[str, str] = {}


class _Answers(msgspec.Struct, frozen=True):
    answers: list[_Answer]


class _Changes(msgspec.Struct, frozen=True):
    numbers: list[str]
    after: str
    more: bool


class Register:
    """One department's register over the line. Asking changes nothing over there, so it is tried again."""

    def __init__(self, key: str, label: str, wire: Wire) -> None:
        self._key, self.label, self._wire = key, label, wire

    def look_up(self, questions: Sequence[Question], *, within_s: float | None = None) -> Sequence[Answer]:
        """Page by page. `within_s`: one try of this length, for someone who waits at a counter."""
        return [answer for page in _pages(questions) for answer in self._page(page, within_s)]

    def changes(self, after: str) -> Changes:
        content = {"register": self._key, "after": after, "most": PAGE}
        said = self._ask("changes", content, _Changes, None)
        if len(said.numbers) > PAGE or max(map(len, [said.after, *said.numbers])) > _TEXT_MOST:
            raise SourceUnfit("一页变更过长")
        if said.more and said.after == after:
            raise SourceUnfit("变更的位置没有前进")
        return Changes(said.numbers, said.after, said.more)

    def _page(self, page: Sequence[Question], within_s: float | None) -> list[Answer]:
        questions = [{"reference": one.reference, "number": one.number, "name": one.name} for one in page]
        said = self._ask("look-up", {"register": self._key, "questions": questions}, _Answers, within_s)
        if sorted(one.reference for one in said.answers) != sorted(one.reference for one in page):
            raise SourceUnfit("应答与所问的人不一一对应")
        return [Answer(one.reference, one.known, _facts(one.facts)) for one in said.answers]

    def _ask(self, what: str, content: dict[str, Any], shape: type[_Said], within_s: float | None) -> _Said:
        tries = 3 if within_s is None else 1
        body = self._wire.fetch(f"/sources/v1/{what}", content, tries=tries, answer_s=within_s)
        try:
            return msgspec.json.decode(body, type=shape)
        except msgspec.DecodeError as error:  # its text names the place, never a value
            raise SourceUnfit(f"应答不能识别（{_place(error)}）") from error


def _pages(questions: Sequence[Question]) -> list[Sequence[Question]]:
    return [questions[at : at + PAGE] for at in range(0, len(questions), PAGE)]


def _facts(said: dict[str, str]) -> dict[Issue.Field, str]:
    """What we compare; a source may say more. A value too long to be one is no answer."""
    if any(len(value) > _TEXT_MOST for value in said.values()):
        raise SourceUnfit("应答中有过长的内容")
    return {_FIELDS[name]: value for name, value in said.items() if name in _FIELDS}


def _place(error: msgspec.DecodeError) -> str:
    """Where in the answer it went wrong, without what stood there."""
    text = str(error)
    return text.rsplit(" at ", 1)[-1].strip("`") if " at " in text else "不是完整的 JSON"


def _wire(channel: Channel) -> Wire:
    failures: dict[str, Any] = {"away": SourceAway, "silent": SourceSilent, "unfit": SourceUnfit}
    return Wire(channel.url, channel.key, whom="对方", answer_s=channel.answer_s, **failures)


def wired() -> dict[str, Source]:
    """The sources this installation reaches, by key; the sandbox's in a demonstration."""
    settings = env.load()
    if settings.sources_file != Path():
        found = signed_channels.read(settings.sources_file, "sources", "SOURCES_FILE")
        return {
            key: Register(key, one.name or LABELS.get(key, key), _wire(one)) for key, one in found.items()
        }
    if not settings.demo:
        return {}
    here = Channel(url=settings.bank_sandbox_url, key_file=settings.sandbox_key_path("sources"))
    return {key: Register(key, f"{label}（沙箱）", _wire(here)) for key, label in LABELS.items()}
