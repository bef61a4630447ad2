"""Sandbox registers of the departments: for demonstrations and tests, never wired to real ones.

They agree with what they are asked but for a small share of persons, always the same ones, so that a demonstration
has something to settle and a second round finds nothing new.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from yikatong.core.sm.sm3 import sm3
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.rules import NOT_INSURED
from yikatong.registry.matching.source import Answer, Question

Field = Issue.Field
_PER: Final = 10_000


class _Sandbox:
    """`odd` gives, in ten thousand, how many persons differ in which field, and what the register says."""

    key: ClassVar[str]
    label: ClassVar[str]
    odd: ClassVar[dict[Issue.Field, tuple[int, str]]] = {}
    unknown: ClassVar[int] = 0

    def look_up(self, questions: Sequence[Question]) -> Sequence[Answer]:
        return [self._answer(one) for one in questions]

    def _answer(self, question: Question) -> Answer:
        if self._dice(question, "person") < self.unknown:
            return Answer(question.reference, is_known=False)
        return Answer(
            question.reference, is_known=True, facts={Field.NAME: question.name} | dict(self._odd(question))
        )

    def _odd(self, question: Question) -> Iterator[tuple[Issue.Field, str]]:
        for field, (share, says) in self.odd.items():
            if self._dice(question, field) < share:
                yield field, says.format(name=question.name, digits=f"{self._dice(question, 'digits'):08d}")

    def _dice(self, question: Question, what: str) -> int:
        chip = sm3(f"{self.key}|{what}|{question.number}".encode())
        return int.from_bytes(chip[:4], "big") % _PER


class Population(_Sandbox):
    key, label = "population", "公安人口库（沙箱）"
    odd: ClassVar = {Field.NAME: (20, "{name}芳")}
    unknown = 5


class Civil(_Sandbox):
    """Deaths come from here; a death of the same name and number is recorded at once."""

    key, label = "civil", "民政殡葬信息（沙箱）"
    odd: ClassVar = {Field.DEATH: (2, "2026-10-01")}


class Health(_Sandbox):
    key, label = "health", "卫健全员人口库（沙箱）"
    odd: ClassVar = {Field.DEATH: (2, "2026-10-02"), Field.PHONE: (30, "138{digits}")}


class Credit(_Sandbox):
    key, label = "credit", "公共信用库（沙箱）"
    odd: ClassVar = {Field.PHONE: (20, "137{digits}")}


class Insurance(_Sandbox):
    key, label = "insurance", "社会保险参保库（沙箱）"
    odd: ClassVar = {Field.INSURED: (100, NOT_INSURED), Field.PHONE: (20, "136{digits}")}
