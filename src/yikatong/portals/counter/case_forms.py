"""What is filled in about a case under way: what to correct, what was corrected, the fee, a supervisor's order."""

from typing import Any, Final
from uuid import UUID

from django import forms

from yikatong.core.clock import day_of, now
from yikatong.portals.counter.forms import MatterForm, Verified, outlets, waivers
from yikatong.registry.banks.terms import offered
from yikatong.registry.cards.actions import Answers
from yikatong.registry.cards.models import Case, Correction

Item = Correction.Item

_HINTS: Final = {
    Item.BANK: "例如：所选银行已暂停新增，请另选。",
    Item.OUTLET: "例如：网点暂停服务，请另选。",
    Item.ADDRESS: "例如：缺少门牌号。",
    Item.GROUND: "例如：请说明在本省就业的单位。",
    Item.PHONE: "须到窗口补正。",
    Item.CERTIFICATE: "须到窗口补正。",
    Item.PHOTO: "须到窗口补正。",
    Item.GUARDIAN: "须到窗口补正。",
    Item.OTHER: "须到窗口补正，请写明材料名称。",
}


class AskForm(MatterForm):
    """One line an item: what is filled in is wanted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for item in Item:
            self.fields[item.value] = forms.CharField(
                label=item.label,
                max_length=200,
                required=False,
                help_text=_HINTS[item],
                widget=forms.TextInput(attrs={"autocomplete": "off"}),
            )

    def wanted(self) -> dict[str, str]:
        return {name: text for name, text in self.cleaned_data.items() if text}


class CorrectForm(MatterForm):
    """A field for each item still open; of those not brought today nothing is filled in."""

    quiet = ("verified",)
    verified = Verified("已核对本人或代办人身份，原件已核验")

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in case.corrections.filter(answered_at=None):
            self.fields[one.item] = self._field(Item(one.item), one.wanted)
        self.order_fields([*(name for name in self.fields if name != "verified"), "verified"])

    def _field(self, item: Item, wanted: str) -> forms.Field:
        words: dict[str, Any] = {"label": item.label, "help_text": f"要求：{wanted}", "required": False}
        if item == Item.BANK:
            banks = offered(day_of(now())).values_list("code", "name")
            return forms.ChoiceField(choices=[("", "未补正"), *banks], **words)
        if item == Item.OUTLET:
            return forms.ChoiceField(choices=[("", "未补正"), *outlets(self.by)], **words)
        return forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}), **words)

    def given(self) -> Answers:
        data = self.cleaned_data
        named = {Item.BANK, Item.OUTLET, Item.ADDRESS, Item.GROUND}
        return Answers(
            bank_code=data.get(Item.BANK) or "",
            outlet_id=UUID(data[Item.OUTLET]) if data.get(Item.OUTLET) else None,
            address=data.get(Item.ADDRESS) or "",
            ground=data.get(Item.GROUND) or "",
            seen={item: data[item] for item in set(Item) - named if data.get(item)},
        )


class FeeForm(MatterForm):
    receipt = forms.CharField(
        label="收据号",
        max_length=30,
        help_text="财政票据或非税收入收据上的号码。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "num", "autofocus": True}),
    )


class WaiveForm(MatterForm):
    ground = forms.ChoiceField(label="免收依据", widget=forms.RadioSelect)
    note = forms.CharField(
        label="说明",
        max_length=100,
        required=False,
        help_text="依据不是优待类别的，写明文件名称或情况。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("ground", [*waivers()])


class OrderForm(MatterForm):
    order = forms.CharField(
        label="督办意见",
        max_length=200,
        help_text="承办人员和申请人都可以看到。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
