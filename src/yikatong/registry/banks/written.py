"""书面答复: what a bank has answered on paper while its line was dead, and what its line says later."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, key_field


class WrittenAnswer(models.Model):
    """A bank's answer on paper to one request: recorded by one, confirmed by another.

    pii: account; ground: contract with the bank; retention: ten years.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        CONFIRMED = "confirmed", "已复核"
        DROPPED = "dropped", "已退回"

    id = key_field()
    request = models.ForeignKey(
        "banks.BankRequest", models.PROTECT, related_name="written", verbose_name="银行请求"
    )
    is_done = models.BooleanField("已办理")
    account_number = EncryptedTextField("账号", null=True, blank=True)  # of an opening
    account_status = models.CharField("账户状态", max_length=10, blank=True)
    document = models.CharField("银行文书号", max_length=60)
    reason = models.CharField("银行说明", max_length=100, blank=True)
    answered_on = models.DateField("答复日期")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.PROPOSED)
    recorded_at = models.DateTimeField("登记时间")
    recorded_by = models.CharField("登记人", max_length=100)
    recorded_by_id = models.UUIDField(null=True, editable=False)
    confirmed_at = models.DateTimeField("复核时间", null=True, blank=True)
    confirmed_by = models.CharField("复核人", max_length=100, blank=True)
    verified_at = models.DateTimeField("与电子应答核对一致", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行书面答复"
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=~Q(status="dropped"), name="written_answer_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["confirmed_at"],
                condition=Q(status="confirmed", verified_at__isnull=True),
                name="banks_written_unverified",
            )
        ]

    def __str__(self) -> str:
        return self.document


class Contradiction(models.Model):
    """答复不一致: a bank's line says later what its paper did not. Both stay; staff decide.

    pii: account; ground: contract with the bank; retention: ten years.
    """

    class Status(models.TextChoices):
        OPEN = "open", "待处理"
        KEPT = "kept", "以书面答复为准"
        TAKEN = "taken", "以电子应答为准"

    id = key_field()
    written = models.OneToOneField(
        WrittenAnswer, models.PROTECT, related_name="contradiction", verbose_name="书面答复"
    )
    is_done = models.BooleanField("电子应答为已办理")
    code = models.CharField("银行代码", max_length=10, blank=True)
    reason = models.CharField("银行说明", max_length=100, blank=True)
    account_number = EncryptedTextField("账号", null=True, blank=True)
    account_status = models.CharField("账户状态", max_length=10, blank=True)
    answered_at = models.DateTimeField("电子应答时间")
    found_at = models.DateTimeField("发现时间")
    status = models.CharField("状态", max_length=6, choices=Status.choices, default=Status.OPEN)
    note = models.CharField("处理说明", max_length=200, blank=True)
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)
    settled_by = models.CharField("处理人", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行答复不一致"

    def __str__(self) -> str:
        return str(self.written)
