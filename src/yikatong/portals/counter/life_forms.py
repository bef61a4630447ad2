"""What is filled in when something happens to a person: names, numbers, places, and the end."""

from typing import Any

from django import forms

from yikatong.core.clock import day_of
from yikatong.portals.counter.forms import SCAN, MatterForm, Scanned, Verified, counties
from yikatong.portals.shared.validity import NAMES as VALIDITY
from yikatong.portals.shared.validity import ValidityFields
from yikatong.registry.cards.rules import CancelReason

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_DAY = {"invalid": "日期应为年、月、日，例如 2026-11-01"}


class EventForm(MatterForm):
    """Every change rests on a document."""

    evidence = forms.CharField(
        label="依据材料",
        max_length=100,
        help_text="材料名称和编号，持卡人可以看到。",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    verified = Verified("依据材料原件已核验")


class NameForm(EventForm):
    name = forms.CharField(
        label="新姓名",
        max_length=80,
        strip=False,
        help_text="与新证件一致；少数民族姓名用间隔号“·”。",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    field_order = ("name", "evidence", "verified")


class NumberForm(ValidityFields, EventForm):
    number = forms.CharField(
        label="新证件号码", max_length=40, widget=Scanned(attrs=SCAN | {"data-enter": "next"})
    )
    field_order = ("number", *VALIDITY, "evidence", "verified")


class MoveForm(EventForm):
    division_code = forms.ChoiceField(label="现所在县（市、区）")
    address = forms.CharField(
        label="现通讯地址", max_length=120, required=False, widget=forms.TextInput(attrs=_PLAIN)
    )
    field_order = ("division_code", "address", "evidence", "verified")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("division_code", [("", "请选择"), *counties(self.by)])


class DeathForm(EventForm):
    on = forms.DateField(
        label="死亡日期", widget=forms.DateInput(attrs={"type": "date"}), error_messages=_DAY
    )
    verified = Verified("死亡证明或户籍注销证明已核验，已告知卡、码同时停用")
    field_order = ("on", "evidence", "verified")


class LeavingForm(EventForm):
    reason = forms.ChoiceField(
        label="迁出原因",
        choices=[(one.value, one.label) for one in (CancelReason.EMIGRATED, CancelReason.MOVED)],
        widget=forms.RadioSelect,
    )
    verified = Verified("身份证件和依据材料已核验，已告知卡、码同时停用")
    field_order = ("reason", "evidence", "verified")


class ReasonedForm(MatterForm):
    reason = forms.CharField(label="原因", max_length=100, help_text="持卡人可以看到。")


class RestoreForm(ReasonedForm):
    verified = Verified("本人到场，身份证件与本人一致")


class MergeForm(ReasonedForm):
    number = forms.CharField(
        label="并入的另一登记的证件号码或社会保障号码",
        max_length=40,
        widget=Scanned(attrs=SCAN | {"data-enter": "next"}),
    )
    evidence = forms.CharField(label="依据材料", max_length=100, widget=forms.TextInput(attrs=_PLAIN))
    verified = Verified("两条登记的证件都已核验，确属同一人")
    field_order = ("number", "evidence", "reason", "verified")


class UnmergeForm(ReasonedForm):
    which = forms.ChoiceField(label="撤销哪一次合并", widget=forms.RadioSelect)
    verified = Verified("已核实两条登记不是同一人")
    field_order = ("which", "reason", "verified")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = self.holder.merges.filter(undone_at=None).order_by("-at") if self.holder else []
        self.choose(
            "which", [(str(one.pk), f"{day_of(one.at)} {one.actor_name}：{one.reason}") for one in rows]
        )
