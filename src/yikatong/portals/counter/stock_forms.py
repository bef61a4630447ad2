"""What is filled in about blank cards."""

from typing import Any

from django import forms

from yikatong.core.actor import Actor
from yikatong.portals.shared.forms import DeskForm
from yikatong.registry.banks.models import Bank
from yikatong.registry.outlets.rules import WAITING_MOST, WINDOWS_MOST
from yikatong.registry.stock.rules import PACK_MOST

HELD_MOST = 999_999  # six digits fill a drawer many times over
_SERIAL = {"inputmode": "numeric", "autocomplete": "off", "class": "num"}


class StockForm(DeskForm):
    """A form of stock; a bank's clerk keeps his own bank's cards only."""

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("bank_code")
        if isinstance(field, forms.ChoiceField):
            banks = Bank.objects.order_by("code").values_list("code", "name")
            field.choices = list(banks.filter(code=by.bank) if by.bank else banks)


class PackForm(StockForm):
    first = forms.CharField(label="起始空白卡号", max_length=16, widget=forms.TextInput(attrs=_SERIAL))
    count = forms.IntegerField(
        label="张数", min_value=1, max_value=PACK_MOST, widget=forms.NumberInput(attrs={"class": "num"})
    )


class ReceiveForm(PackForm):
    bank_code = forms.ChoiceField(label="合作银行")
    field_order = ("bank_code", "first", "count")


class SpoilForm(StockForm):
    serial = forms.CharField(label="空白卡号", max_length=16, widget=forms.TextInput(attrs=_SERIAL))
    reason = forms.CharField(
        label="作废原因", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class MissingForm(StockForm):
    serial = forms.CharField(label="空白卡号", max_length=16, widget=forms.TextInput(attrs=_SERIAL))
    reason = forms.CharField(
        label="核销说明", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class CountForm(StockForm):
    bank_code = forms.ChoiceField(label="合作银行")
    counted = forms.IntegerField(
        label="实盘张数", min_value=0, max_value=HELD_MOST, widget=forms.NumberInput(attrs={"class": "num"})
    )
    note = forms.CharField(
        label="差异说明", max_length=100, required=False, help_text="实盘与账面不符时必填。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class QueueForm(DeskForm):
    waiting = forms.IntegerField(
        label="等候人数",
        min_value=0,
        max_value=WAITING_MOST,
        widget=forms.NumberInput(attrs={"class": "num"}),
    )
    windows = forms.IntegerField(
        label="开放窗口", min_value=0, max_value=WINDOWS_MOST, required=False,
        widget=forms.NumberInput(attrs={"class": "num"}),
    )  # fmt: skip
