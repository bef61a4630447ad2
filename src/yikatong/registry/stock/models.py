"""Blank cards, one row each, their moves, counts, and the printer's queue."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import key_field
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards.models import Case
from yikatong.registry.regions.models import Outlet


class Blank(models.Model):
    """空白卡: a card without a person yet, at an outlet. pii: none."""

    class Status(models.TextChoices):
        IN_STOCK = "in_stock", "在库"
        TAKEN = "taken", "制卡中"
        ISSUED = "issued", "已制成"
        SPOILED = "spoiled", "废卡"
        RETURNED = "returned", "已退回"
        MISSING = "missing", "短少"

    id = key_field()
    serial = models.CharField("空白卡号", max_length=16, unique=True)
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="+", verbose_name="网点")
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="+", verbose_name="银行")
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.IN_STOCK)

    class Meta:
        verbose_name = verbose_name_plural = "空白卡"
        indexes = [
            models.Index(
                fields=["outlet", "bank", "serial"], condition=Q(status="in_stock"), name="stock_blank_free"
            )
        ]

    def __str__(self) -> str:
        return self.serial


class BlankMove(models.Model):
    """One step of a blank; only inserted. `change` is what it does to the number of cards in the house. pii: none.

    Outlet and bank are the blank's own, here so that a day's balance reads nothing but its moves.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", "领入"
        TAKEN = "taken", "取用"
        ISSUED = "issued", "制成"
        SPOILED = "spoiled", "作废"
        RETURNED = "returned", "退回"
        MISSING = "missing", "短少核销"

    id = key_field()
    blank = models.ForeignKey(Blank, models.PROTECT, related_name="moves", verbose_name="空白卡")
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="+", db_index=False, verbose_name="网点")
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="+", db_index=False, verbose_name="银行")
    at = models.DateTimeField("时间")
    kind = models.CharField("事项", max_length=8, choices=Kind.choices)
    change = models.SmallIntegerField("增减")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="+", verbose_name="受理单")
    actor_name = models.CharField("经办", max_length=100)
    note = models.CharField("说明", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "空白卡流水"
        indexes = [
            models.Index(fields=["blank", "at"], name="stock_move_blank"),
            models.Index(
                fields=["outlet", "bank", "at"], include=["kind", "change"], name="stock_move_balance"
            ),
        ]


class PrintJob(models.Model):
    """A card to be printed while its holder waits. pii: none beyond the case's key."""

    class Status(models.TextChoices):
        QUEUED = "queued", "排队"
        PRINTING = "printing", "打印中"
        DONE = "done", "已制成"
        FAILED = "failed", "未制成"

    id = key_field()
    case = models.ForeignKey(Case, models.PROTECT, related_name="+", verbose_name="受理单")
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="+", verbose_name="网点")
    blank = models.ForeignKey(Blank, models.PROTECT, related_name="+", verbose_name="空白卡")
    card_number = models.CharField("卡号", max_length=9)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.QUEUED)
    spoiled = models.PositiveSmallIntegerField("废卡数", default=0)
    trouble = models.CharField("最近的问题", max_length=100, blank=True)
    created_at = models.DateTimeField("排入时间")
    started_at = models.DateTimeField("开始打印", null=True)
    ended_at = models.DateTimeField("结束时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "打印任务"
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(status__in=["queued", "printing"]), name="print_job_once"
            ),
            # One printer an outlet: one card at a time.
            models.UniqueConstraint(
                fields=["outlet"], condition=Q(status="printing"), name="print_one_at_once"
            ),
            models.UniqueConstraint(
                fields=["blank"], condition=Q(status__in=["queued", "printing"]), name="print_blank_once"
            ),
        ]
        indexes = [models.Index(fields=["outlet", "-created_at"], name="stock_print_outlet")]


class DayBalance(models.Model):
    """账面结转: how many lay in the house when a day began, carried forward by the count of that day.

    Balances are summed from the last one on, never from the beginning. pii: none.
    """

    id = key_field()
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="+", db_index=False, verbose_name="网点")
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="+", db_index=False, verbose_name="银行")
    day = models.DateField("日期")
    opening = models.PositiveIntegerField("期初")

    class Meta:
        verbose_name = verbose_name_plural = "空白卡结转"
        constraints = [models.UniqueConstraint(fields=["outlet", "bank", "day"], name="day_balance_once")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.opening}"


class DayCount(models.Model):
    """盘点: what a clerk counted at the end of a day, beside what the book says. pii: none."""

    id = key_field()
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="+", verbose_name="网点")
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="+", verbose_name="银行")
    day = models.DateField("日期")
    book = models.PositiveIntegerField("账面")
    counted = models.PositiveIntegerField("实盘")
    at = models.DateTimeField("时间")
    actor_name = models.CharField("盘点人", max_length=100)
    actor_id = models.UUIDField(null=True, editable=False)
    note = models.CharField("差异说明", max_length=100, blank=True)
    # 复核 by another person (四眼原则).
    confirmed_by = models.CharField("复核人", max_length=100, blank=True, default="", db_default="")
    confirmed_at = models.DateTimeField("复核时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "空白卡盘点"
        constraints = [models.UniqueConstraint(fields=["outlet", "bank", "day"], name="day_count_once")]
