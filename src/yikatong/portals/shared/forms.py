"""Forms of the desk faces: errors gathered for a summary, refusals kept beside what was typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms

from yikatong.core.errors import DomainError

_LATEST = 9000
_KEPT = "没有任何内容被改动，您填写的内容仍在下方。"


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the error summary; `target` is the id of the control to go to, or ""."""

    message: str
    target: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A line of the check-answers page."""

    label: str
    value: str


class TypedAnew(forms.TextInput):
    """A code good once: a wrong one is not shown again, so that the next is not typed behind it."""

    def format_value(self, _value: Any) -> None:
        return None


class DeskForm(forms.Form):
    """`refuse` puts a refusal on the form; `quiet` fields are not repeated on the check page."""

    quiet: tuple[str, ...] = ()
    use_required_attribute = False  # our own words, at the control and in the summary
    refusal: DomainError | None = None
    refusal_link: tuple[str, str] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if "required" in field.error_messages and field.label:
                field.error_messages["required"] = _missing(field)

    def refuse(
        self, error: DomainError, field: str | None = None, link: tuple[str, str] | None = None
    ) -> None:
        """A fault of one field stands at the field; any other is the refusal of the whole."""
        if field is None:
            self.refusal, self.refusal_link = error, link
        else:
            self.add_error(field, error.message)

    @property
    def is_refused(self) -> bool:
        return self.is_bound and (self.refusal is not None or bool(self.errors))

    @property
    def kept_words(self) -> str:
        """What a refusal has left as it was: a browser never gives a chosen file or a password back."""
        given = {getattr(field.widget, "input_type", "") for field in self.fields.values()}
        if "password" in given:
            return ""
        return "没有任何内容被改动。请重新选择文件。" if "file" in given else _KEPT

    def problems(self) -> list[Problem]:
        """Each field's first error, in the order of the page."""
        at_fields = [Problem(str(bound.errors[0]), bound.auto_id) for bound in self if bound.errors]
        return [Problem(str(message), "") for message in self.non_field_errors()] + at_fields

    def answers(self) -> Iterator[Answer]:
        for bound in self.visible_fields():
            if bound.name not in self.quiet:
                yield Answer(str(bound.label), _spoken(bound.field, self.cleaned_data.get(bound.name)))


def _missing(field: forms.Field) -> str:
    chosen = isinstance(field, forms.ChoiceField)
    return getattr(field, "missing", "") or f"请{'选择' if chosen else '填写'}{field.label}"


class LastDayField(forms.DateField):
    """The last day of a period, as documents name it; cleans to the first day on which it no longer holds."""

    def clean(self, value: Any) -> date | None:
        last: date | None = super().clean(value)
        if last is None:
            return None
        if last.year > _LATEST:
            raise forms.ValidationError("日期太远，长期有效的请不要填写。")
        return last + timedelta(days=1)


def _spoken(field: forms.Field, value: Any) -> str:
    """A value as a person says it: the label of a choice, the last day of a period."""
    if isinstance(field, LastDayField) and isinstance(value, date):
        return str(value - timedelta(days=1))
    if isinstance(field, forms.ChoiceField):
        labels = dict(_flat(cast("list[tuple[str, Any]]", field.choices)))
        values = value if isinstance(value, list) else [value or ""]
        return "、".join(labels.get(str(one), str(one)) for one in values)
    return "" if value is None else str(value)


def _flat(choices: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for key, label in choices:
        if isinstance(label, list):
            yield from _flat(label)
        else:
            yield str(key), str(label)
