"""What citizens fill in. Messages say what to do; ids and names are what browsers fill in by themselves."""

import re
from typing import Any

from django import forms

from yikatong.core.clock import day_of, now
from yikatong.portals.shared.forms import TypedAnew
from yikatong.portals.shared.validity import NAMES as VALIDITY
from yikatong.portals.shared.validity import ValidityFields
from yikatong.registry.banks.models import Bank
from yikatong.registry.banks.terms import offered
from yikatong.registry.cards.actions import Answers
from yikatong.registry.cards.models import Correction
from yikatong.registry.cards.rules import ReplaceReason
from yikatong.registry.outlets.rules import AT_ONCE, SERVICES
from yikatong.registry.regions.models import Outlet

Item = Correction.Item
DIGITS = {"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}
PHONE = re.compile(r"^1\d{10}$")
DELIVERIES = [("0", "到网点领取"), ("1", "邮寄到家")]


class PhoneField(forms.CharField):
    def clean(self, value: Any) -> str:
        phone = re.sub(r"[\s-]", "", super().clean(value)).removeprefix("+86")
        if not PHONE.match(phone):
            raise forms.ValidationError("请填写 11 位手机号码")
        return phone


class SixDigits(forms.CharField):
    """Six digits; full-width ones and spaces are understood."""

    def __init__(self, label: str, *, secret: bool = False, **more: Any) -> None:
        autocomplete = more.pop("autocomplete", "off")
        attrs = DIGITS | {"class": "digits-in", "autocomplete": autocomplete}
        widget = (forms.PasswordInput if secret else TypedAnew)(attrs)
        super().__init__(label=label, widget=widget, error_messages={"required": f"请填写{label}"}, **more)

    def clean(self, value: Any) -> str:
        digits = "".join(super().clean(value).split())
        if len(digits) != 6 or not digits.isdecimal():
            raise forms.ValidationError(f"{self.label}是 6 位数字")
        return "".join(str(int(digit)) for digit in digits)


class PhoneForm(forms.Form):
    phone = PhoneField(
        label="手机号码",
        help_text="办社会保障卡时登记的手机号码。",
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel-national", "inputmode": "tel"}),
        error_messages={"required": "请填写手机号码"},
    )


class SmsForm(forms.Form):
    code = SixDigits("短信验证码", autocomplete="one-time-code", help_text="5 分钟内有效。")


class PasswordForm(forms.Form):
    password = SixDigits("电子社保卡密码", secret=True, help_text="6 位数字，不是实体卡的密码。")


class NewPasswordForm(forms.Form):
    password = SixDigits(
        "新密码",
        secret=True,
        autocomplete="new-password",
        help_text="6 位数字，不要用连号、相同数字或证件号码里的数字。",
    )
    again = SixDigits("再输一遍", secret=True, autocomplete="new-password")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "again" in data and data.get("password", data["again"]) != data["again"]:
            self.add_error("again", "两次输入的密码不一样")
        return data


class ResetForm(NewPasswordForm):
    code = SixDigits("短信验证码", autocomplete="one-time-code")
    field_order = ("code", "password", "again")


class LossForm(forms.Form):
    kind = forms.ChoiceField(
        label="挂失方式",
        choices=[("temporary", "临时挂失"), ("formal", "正式挂失")],
        error_messages={"required": "请选择挂失方式", "invalid_choice": "请选择挂失方式"},
    )


class OutletField(forms.ModelChoiceField[Outlet]):
    """A key that is none is no choice of the list, like any other strange value."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except forms.ValidationError:
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice") from None


class ApplyForm(ValidityFields):
    """A free choice of the bank (Guangdong art. 5): no bank is chosen beforehand.

    `ask_validity`: whether to ask for the period of the certificate too.
    """

    field_order = (
        "outlet",
        "bank",
        "delivery",
        "address",
        "reason",
        *VALIDITY,
    )  # as on the page, for the list of faults
    bank = forms.ModelChoiceField(
        label="合作银行",
        queryset=Bank.objects.none(),
        error_messages={"required": "请选择一家合作银行", "invalid_choice": "请选择列表中的银行"},
    )
    outlet = OutletField(
        label="领卡网点",
        queryset=Outlet.objects.filter(is_open=True),
        error_messages={"required": "请选择领卡网点", "invalid_choice": "请选择列表中的网点"},
    )
    delivery = forms.ChoiceField(label="领取方式", choices=DELIVERIES, initial="0")
    address = forms.CharField(label="收件地址", max_length=200, required=False)

    def __init__(self, *args: Any, ask_validity: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank"].queryset = offered(day_of(now()))  # type: ignore[attr-defined]
        for name in VALIDITY if not ask_validity else ():
            del self.fields[name]


class ReplaceForm(ApplyForm):
    """The bank stays unless another is chosen."""

    bank = forms.ModelChoiceField(
        label="合作银行",
        queryset=Bank.objects.none(),
        required=False,
        error_messages={"invalid_choice": "请选择列表中的银行"},
    )
    reason = forms.ChoiceField(
        label="补换原因",
        choices=ReplaceReason.choices,
        error_messages={"required": "请选择补换原因", "invalid_choice": "请选择补换原因"},
    )


class CorrectForm(forms.Form):
    """A field for each thing wanted that can be put right without an original."""

    def __init__(self, *args: Any, items: list[str], place: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, forms.Field] = {
            Item.BANK: forms.ModelChoiceField(
                label="合作银行",
                queryset=offered(day_of(now())),
                empty_label="请选择",
                error_messages={"invalid_choice": "请选择列表中的银行"},
            ),
            Item.OUTLET: OutletField(
                label="领卡网点",
                queryset=Outlet.objects.filter(is_open=True, division_code__startswith=place[:4]).order_by(
                    "number"
                ),
                empty_label="请选择",
                error_messages={"invalid_choice": "请选择列表中的网点"},
            ),
            Item.ADDRESS: forms.CharField(
                label="收件地址", max_length=200, widget=forms.TextInput({"autocomplete": "street-address"})
            ),
            Item.GROUND: forms.CharField(
                label="申领依据说明", max_length=200, widget=forms.Textarea({"rows": 3})
            ),
        }
        for item in items:
            if item in fields:
                self.fields[item] = fields[item]
                self.fields[item].required = False

    def given(self) -> Answers:
        data = self.cleaned_data
        bank, outlet = data.get(Item.BANK), data.get(Item.OUTLET)
        return Answers(
            bank_code=bank.code if bank else "",
            outlet_id=outlet.id if outlet else None,
            address=data.get(Item.ADDRESS) or "",
            ground=data.get(Item.GROUND) or "",
        )


class OriginForm(forms.Form):
    """From where distances are measured; a strange value is none."""

    at = forms.RegexField(r"^-?\d{1,2}(\.\d{1,6})?,-?\d{1,3}(\.\d{1,6})?$", required=False)
    near = forms.CharField(required=False, max_length=40)

    def wanted(self) -> dict[str, Any]:
        self.is_valid()
        given = {name: self.cleaned_data.get(name) or "" for name in self.fields}
        code = str(self.data.get("from", ""))
        return given | {"from": code if code.isascii() and code.isdigit() and len(code) in {6, 9} else ""}


class PlacesForm(OriginForm):
    """The search of places; a strange value is no filter."""

    q = forms.CharField(required=False, max_length=40)
    domain = forms.CharField(required=False, max_length=12)
    city = forms.RegexField(r"^\d{6}$", required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=9999)


class DisplayForm(forms.Form):
    fs = forms.ChoiceField(choices=[(size, size) for size in "1234"], required=False)
    elder = forms.ChoiceField(choices=[("0", "0"), ("1", "1")], required=False)


class OutletsForm(OriginForm):
    """The search of outlets."""

    service = forms.ChoiceField(choices=[(one, one) for one in (*SERVICES, AT_ONCE)], required=False)
    open = forms.BooleanField(required=False)
    city = forms.RegexField(r"^\d{6}$", required=False)
    most = forms.IntegerField(required=False, min_value=1, max_value=100)

    def wanted(self) -> dict[str, Any]:
        given = super().wanted()
        return given | {"most": given["most"] or 20}
