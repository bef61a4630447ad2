"""What a citizen fills in for a joint matter 联办, for his child or for himself."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django import forms

from yikatong.portals.citizen.forms import DIGITS, ApplyForm
from yikatong.registry.holders.models import Holder
from yikatong.registry.joint import plans
from yikatong.registry.regions.models import Division

_DAY: Final = {"invalid": "请填写年、月、日", "required": "请填写日期"}


def _text(label: str, *, hint: str = "", number: bool = False, **more: Any) -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false"} | (DIGITS if number else {})
    return forms.CharField(
        label=label,
        max_length=60,
        help_text=hint,
        widget=forms.TextInput(attrs),
        error_messages={"required": f"请填写{label}"},
        **more,
    )


def _day(label: str, hint: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=hint,
        widget=forms.DateInput({"type": "date"}),
        error_messages=_DAY | {"required": f"请填写{label}"},
    )


def _choice(label: str, choices: list[tuple[str, Any]], **more: Any) -> forms.ChoiceField:
    words = {"required": f"请选择{label}", "invalid_choice": f"请选择列表中的{label}"}
    return forms.ChoiceField(label=label, choices=choices, error_messages=words, **more)


def counties(province_code: str) -> list[tuple[str, Any]]:
    """Counties of the province, by city."""
    rows = Division.objects.filter(code__startswith=province_code[:2], is_current=True)
    cities = dict(rows.filter(level__lte=Division.Level.CITY).values_list("code", "name"))
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, name in rows.filter(level=Division.Level.COUNTY).order_by("code").values_list("code", "name"):
        groups.setdefault(code[:4] + "00", []).append((code, name))
    named = [(cities.get(city, cities.get(city[:2] + "0000", city)), rows) for city, rows in groups.items()]
    return [("", "请选择"), *named]


class JointForm(ApplyForm):
    """`own` are the fields before the card's; `with_card` False leaves the card's out."""

    own: tuple[str, ...] = ()
    division_code = _choice("落户的县（市、区）", [])
    household_book = _text("户口簿编号", hint="9 位数字，印在户口簿首页。", number=True)
    promise = forms.BooleanField(
        label="所填内容属实，同意平台把办理所需的内容提供给上述部门",
        error_messages={"required": "请确认所填内容属实"},
    )

    def __init__(self, *args: Any, place: str, with_card: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["division_code"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = counties(place)
        field.initial = place[:6]
        if not with_card:
            for name in ("bank", "outlet", "delivery", "address"):
                del self.fields[name]
        # What is wrong is listed from the top of the page to its end.
        self.order_fields([*self.own, *(name for name in self.fields if name not in {*self.own, "promise"})])

    def shown(self) -> list[forms.BoundField]:
        return [self[name] for name in self.own]


class NewbornForm(JointForm):
    own = (
        "name", "sex", "birth_date", "birth_certificate", "hospital", "mother_name", "division_code",
        "household_book", "id_number",
    )  # fmt: skip
    name = _text("孩子姓名", hint="与出生医学证明一致。", strip=False)
    sex = _choice("性别", [("", "请选择"), *(one for one in Holder.Sex.choices if one[0] != "9")])
    birth_date = _day("出生日期")
    birth_certificate = _text("出生医学证明编号", hint="1 位字母加 9 位数字，在证明右上角。")
    hospital = _text("出生医院")
    mother_name = _text("母亲姓名")
    id_number = _text("公民身份号码", hint="还没有落户的不填，落户后自动登记。", required=False)


class VeteranForm(JointForm):
    own = ("discharge_certificate", "discharged_on", "unit", "division_code", "household_book", "phone")
    discharge_certificate = _text("退役证编号", hint="如“退字第2026000123号”。")
    discharged_on = _day("退役日期")
    unit = _text("原部队")
    phone = _text("联系电话", number=True)


class CorrectPartForm(forms.Form):
    """What a department asked for or was mistyped, each field as it was last told."""

    def __init__(self, *args: Any, names: Sequence[str], said: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in names:
            label = plans.LABELS[name]
            self.fields[name] = _day(label) if name == "discharged_on" else _text(label)
            self.fields[name].initial = said.get(name, "")

    def given(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in self.cleaned_data.items()
        }
