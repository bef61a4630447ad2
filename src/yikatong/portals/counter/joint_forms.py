"""What is filled in for a joint matter 联办, and to go on with one."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, ClassVar, Final

from django import forms
from django.forms import BoundField

from yikatong.core.clock import day_of, now
from yikatong.portals.counter.forms import DELIVERY, SCAN, MatterForm, Scanned, Verified, counties, outlets
from yikatong.registry.banks.terms import offered
from yikatong.registry.cards.models import COMING, LIVE, Card
from yikatong.registry.holders.certificates import SHOWN
from yikatong.registry.holders.models import Guardianship, Holder
from yikatong.registry.joint import plans

_PLAIN: Final = {"autocomplete": "off", "spellcheck": "false"}
_DAY: Final = {"invalid": "日期应为年、月、日，例如 2026-11-01"}


def _day(label: str, **more: Any) -> forms.DateField:
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}), error_messages=_DAY, **more
    )


def _text(label: str, *, hint: str = "", is_number: bool = False, **more: Any) -> forms.CharField:
    attrs = _PLAIN | ({"class": "num"} if is_number else {})
    widget = forms.TextInput(attrs=attrs)
    return forms.CharField(label=label, max_length=80, help_text=hint, widget=widget, **more)


class JointForm(MatterForm):
    """Fields in groups; the card's are the same in both matters."""

    groups: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]]
    division_code = forms.ChoiceField(label="落户的县（市、区）")
    household_book = _text("户口簿编号", hint="9 位数字，印在户口簿首页。", is_number=True)
    bank_code = forms.ChoiceField(label="合作银行", help_text="由本人或监护人自愿选择。")
    delivery = forms.ChoiceField(label="领取方式", choices=DELIVERY, initial="0", widget=forms.RadioSelect)
    outlet_id = forms.ChoiceField(label="领卡网点", required=False)
    address = _text("收件地址", hint="邮寄时填写。", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        banks = offered(day_of(now())).values_list("code", "name")
        self.choose("division_code", [("", "请选择"), *counties(self.by)])
        if "bank_code" in self.fields:
            self.choose("bank_code", [("", "请选择"), *banks])
            self.choose("outlet_id", [("", "不指定"), *outlets(self.by)])
            self.fields["outlet_id"].initial = str(self.by.outlet_id or "")

    def grouped(self) -> Iterator[tuple[str, list[BoundField]]]:
        for title, named in self.groups:
            if found := [self[name] for name in named if name in self.fields]:
                yield title, found


_CARD: Final = ("社会保障卡", ("bank_code", "delivery", "outlet_id", "address", "verified"))


class NewbornForm(JointForm):
    name = _text("孩子姓名", hint="与出生医学证明一致。", strip=False)
    sex = forms.ChoiceField(
        label="性别", choices=[one for one in Holder.Sex.choices if one[0] != "9"], widget=forms.RadioSelect
    )
    birth_date = _day("出生日期")
    birth_certificate = forms.CharField(
        label="出生医学证明编号",
        max_length=20,
        help_text="1 位字母加 9 位数字。",
        widget=Scanned(attrs=SCAN | {"data-enter": "next"}),
    )
    hospital = _text("出生医院")
    mother_name = _text("母亲姓名")
    id_number = _text(
        "公民身份号码",
        hint="已经落户的填写；没有落户的不填，落户后自动登记。",
        is_number=True,
        required=False,
    )
    guardian_name = _text("监护人姓名")
    guardian_kind = forms.ChoiceField(
        label="监护人证件类型", choices=[(kind.value, kind.label) for kind in SHOWN]
    )
    guardian_number = forms.CharField(
        label="监护人证件号码", max_length=40, widget=Scanned(attrs=SCAN | {"data-enter": "next"})
    )
    relation = forms.ChoiceField(
        label="监护依据",
        choices=[one for one in Guardianship.Ground.choices if one[0] != Guardianship.Ground.APPOINTED],
        initial=Guardianship.Ground.PARENT,
        widget=forms.RadioSelect,
    )
    phone = _text("监护人手机号码", is_number=True)
    verified = Verified("出生医学证明、监护人证件和户口簿原件已核验")
    groups = (
        (
            "孩子",
            (
                "name", "sex", "birth_date", "birth_certificate", "hospital", "mother_name", "division_code",
                "household_book", "id_number",
            ),
        ),
        ("监护人", ("guardian_name", "guardian_kind", "guardian_number", "relation", "phone")),
        _CARD,
    )  # fmt: skip
    field_order = tuple(name for _, named in groups for name in named)


class VeteranForm(JointForm):
    """The card's fields only for who has no card."""

    discharge_certificate = _text("退役证编号", hint="如“退字第2026000123号”。", is_number=True)
    discharged_on = _day("退役日期")
    unit = _text("原部队")
    phone = _text("联系电话", is_number=True)
    verified = Verified("身份证件、退役证和户口簿原件已核验")
    groups = (
        (
            "退役和落户",
            ("discharge_certificate", "discharged_on", "unit", "division_code", "household_book", "phone"),
        ),
        _CARD,
    )
    field_order = tuple(name for _, named in groups for name in named)

    def __init__(self, *args: Any, holder: Holder, **kwargs: Any) -> None:
        super().__init__(*args, holder=holder, **kwargs)
        if Card.objects.filter(holder=holder, status__in=[*LIVE, *COMING]).exists():
            for name in ("bank_code", "delivery", "outlet_id", "address"):
                del self.fields[name]


class CorrectItemForm(MatterForm):
    """What a department asked for or was mistyped, each field as it was last told."""

    verified = Verified("已核对申请人身份，原件已核验")

    def __init__(self, *args: Any, names: Sequence[str], said: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in names:
            label = plans.LABELS[name]
            field: forms.Field = _text(label) if name != "discharged_on" else _day(label)
            field.initial = said.get(name, "")
            field.error_messages["required"] = f"请填写{label}"
            self.fields[name] = field
        self.order_fields([*names, "verified"])

    def given(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in data.items()
            if name != "verified" and value
        }


class WithdrawJointForm(MatterForm):
    verified = Verified("申请人在场要求撤回，已告知办结的事项不受影响")
