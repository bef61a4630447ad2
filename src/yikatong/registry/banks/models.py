"""合作银行 and the accounts behind the cards."""

from django.db import models

from yikatong.core.fields import EncryptedTextField, IndexField, key_field


class Bank(models.Model):
    """A co-operating bank of the province's profile. pii: none."""

    code = models.CharField("银行编号", primary_key=True, max_length=5)
    name = models.CharField("名称", max_length=60)
    short_name = models.CharField("简称", max_length=20)
    bin = models.CharField("卡号前缀", max_length=8)
    hotline = models.CharField("客服电话", max_length=20)
    keeps_account = models.BooleanField("换卡不换号", default=False)
    joint_loss = models.BooleanField("联动挂失", default=False)
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
