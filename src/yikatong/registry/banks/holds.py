"""冻结: an account is held, on whose authority, by which document, and until when."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import key_field


class Hold(models.Model):
    """冻结登记: one order to hold one account. Of several the account is free when the last is lifted.

    pii: that an authority holds an account; ground: statutory duty to assist; retention: ten years after lifting.
    """

    class Authority(models.TextChoices):
        COURT = "court", "人民法院"
        PROCURATORATE = "procuratorate", "人民检察院"
        POLICE = "police", "公安机关"
        SUPERVISION = "supervision", "监察机关"
        TAX = "tax", "税务机关"
        CUSTOMS = "customs", "海关"
        DEATH = "death", "死亡登记"  # the platform's own, by the agreement with the bank

    class Status(models.TextChoices):
        ASKED = "asked", "已通知银行，待确认"
        HELD = "held", "已冻结"
        REFUSED = "refused", "银行未办理"
        LIFTING = "lifting", "已通知银行解冻，待确认"
        LIFTED = "lifted", "已解冻"

    id = key_field()
    account = models.ForeignKey(
        "banks.BankAccount", models.PROTECT, related_name="holds", verbose_name="账户"
    )
    authority = models.CharField("有权机关", max_length=14, choices=Authority.choices)
    authority_name = models.CharField("机关名称", max_length=60)
    document = models.CharField("文书号", max_length=60)
    reason = models.CharField("事由", max_length=200)
    contact = models.CharField("机关联系电话", max_length=30, blank=True)
    ordered_on = models.DateField("文书日期")
    until = models.DateField("冻结期限（含）", null=True, blank=True)
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.ASKED)
    # An agreement may have a bank stop the account of one who has died instead of freezing it.
    is_stop = models.BooleanField("止付", default=False)
    request = models.ForeignKey(
        "banks.BankRequest", models.PROTECT, related_name="holds", verbose_name="冻结请求"
    )
    asked_at = models.DateTimeField("发起时间")
    asked_by = models.CharField("发起人", max_length=100)
    held_at = models.DateTimeField("冻结时间", null=True, blank=True)
    lift_request = models.ForeignKey(
        "banks.BankRequest",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="lifts",
        verbose_name="解冻请求",
    )
    lift_document = models.CharField("解冻文书号", max_length=60, blank=True)
    lift_reason = models.CharField("解冻事由", max_length=200, blank=True)
    lift_asked_at = models.DateTimeField("解冻发起时间", null=True, blank=True)
    lift_asked_by = models.CharField("解冻发起人", max_length=100, blank=True)
    lifted_at = models.DateTimeField("解冻时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "账户冻结"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "authority", "document"],
                condition=Q(status__in=["asked", "held", "lifting"]),
                name="hold_once_by_a_document",
            )
        ]
        indexes = [
            models.Index(
                fields=["account"],
                condition=Q(status__in=["asked", "held", "lifting"]),
                name="banks_hold_stands",
            )
        ]

    def __str__(self) -> str:
        return f"{self.authority_name} {self.document}"


HOLD_MOVES: dict[Hold.Status, frozenset[Hold.Status]] = {
    Hold.Status.ASKED: frozenset(
        {Hold.Status.HELD, Hold.Status.REFUSED, Hold.Status.LIFTING, Hold.Status.LIFTED}
    ),
    Hold.Status.HELD: frozenset({Hold.Status.LIFTING, Hold.Status.LIFTED}),
    Hold.Status.LIFTING: frozenset({Hold.Status.LIFTED, Hold.Status.HELD}),
    Hold.Status.REFUSED: frozenset(),
    Hold.Status.LIFTED: frozenset(),
}
#: The account is, or is about to be, held.
STANDING = (Hold.Status.ASKED, Hold.Status.HELD)
