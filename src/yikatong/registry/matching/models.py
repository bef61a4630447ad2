"""How far each source has been compared, and what differs."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, key_field
from yikatong.registry.holders.models import Holder


class SourceRun(models.Model):
    """比对进度 of one source: rounds through the whole holder base, a slice at a time, and its changes as they come.

    pii: none.
    """

    class Failure(models.TextChoices):
        AWAY = "away", "不通"
        SILENT = "silent", "无应答"
        UNFIT = "unfit", "应答不合约定"

    source = models.CharField("来源", max_length=12, primary_key=True)
    position = models.UUIDField("已比对到", null=True, blank=True)  # the last holder; none: a round begins
    rounds = models.PositiveIntegerField("已完成轮数", default=0)
    compared = models.BigIntegerField("已比对人次", default=0)
    differing = models.BigIntegerField("发现差异", default=0)
    compared_at = models.DateTimeField("最近比对", null=True, blank=True)
    cursor = models.CharField("变更已读到", max_length=100, blank=True)
    changed = models.BigIntegerField("变更人次", default=0)
    answered_at = models.DateTimeField("最近应答", null=True, blank=True)
    behind_since = models.DateTimeField(
        "中断自", null=True, blank=True
    )  # the first failure since the last answer
    failure = models.CharField("最近失败", max_length=100, blank=True)
    failure_kind = models.CharField("失败种类", max_length=6, choices=Failure.choices, blank=True)
    failed_at = models.DateTimeField("失败时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "比对进度"


class Issue(models.Model):
    """数据质量问题: one field in which a source differs from us, with both values (Ningxia art. 13).

    pii: both values, encrypted; ground: statutory duty of accuracy (PIPL art. 8); retention: five years.
    """

    class Field(models.TextChoices):
        PERSON = "person", "是否有此人"
        NAME = "name", "姓名"
        PHONE = "phone", "手机号码"
        DIVISION = "division", "所在区划"
        DEATH = "death", "死亡日期"
        INSURED = "insured", "是否参保"
        VALIDITY = "validity", "证件有效期"

    class Status(models.TextChoices):
        OPEN = "open", "待核实"
        ASKED = "asked", "待本人核实"
        KEPT = "kept", "保留本库"
        TAKEN = "taken", "采用来源"
        AGREED = "agreed", "已经一致"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="issues", verbose_name="持卡人")
    source = models.CharField("来源", max_length=12)
    field = models.CharField("项目", max_length=10, choices=Field.choices)
    ours = EncryptedTextField("本库")
    theirs = EncryptedTextField("来源值")
    division_code = models.CharField("所在区划", max_length=9)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField("发现时间")
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)
    settled_by = models.CharField("处理人", max_length=100, blank=True)
    note = models.CharField("处理说明", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "数据质量问题"
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "source", "field"],
                condition=Q(status__in=["open", "asked"]),
                name="issue_once_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["status", "division_code", "opened_at"], name="matching_issue_list")]

    def __str__(self) -> str:
        return self.get_field_display()


class Inquiry(models.Model):
    """核验: a person who is being served is asked for at a source, at once or as soon as it answers. pii: none."""

    class Status(models.TextChoices):
        WAITING = "waiting", "待核验"
        AGREES = "agrees", "一致"
        DIFFERS = "differs", "有差异"
        UNKNOWN = "unknown", "查无此人"
        DROPPED = "dropped", "不再核验"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="inquiries", verbose_name="持卡人")
    source = models.CharField("来源", max_length=12)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.WAITING)
    wanted_at = models.DateTimeField("发起时间")
    answered_at = models.DateTimeField("应答时间", null=True, blank=True)
    tries = models.PositiveIntegerField("次数", default=0)
    next_try_at = models.DateTimeField("下次核验")
    trouble = models.CharField("最近的问题", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "核验"
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "source"], condition=Q(status="waiting"), name="inquiry_one_waiting"
            )
        ]
        indexes = [
            models.Index(
                fields=["source", "next_try_at"], condition=Q(status="waiting"), name="matching_inquiry_due"
            ),
            models.Index(fields=["holder", "-wanted_at"], name="matching_inquiry_holder"),
        ]


Status = Issue.Status
ISSUE_MOVES: dict[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.ASKED, Status.KEPT, Status.TAKEN, Status.AGREED}),
    Status.ASKED: frozenset({Status.KEPT, Status.TAKEN, Status.AGREED}),
    Status.KEPT: frozenset(),
    Status.TAKEN: frozenset(),
    Status.AGREED: frozenset(),
}
UNSETTLED = (Status.OPEN, Status.ASKED)
