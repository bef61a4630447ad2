"""合作银行 and the accounts behind the cards."""

from datetime import datetime, timedelta

from django.db import models

from yikatong.core.fields import EncryptedTextField, IndexField, key_field


class Bank(models.Model):
    """A co-operating bank of the province's profile; what it does and until when, its agreements say. pii: none.

    `accepts_new` is the authority's own word: false while new cards are suspended there (Guangdong art. 20).
    """

    code = models.CharField("银行编号", primary_key=True, max_length=5)
    name = models.CharField("名称", max_length=60)
    short_name = models.CharField("简称", max_length=20)
    bin = models.CharField("卡号前缀", max_length=8)
    hotline = models.CharField("客服电话", max_length=20)
    accepts_new = models.BooleanField("受理新卡", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "合作银行"

    def __str__(self) -> str:
        return self.name


class BankAccount(models.Model):
    """The account of a card's bank half. Its status moves apart from the card's.

    pii: financial account; ground: contract with the bank, statutory payout; retention: ten years after closing.
    """

    class Status(models.TextChoices):
        PREOPENED = "preopened", "未激活"
        ACTIVE = "active", "已激活"
        LOST = "lost", "已挂失"
        FROZEN = "frozen", "冻结"
        CLOSED = "closed", "销户"

    id = key_field()
    holder_id = models.UUIDField("持卡人", db_index=True)
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="accounts", verbose_name="银行")
    number = EncryptedTextField("账号")
    number_index = IndexField(unique=True)
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.PREOPENED)
    opened_at = models.DateTimeField("开户时间")
    activated_at = models.DateTimeField("激活时间", null=True, blank=True)
    closed_at = models.DateTimeField("销户时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行账户"

    def __str__(self) -> str:
        return str(self.id)


class BankAct(models.TextChoices):
    """What a bank is asked to do; the value is the word on the line."""

    OPEN = "open", "开户"
    ACTIVATE = "activate", "激活"
    REPORT_LOSS = "report_loss", "挂失"
    RELEASE = "release", "解挂"
    CHANGE_CARD = "change_card", "换卡"
    FREEZE = "freeze", "冻结"
    UNFREEZE = "unfreeze", "解冻"
    CLOSE = "close", "销户"
    RENAME = "rename", "客户信息变更"
    END_CARD = "end_card", "卡片注销"


class BankRequest(models.Model):
    """What a bank is asked, written with the act that needs it and sent after it; never lost, never done twice.

    pii: certificate and name (opening), account; ground: contract with the bank; retention: ten years.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "待发送"
        UNKNOWN = "unknown", "结果待查"
        DONE = "done", "已办理"
        REFUSED = "refused", "银行拒绝"

    id = key_field()
    number = models.CharField("请求号", max_length=24, unique=True)
    serial = models.BigIntegerField("顺序", unique=True, editable=False)
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="requests", verbose_name="银行")
    act = models.CharField("业务", max_length=12, choices=BankAct.choices)
    holder_id = models.UUIDField("持卡人", db_index=True)
    account = models.ForeignKey(
        BankAccount, models.PROTECT, null=True, blank=True, related_name="requests", verbose_name="账户"
    )
    case_id = models.UUIDField("受理单", null=True, blank=True, db_index=True)  # cases stand above banks
    content = EncryptedTextField("内容")  # JSON, the same bytes in every sending
    ends_at = models.DateTimeField("自动结束", null=True, blank=True)  # of a temporary loss
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.WAITING)
    tries = models.PositiveIntegerField("次数", default=0)
    next_try_at = models.DateTimeField("下次发送")
    trouble = models.CharField("最近的问题", max_length=100, blank=True)
    code = models.CharField("银行代码", max_length=10, blank=True)
    reason = models.CharField("银行说明", max_length=100, blank=True)
    created_at = models.DateTimeField("发起时间")
    created_by = models.CharField("发起人", max_length=100)
    settled_at = models.DateTimeField("办结时间", null=True, blank=True)
    by_hand = models.BooleanField("按书面答复办结", default=False, db_default=False)

    class Meta:
        verbose_name = verbose_name_plural = "银行请求"
        indexes = [
            models.Index(
                fields=["bank", "next_try_at", "serial"],
                condition=models.Q(status__in=["waiting", "unknown"]),
                name="banks_request_open",
            ),
            models.Index(fields=["account", "-serial"], name="banks_request_account"),
            models.Index(fields=["bank", "settled_at"], name="banks_request_settled"),
            models.Index(
                fields=["-serial"], condition=models.Q(status="refused"), name="banks_request_refused"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["waiting", "unknown"], settled_at=None)
                | models.Q(status__in=["done", "refused"], settled_at__isnull=False),
                name="bank_request_settled_once",
            ),
            models.CheckConstraint(
                condition=models.Q(act="open") | models.Q(account__isnull=False),
                name="bank_request_has_account",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Delivery(models.Model):
    """账户状态日报: the accounts whose status changed on a day, as agreed with the bank (Guangdong art. 12). pii: none."""

    id = key_field()
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="deliveries", verbose_name="银行")
    day = models.DateField("日期")
    due_at = models.DateTimeField("约定时间")
    received_at = models.DateTimeField("收到时间", null=True, blank=True)
    rows = models.PositiveIntegerField("行数", default=0)
    followed = models.PositiveIntegerField("已更新", default=0)
    differing = models.PositiveIntegerField("不符", default=0)
    tries = models.PositiveIntegerField("次数", default=0)
    trouble = models.CharField("最近的问题", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "银行数据报送"
        constraints = [models.UniqueConstraint(fields=["bank", "day"], name="bank_delivery_once_a_day")]

    def __str__(self) -> str:
        return f"{self.bank_id} {self.day}"

    def late_by(self, at: datetime) -> timedelta | None:
        """How late it was, or is at this moment; None when it came, or still may come, in time."""
        late = (self.received_at or at) - self.due_at
        return late if late > timedelta(0) else None


# The rest of the tables; they name Bank as text, so that this file stays short enough to read.
from yikatong.registry.banks.agreements import Agreement as Agreement  # noqa: E402, PLC0414
from yikatong.registry.banks.holds import Hold as Hold  # noqa: E402, PLC0414
from yikatong.registry.banks.written import Contradiction as Contradiction  # noqa: E402, PLC0414
from yikatong.registry.banks.written import WrittenAnswer as WrittenAnswer  # noqa: E402, PLC0414
