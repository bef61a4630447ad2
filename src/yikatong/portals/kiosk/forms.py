"""What is touched and typed at the machine: digits and choices only."""

import re
from typing import Any, Final

from django import forms

from yikatong.core.clock import day_of, now
from yikatong.portals.shared.forms import TypedAnew
from yikatong.portals.shared.validity import NAMES as VALIDITY
from yikatong.portals.shared.validity import ValidityFields
from yikatong.registry.banks.models import Bank
from yikatong.registry.banks.terms import offered
from yikatong.registry.holders.certificates import check_character, normalise
from yikatong.registry.regions.models import Outlet

OUTLETS_MAX: Final = 8
_PAD = {"inputmode": "none", "autocomplete": "off", "spellcheck": "false", "data-pad": "", "class": "digits"}


#: Numbers that the pad of the screen can type: of eighteen characters, or a 台胞证 of eight digits.
_LENGTHS: Final = (18, 8)


class NumberForm(forms.Form):
    """A slip of the finger is told at once: nobody is to wait for a message that was never sent."""

    number = forms.CharField(
        label="证件号码或社会保障号码",
        max_length=18,
        error_messages={"required": "请输入证件号码"},
        widget=forms.TextInput(_PAD | {"data-x": ""}),
    )

    def clean_number(self) -> str:
        """What is wrong with the number itself tells nothing of whether anybody has it."""
        number = normalise(str(self.cleaned_data["number"]))
        if not re.fullmatch(r"[0-9]+X?", number):
            return number  # letters: not from the pad, a number of a kind of its own
        if len(number) not in _LENGTHS:
            raise forms.ValidationError(f"身份证件号码是 18 位，您输入了 {len(number)} 位，请对照证件核对")
        if len(number) == max(_LENGTHS) and check_character(number[:17]) != number[17]:
            raise forms.ValidationError("号码有一位不对（校验码不符），请对照证件逐位核对")
        return number


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^\d{6}$",
        label="短信验证码",
        error_messages={"required": "请输入短信验证码", "invalid": "短信验证码是 6 位数字"},
        widget=TypedAnew(_PAD | {"maxlength": "6"}),
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
