"""Tables of production 制卡: batches between the platform, a bank and the card maker."""

from django.db import models

from yikatong.core.fields import IndexField, key_field
from yikatong.registry.banks.models import Bank
from yikatong.registry.cards.models.case import Case


class Batch(models.Model):
    """制卡批次 of one bank: pre-opening file out and back, production file out, return file in. pii: none."""

    class Status(models.TextChoices):
        OPEN = "open", "待银行预开户"
        PREOPENED = "preopened", "待送制卡"
        PRODUCING = "producing", "制卡中"
        RETURNED = "returned", "已回盘"

    id = key_field()
    number = models.CharField("批次号", max_length=20, unique=True)
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="+", verbose_name="银行")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.OPEN)
    rows = models.PositiveIntegerField("件数", default=0)
    created_at = models.DateTimeField("建立时间")
    # SM3 of the files taken, so that the same file again is known, and another one refused.
    opening_digest = IndexField(max_length=32, null=True, blank=True, editable=False)
    return_digest = IndexField(max_length=32, null=True, blank=True, editable=False)
    returned_at = models.DateTimeField("回盘时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "制卡批次"

    def __str__(self) -> str:
        return self.number


class BatchRow(models.Model):
    """A case in a batch, and what became of it, card by card. pii: none beyond the case's key."""

    class Result(models.TextChoices):
        PENDING = "pending", "等待"
        MADE = "made", "成功"
        FAILED = "failed", "失败"

    id = key_field()
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="lines", verbose_name="批次")
    number = models.PositiveIntegerField("序号")
    case = models.ForeignKey(Case, models.PROTECT, related_name="batch_rows", verbose_name="受理单")
    card_number = models.CharField("卡号", max_length=9, blank=True)  # given when production begins
    result = models.CharField("结果", max_length=8, choices=Result.choices, default=Result.PENDING)
    failed_step = models.CharField("失败环节", max_length=10, blank=True)  # 银行 / 制卡
    failure = models.CharField("失败原因", max_length=100, blank=True)
    box = models.CharField("箱号", max_length=20, blank=True)
    position = models.PositiveSmallIntegerField("箱内位置", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "制卡明细"
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_row_number"),
            models.UniqueConstraint(fields=["batch", "case"], name="batch_row_case"),
        ]
        indexes = [
            models.Index(
                fields=["box", "position"],
                condition=models.Q(position__isnull=False),
                name="cards_row_box",
            )
        ]
