"""What is filled in about an outlet: its facts, its week, a change of hours."""

from typing import Any, Final

from django import forms

from yikatong.portals.shared.forms import DeskForm
from yikatong.registry.outlets import hours, rules
from yikatong.registry.outlets.hours import Span
from yikatong.registry.outlets.models import DayKind
from yikatong.registry.regions.models import Outlet

_KINDS: Final = (*range(1, 8), 0)
_PLAIN: Final = {"autocomplete": "off"}


class OutletFilter(forms.Form):
    text = forms.CharField(label="编号或名称", required=False, max_length=60)


class FactsForm(DeskForm):
    phone = forms.CharField(label="电话", max_length=20, required=False, widget=forms.TextInput(_PLAIN))
    address = forms.CharField(label="地址", max_length=200, widget=forms.TextInput(_PLAIN))
    services = forms.MultipleChoiceField(
        label="可办业务", choices=[(one, one) for one in rules.SERVICES], required=False,
        widget=forms.CheckboxSelectMultiple, help_text="即时制卡由空白卡库存决定，不在这里选。",
    )  # fmt: skip
    facilities = forms.MultipleChoiceField(
        label="便民设施", choices=list(rules.FACILITIES.items()), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    longitude = forms.FloatField(label="经度", required=False, help_text="CGCS2000，例如 104.06512")
    latitude = forms.FloatField(label="纬度", required=False, help_text="例如 30.65843")
    is_open = forms.BooleanField(label="对外服务", required=False)

    @staticmethod
    def of(outlet: Outlet) -> dict[str, Any]:
        """What stands there now."""
        return {name: getattr(outlet, name) for name in FactsForm.base_fields}


class WeekForm(DeskForm):
    """One line a day, as people write it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in _KINDS:
            hint = "不填为不开放。" if kind else "不填为节假日不开放。"
            self.fields[f"day{kind}"] = forms.CharField(
                label=DayKind(kind).label, required=False, max_length=80, widget=forms.TextInput(_PLAIN),
                help_text=hint if kind in {0, 1} else "",
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self.week: dict[int, list[Span]] = {}
        for kind in _KINDS:
            try:
                self.week[kind] = hours.parse(data.get(f"day{kind}", ""))
            except rules.BadHours as refusal:
                self.add_error(f"day{kind}", refusal.message)
        return data

    @staticmethod
    def of(week: Any) -> dict[str, str]:
        return {f"day{kind}": " ".join(map(str, week.get(kind, ()))) for kind in _KINDS}


class ChangeForm(DeskForm):
    since = forms.DateField(label="自", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="至", widget=forms.DateInput(attrs={"type": "date"}))
    span = forms.CharField(
        label="开放时间", required=False, max_length=20, help_text="例如 9:00-12:00；不填为不开放。",
        widget=forms.TextInput(_PLAIN),
    )  # fmt: skip
    reason = forms.CharField(
        label="原因", max_length=60, help_text="市民可以看到。", widget=forms.TextInput(_PLAIN)
    )

    def clean_span(self) -> Span | None:
        try:
            found = hours.parse(self.cleaned_data["span"])
        except rules.BadHours as refusal:
            raise forms.ValidationError(refusal.message) from None
        if len(found) > 1:
            raise forms.ValidationError("临时调整只填一段时间。")
        return found[0] if found else None
