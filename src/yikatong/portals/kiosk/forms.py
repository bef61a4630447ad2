"""What is touched and typed at the machine: digits and choices only."""

from typing import Any, Final

from django import forms

from yikatong.core.clock import day_of, now
from yikatong.portals.shared.validity import NAMES as VALIDITY
from yikatong.portals.shared.validity import ValidityFields
from yikatong.registry.banks.models import Bank
from yikatong.registry.banks.terms import offered
from yikatong.registry.regions.models import Outlet

OUTLETS_MAX: Final = 8
_PAD = {"inputmode": "none", "autocomplete": "off", "spellcheck": "false", "data-pad": "", "class": "digits"}


class NumberForm(forms.Form):
    number = forms.CharField(
        label="证件号码或社会保障号码",
        max_length=18,
        error_messages={"required": "请输入证件号码"},
        widget=forms.TextInput(_PAD | {"data-x": ""}),
    )


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^\d{6}$",
        label="短信验证码",
        error_messages={"required": "请输入短信验证码", "invalid": "短信验证码是 6 位数字"},
        widget=forms.TextInput(_PAD | {"maxlength": "6"}),
    )


class ScanForm(forms.Form):
    text = forms.CharField(label="扫到的码", max_length=600)


class LossForm(forms.Form):
    kind = forms.ChoiceField(
        choices=[("temporary", "临时挂失"), ("formal", "正式挂失")],
        error_messages={"required": "请选择挂失方式", "invalid_choice": "请选择挂失方式"},
    )


class ApplyForm(ValidityFields):
    """A free choice of the bank: none is chosen beforehand (Guangdong art. 5)."""

    field_order = ("bank", "outlet", *VALIDITY)

    bank = forms.ModelChoiceField(
        label="合作银行",
        queryset=Bank.objects.none(),
        error_messages={"required": "请选择一家合作银行", "invalid_choice": "请选择列表中的银行"},
    )
    outlet = forms.ChoiceField(
        label="领卡网点",
        error_messages={"required": "请选择领卡网点", "invalid_choice": "请选择列表中的网点"},
    )

    def __init__(self, *args: Any, division_code: str, ask_validity: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in VALIDITY if not ask_validity else ():
            del self.fields[name]
        self.fields["bank"].queryset = offered(day_of(now()))  # type: ignore[attr-defined]
        near = Outlet.objects.filter(is_open=True, division_code__startswith=division_code[:4])
        self.outlets = list(near.order_by("number")[:OUTLETS_MAX])
        field = self.fields["outlet"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [(str(one.pk), one.name) for one in self.outlets]
