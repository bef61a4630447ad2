"""冻结 and 解冻 at the counter: a supervisor of the province records what an authority's paper orders."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from yikatong.core.actor import Actor
from yikatong.core.masking import mask_number
from yikatong.core.permissions import Permission
from yikatong.portals.counter.forms import MatterForm, Verified
from yikatong.portals.counter.matter import done, side
from yikatong.registry.banks import freezing
from yikatong.registry.banks.models import BankAccount, Hold
from yikatong.registry.holders.models import Holder

_PLAIN: Final = {"autocomplete": "off", "spellcheck": "false"}
_DAY: Final = {"invalid": "日期应为年、月、日，例如 2026-11-01"}
_STANDING: Final = ("asked", "held", "lifting")


class HoldForm(MatterForm):
    account = forms.ChoiceField(label="冻结哪个账户", widget=forms.RadioSelect)
    authority = forms.ChoiceField(
        label="有权机关", choices=[one for one in Hold.Authority.choices if one[0] != Hold.Authority.DEATH]
    )
    authority_name = forms.CharField(
        label="机关名称",
        max_length=60,
        help_text="与文书一致，持卡人可以看到。",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    document = forms.CharField(
        label="文书号",
        max_length=60,
        help_text="协助冻结通知书的编号。",
        widget=forms.TextInput(attrs=_PLAIN),
    )
    ordered_on = forms.DateField(
        label="文书日期", widget=forms.DateInput(attrs={"type": "date"}), error_messages=_DAY
    )
    until = forms.DateField(
        label="冻结期限至",
        required=False,
        help_text="文书写明期限的填写。",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages=_DAY,
    )
    reason = forms.CharField(label="事由", max_length=200, widget=forms.TextInput(attrs=_PLAIN))
    contact = forms.CharField(
        label="机关联系电话",
        max_length=30,
        required=False,
        help_text="持卡人有疑问时向谁询问。",
        widget=forms.TextInput(attrs=_PLAIN | {"inputmode": "tel"}),
    )
    verified = Verified("文书原件和两名执行人员的工作证件已核验")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = accounts_of(self.holder).exclude(status="closed") if self.holder else []
        self.choose("account", [(str(one.pk), _account_words(one)) for one in accounts])


class LiftForm(MatterForm):
    which = forms.ChoiceField(label="解除哪一项冻结", widget=forms.RadioSelect)
    document = forms.CharField(label="解冻文书号", max_length=60, widget=forms.TextInput(attrs=_PLAIN))
    reason = forms.CharField(label="事由", max_length=200, widget=forms.TextInput(attrs=_PLAIN))
    verified = Verified("解除冻结文书原件已核验")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        standing = holds_of(self.holder).filter(status__in=["asked", "held"]) if self.holder else []
        rows = [one for one in standing if one.authority != Hold.Authority.DEATH]
        self.choose("which", [(str(one.pk), f"{one}，{_account_words(one.account)}") for one in rows])


def accounts_of(holder: Holder) -> QuerySet[BankAccount]:
    return BankAccount.objects.filter(holder_id=holder.pk).select_related("bank").order_by("opened_at", "pk")


def holds_of(holder: Holder) -> QuerySet[Hold]:
    """What stands or is being lifted, the oldest first; the lifted after them is history."""
    rows = Hold.objects.filter(account__holder_id=holder.pk).select_related("account__bank")
    return rows.order_by("asked_at", "pk")


def standing_of(holder: Holder) -> QuerySet[Hold]:
    return holds_of(holder).filter(status__in=_STANDING)


def _account_words(account: BankAccount) -> str:
    return f"{account.bank.name} {mask_number(account.number)}（{account.get_status_display()}）"


def _hold(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    names = ("authority", "authority_name", "document", "ordered_on", "until", "reason", "contact")
    order = freezing.Order(**{name: given[name] for name in names})
    freezing.freeze(UUID(given["account"]), order, by=by, at=at)
    return done(holder, "hold")


def _lift(holder: Holder, given: dict[str, Any], *, by: Actor, at: datetime) -> str:
    words = {"document": given["document"], "reason": given["reason"]}
    freezing.unfreeze(UUID(given["which"]), **words, by=by, at=at)
    return done(holder, "lift")


def before_and_after(form: MatterForm) -> list[tuple[str, str, str]]:
    """What the order would change, thing by thing, once the form is filled in."""
    if form.holder is None or not (form.is_bound and form.is_valid()):
        return []
    given = form.cleaned_data
    if "which" in given:
        return _after_lifting(form.holder, given)
    account = accounts_of(form.holder).get(pk=given["account"])
    until = f"，至 {given['until']:%Y-%m-%d}" if given["until"] else "，至文书解除"
    return [
        ("金融账户状态", account.get_status_display(), f"冻结（银行确认后）{until}"),
        ("取款、转账、扣款", "按银行规定", "停止"),
        ("待遇和补贴发放", "发到该账户", "继续入账，不能支取"),
        ("社会保障功能、电子社保卡", "照常", "不受影响"),
        ("持卡人可以看到", "—", f"{given['authority_name']}，文书号 {given['document']}"),
    ]


def _after_lifting(holder: Holder, given: dict[str, Any]) -> list[tuple[str, str, str]]:
    hold = holds_of(holder).get(pk=given["which"])
    others = standing_of(holder).filter(account=hold.account).exclude(pk=hold.pk).count()
    after = f"仍冻结：另有 {others} 项冻结" if others else "银行确认后恢复冻结前的状态"
    return [("金融账户状态", hold.account.get_status_display(), after), ("本项冻结", str(hold), "解除")]


HOLDING: Final = (
    side(
        "hold",
        "账户冻结",
        HoldForm,
        _hold,
        {freezing.BadOrder: "document", freezing.HeldAlready: "document"},
        Permission.BANK_MANAGE,
    ),
    side("lift", "账户解冻", LiftForm, _lift, {freezing.BadOrder: "document"}, Permission.BANK_MANAGE),
)
