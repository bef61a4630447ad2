"""What the console asks about banks: agreements, their end, and answers on paper."""

from datetime import timedelta
from typing import Any, Final

from django import forms

from yikatong.portals.shared.forms import DeskForm
from yikatong.registry.banks.models import Agreement, BankAccount, BankAct, BankRequest
from yikatong.registry.regions.models import Outlet

_PLAIN: Final = {"autocomplete": "off", "spellcheck": "false"}
_DAY: Final = {"invalid": "日期应为年、月、日，例如 2026-11-01"}


def _day(label: str, **more: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, widget=widget, error_messages=_DAY, **more)


class AgreementForm(DeskForm):
    number = forms.CharField(label="协议编号", max_length=40, widget=forms.TextInput(attrs=_PLAIN))
    valid_from = _day("生效日期")
    valid_until = _day("有效期至", help_text="与协议一致，这一天仍然有效。")
    promises = forms.MultipleChoiceField(
        label="银行承诺",
        required=False,
        choices=[
            ("opens_accounts", "为新卡开户"),
            ("keeps_account", "换卡不换号"),
            ("joint_loss", "联动挂失"),
            ("is_online", "联机办理：开户、激活、换卡、冻结"),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    on_death = forms.ChoiceField(
        label="持卡人死亡时的账户", choices=Agreement.OnDeath.choices, widget=forms.RadioSelect
    )
    delivers_by = forms.IntegerField(
        label="账户状态日报：次日几时前",
        required=False,
        min_value=0,
        max_value=23,
        help_text="0 至 23 时；不填为没有约定。",
    )
    matters = forms.MultipleChoiceField(
        label="委托业务",
        required=False,
        choices=Agreement.Matter.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    outlets = forms.MultipleChoiceField(
        label="委托网点",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="只有这里选中的网点可以办理委托业务。",
    )
    on_time_percent = forms.IntegerField(
        label="按时办结率不低于（%）", required=False, min_value=0, max_value=100
    )
    sent_back_percent = forms.IntegerField(
        label="退回率不高于（%）", required=False, min_value=0, max_value=100
    )
    median_days = forms.IntegerField(
        label="制卡用时中位数不超过（天）", required=False, min_value=1, max_value=90
    )

    def __init__(self, *args: Any, bank: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = Outlet.objects.filter(is_open=True, organisation__code__endswith=f"-bank-{bank}")
        others = Outlet.objects.filter(is_open=True, organisation__kind="bank")
        rows = (kept if kept.exists() else others).order_by("number").values_list("pk", "name")
        self.fields["outlets"].choices = [(str(key), name) for key, name in rows]  # type: ignore[attr-defined]

    def entry(self) -> dict[str, Any]:
        """The keywords of `agreeing.draft`."""
        given = dict(self.cleaned_data)
        chosen = set(given.pop("promises"))
        flags = {
            name: name in chosen for name in ("opens_accounts", "keeps_account", "joint_loss", "is_online")
        }
        plain = ("on_death", "delivers_by", "matters", "on_time_percent", "sent_back_percent", "median_days")
        head = {name: given[name] for name in ("number", "valid_from", "valid_until", "outlets")}
        head["valid_until"] += timedelta(days=1)  # half-open, as everywhere
        return head | {"promises": flags | {name: given[name] for name in plain}}


class EndForm(DeskForm):
    on = _day("终止日期", help_text="从这一天起不再受理新卡；已经发放的卡不受影响。")
    reason = forms.CharField(label="终止原因", max_length=200, widget=forms.TextInput(attrs=_PLAIN))


class PaperForm(DeskForm):
    """A bank's answer on paper to one request."""

    outcome = forms.ChoiceField(
        label="银行答复", choices=[("done", "已办理"), ("refused", "不予办理")], widget=forms.RadioSelect
    )
    status = forms.ChoiceField(label="办理后的账户状态", required=False)
    account = forms.CharField(
        label="新开账号",
        max_length=19,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN | {"class": "num"}),
    )
    document = forms.CharField(
        label="银行文书号",
        max_length=60,
        help_text="回函或传真的编号。",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    answered_on = _day("答复日期")
    reason = forms.CharField(
        label="银行说明", max_length=100, required=False, widget=forms.TextInput(attrs=_PLAIN)
    )

    def __init__(self, *args: Any, request: BankRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if request.act == BankAct.OPEN:
            del self.fields["status"]
        else:
            del self.fields["account"]
            choices = [("", "请选择"), *BankAccount.Status.choices]
            self.fields["status"].choices = choices  # type: ignore[attr-defined]


class DecideForm(DeskForm):
    how = forms.ChoiceField(
        label="以哪个为准",
        choices=[("keep", "以书面答复为准"), ("take", "以电子应答为准")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="核对经过",
        max_length=200,
        help_text="与银行谁、何时核对。",
        widget=forms.TextInput(attrs=_PLAIN),
    )
