"""What the console asks for."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet

from yikatong.core.clock import BEIJING
from yikatong.core.looks import Asked
from yikatong.core.models import AuditEntry, StaffUser
from yikatong.portals.shared.forms import DeskForm
from yikatong.registry.access.models import Terminal
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards.rules import ROSTER_KINDS
from yikatong.registry.catalogue import queries as places
from yikatong.registry.catalogue.models import Place
from yikatong.registry.matching.models import Issue
from yikatong.registry.matching.source import sources

PLACES_SHOWN = 5
LOOKS_DAYS = 31
RETURN_BYTES = 20 * 1024 * 1024
STAFF_SHOWN = 10
SCENES = [(1, "通用"), (2, "就医"), (3, "乘车"), (4, "入园")]


class RosterForm(DeskForm):
    kind = forms.ChoiceField(
        label="由谁申请",
        choices=[(one.value, one.label) for one in ROSTER_KINDS],
        initial=ROSTER_KINDS[0].value,
        required=False,
    )
    applicant = forms.CharField(
        label="申请单位", max_length=100, required=False, help_text="单位、学校或社区的名称；不填为上传单位。"
    )
    file = forms.FileField(
        label="名册文件", help_text="xlsx 或 CSV（UTF-8、GB 18030），首行为列名，最多 20 万行"
    )


class ReturnFileForm(DeskForm):
    file = forms.FileField(
        label="回盘文件", help_text="银行或制卡商返回的文本文件；重复上传同一文件不会有影响"
    )

    def clean_file(self) -> Any:
        """Read whole into memory, so it is bounded: a batch has 20 000 rows of some hundred bytes."""
        file = self.cleaned_data["file"]
        if (file.size or 0) > RETURN_BYTES:
            raise forms.ValidationError("回盘文件超过 20 MB，请核对是否选错文件。")
        return file


class OpenBatchForm(DeskForm):
    bank = forms.ChoiceField(label="合作银行")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank"].choices = Bank.objects.order_by("code").values_list("code", "name")  # type: ignore[attr-defined]


class TerminalForm(DeskForm):
    number = forms.IntegerField(
        label="终端编号",
        required=False,
        min_value=10**11,
        max_value=10**12 - 1,
        help_text="12 位：区划 6 位加顺序号 6 位；留空则按场所所在区划编下一个号",
    )
    name = forms.CharField(label="名称", max_length=60)
    kind = forms.ChoiceField(label="类别", choices=Terminal.Kind.choices)
    place = forms.CharField(
        label="场所", max_length=60, help_text="场所编号，或名称中的几个字；同名的会列出编号供选择"
    )
    scenes = forms.TypedMultipleChoiceField(
        label="可验场景", choices=SCENES, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def clean_place(self) -> Place:
        text = self.cleaned_data["place"]
        found = list(Place.objects.filter(is_open=True, number=text)) or places.in_order(
            places.find(text=text, name_only=True)[: PLACES_SHOWN + 1]
        )
        if not found:
            raise forms.ValidationError("没有找到这个场所，请核对编号或名称。")
        if len(found) > 1:
            named = "、".join(f"{one.name} {one.number}" for one in found[:PLACES_SHOWN])
            more = " 等" if len(found) > PLACES_SHOWN else ""
            raise forms.ValidationError(f"有多个场所符合：{named}{more}。请填写其中一个编号。")
        return found[0]

    def register_entry(self) -> dict[str, Any]:
        """The keywords of `access.actions.register_terminal`; the owner is who keeps the place."""
        entry = dict(self.cleaned_data)
        place = entry.pop("place")
        return entry | {"place_id": place.id, "owner_id": place.keeper_id}


class StopForm(DeskForm):
    reason = forms.CharField(label="原因", max_length=100)


class TerminalFilter(forms.Form):
    text = forms.CharField(label="编号或名称", required=False, max_length=60)
    status = forms.ChoiceField(label="状态", required=False, choices=[("", "全部"), *Terminal.Status.choices])

    def apply(self, found: QuerySet[Terminal]) -> QuerySet[Terminal]:
        if not self.is_valid():
            return found.none()
        text, status = self.cleaned_data["text"], self.cleaned_data["status"]
        if status:
            found = found.filter(status=status)
        if text:
            by_number = Q(number=int(text)) if text.isdecimal() and len(text) <= 12 else Q()
            found = found.filter(
                Q(name__icontains=text) | by_number if by_number else Q(name__icontains=text)
            )
        return found


class AuditFilter(forms.Form):
    event = forms.CharField(label="事件代码", required=False, max_length=80)
    actor = forms.CharField(label="人员", required=False, max_length=100)
    since = forms.DateField(label="自", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="至", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    @property
    def has_period(self) -> bool:
        return self.is_valid() and all(_sane(self.cleaned_data[name]) for name in ("since", "until"))

    def apply(self, found: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if not self.is_valid():
            return found.none()
        if event := self.cleaned_data["event"]:
            found = found.filter(event__startswith=event)
        if actor := self.cleaned_data["actor"]:
            found = found.filter(actor_name=actor)
        since, until = (_sane(self.cleaned_data[name]) for name in ("since", "until"))
        if since and until and until < since:
            since, until = until, since
        if since:
            found = found.filter(at__gte=_midnight(since))
        return found.filter(at__lt=_midnight(until) + timedelta(days=1)) if until else found


class NumberForm(DeskForm):
    number = forms.CharField(
        label="持卡人证件号码",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "num"}),
    )


class LookFilter(forms.Form):
    """A strange value is no filter."""

    since = forms.DateField(label="自", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="至", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    looker = forms.CharField(label="查询人（姓名或工号）", required=False, max_length=100)
    organisation = forms.CharField(
        label="单位", required=False, max_length=100, widget=forms.TextInput(attrs={"list": "organisations"})
    )
    holder = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def asked(self, today: date, region: str) -> Asked:
        """The days asked for, else today; of one holder the last month. Never more than a month at once."""
        self.is_valid()
        given = self.cleaned_data
        since, until = self._days(today, month=bool(given.get("holder")))
        looker, ids = _staff(given.get("looker") or "")
        organisation = given.get("organisation") or ""
        return Asked(since, until, region, looker, ids, organisation, given.get("holder"))

    def _days(self, today: date, *, month: bool) -> tuple[date, date]:
        since, until = (_sane(self.cleaned_data.get(name)) for name in ("since", "until"))
        if since and until:
            since, until = min(since, until), max(since, until)
        elif since:
            until = max(since, min(today, since + timedelta(days=LOOKS_DAYS - 1)))
        until = until or today
        since = since or (until - timedelta(days=LOOKS_DAYS - 1) if month else until)
        self.was_cut = (until - since).days >= LOOKS_DAYS
        return max(since, until - timedelta(days=LOOKS_DAYS - 1)), until


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, BEIJING)


def _sane(day: date | None) -> date | None:
    return day if day and 1970 <= day.year < 9999 else None


def _staff(text: str) -> tuple[str, tuple[UUID, ...]]:
    """A name as it stands in the log; for a staff number, the name and key of who has it."""
    found = list(StaffUser.objects.filter(staff_number=text)[:STAFF_SHOWN]) if text else []
    names = {one.display_name for one in found}
    return (names.pop(), tuple(one.id for one in found)) if len(names) == 1 else (text, ())


class IssueFilter(DeskForm):
    """Which differences to see: those still to be settled, unless asked otherwise."""

    status = forms.ChoiceField(
        label="状态",
        choices=[*Issue.Status.choices, ("all", "全部")],
        required=False,
        initial=Issue.Status.OPEN,
    )
    source = forms.ChoiceField(label="来源", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wired = [(key, one.label) for key, one in sources().items()]
        self.fields["source"].choices = [("", "全部"), *wired]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, str]:
        """Arguments of `matching.queries.visible`."""
        if not self.is_bound or not self.is_valid():
            return {"status": Issue.Status.OPEN, "source": ""}
        status = self.cleaned_data["status"] or Issue.Status.OPEN
        return {"status": "" if status == "all" else status, "source": self.cleaned_data["source"]}


class SettleForm(DeskForm):
    how = forms.ChoiceField(
        label="怎样处理",
        choices=[("keep", "保留本库数据"), ("take", "采用来源数据"), ("ask", "都不确定，请本人核实")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="核实经过", max_length=100, help_text="持卡人可以看到。")
