"""社会保障卡 and 电子社保卡: what exists, in which status, and what became of it."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import key_field
from yikatong.registry.banks.models import BankAccount
from yikatong.registry.holders.models import Holder


class CardStatus(models.TextChoices):
    """卡状态, the codes in use among provinces (social-security half)."""

    RELEASED = "0", "放号"
    NORMAL = "1", "正常"
    LOST = "2", "正式挂失"
    LOST_CANCELLED = "3", "挂失后注销"
    CANCELLED = "4", "注销"
    INACTIVE = "A", "未启用"
    TEMPORARILY_LOST = "B", "临时挂失"


TRANSITIONS: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.RELEASED: frozenset({CardStatus.INACTIVE, CardStatus.CANCELLED}),
    CardStatus.INACTIVE: frozenset({CardStatus.NORMAL, CardStatus.LOST, CardStatus.CANCELLED}),
    CardStatus.NORMAL: frozenset({CardStatus.TEMPORARILY_LOST, CardStatus.LOST, CardStatus.CANCELLED}),
    CardStatus.TEMPORARILY_LOST: frozenset({CardStatus.NORMAL, CardStatus.LOST, CardStatus.LOST_CANCELLED}),
    CardStatus.LOST: frozenset({CardStatus.NORMAL, CardStatus.LOST_CANCELLED}),
    CardStatus.LOST_CANCELLED: frozenset(),
    CardStatus.CANCELLED: frozenset(),
}

#: Back from the end, only where the very act that ended the card is undone: a death that was none, a wrong merge.
REVIVALS: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.CANCELLED: frozenset({CardStatus.INACTIVE, CardStatus.NORMAL}),
    CardStatus.LOST_CANCELLED: frozenset({CardStatus.LOST, CardStatus.TEMPORARILY_LOST}),
}

LIVE = (CardStatus.NORMAL, CardStatus.TEMPORARILY_LOST, CardStatus.LOST)
COMING = (CardStatus.RELEASED, CardStatus.INACTIVE)


class Card(models.Model):
    """A physical card.

    pii: card identifiers; ground: statutory duty; retention: life of the card and 30 years.
    """

    class Category(models.TextChoices):
        PRESCHOOL = "1", "学龄前儿童"
        STUDENT = "2", "学生"
        ADULT = "3", "成年人"
        ELDER = "4", "老年人"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="cards", verbose_name="持卡人")
    number = models.CharField("卡号", max_length=9)  # 9 characters, check digit mod 11
    identification = models.CharField("卡识别码", max_length=32, unique=True)  # 32 hex
    reset_info = models.CharField("卡复位信息", max_length=26)  # 26 hex
    account = models.ForeignKey(
        BankAccount, models.PROTECT, null=True, related_name="cards", verbose_name="金融账户"
    )
    category = models.CharField("卡类别", max_length=1, choices=Category.choices, default=Category.ADULT)
    spec_version = models.CharField("规范版本", max_length=4, default="3.00")
    division_code = models.CharField("发卡地区", max_length=9)
    status = models.CharField("状态", max_length=1, choices=CardStatus.choices, default=CardStatus.RELEASED)
    issued_on = models.DateField("发卡日期")
    expires_on = models.DateField("有效期至")
    activated_at = models.DateTimeField("社保启用时间", null=True, blank=True)
    lost_at = models.DateTimeField("挂失时间", null=True, blank=True)
    loss_ends_at = models.DateTimeField("临时挂失到期", null=True, blank=True)
    cancelled_at = models.DateTimeField("注销时间", null=True, blank=True)
    cancel_reason = models.CharField("注销原因", max_length=20, blank=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")

    class Meta:
        verbose_name = verbose_name_plural = "社会保障卡"
        constraints = [
            # 一人一卡: one live card, and at most one on its way.
            models.UniqueConstraint(
                fields=["holder"], condition=Q(status__in=["1", "2", "B"]), name="card_one_live"
            ),
            models.UniqueConstraint(
                fields=["holder"], condition=Q(status__in=["0", "A"]), name="card_one_coming"
            ),
            models.CheckConstraint(
                condition=~Q(status="B") | Q(loss_ends_at__isnull=False), name="card_temporary_loss_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="cards_number"),
            models.Index(fields=["loss_ends_at"], condition=Q(status="B"), name="cards_loss_ending"),
        ]

    def __str__(self) -> str:
        return self.number


class CardEvent(models.Model):
    """A step in a card's life, readable for ever. pii: none beyond the card's key; retention: as the card."""

    id = key_field()
    card = models.ForeignKey(Card, models.PROTECT, related_name="events", verbose_name="卡")
    at = models.DateTimeField("时间")
    kind = models.CharField("事件", max_length=30)
    from_status = models.CharField(max_length=1, blank=True)
    to_status = models.CharField(max_length=1, blank=True)
    actor_name = models.CharField("经办", max_length=100)
    channel = models.CharField("渠道", max_length=12)
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "卡事件"
        ordering = ["at"]


class ECard(models.Model):
    """电子社保卡, one to one with the card in force; it is usable only while that card is normal (Sichuan art. 2).

    pii: device-bound identity; ground: the holder's request; retention: as the card.
    """

    class Status(models.TextChoices):
        ISSUED = "issued", "已签发"
        REMOVED = "removed", "已解除"

    id = key_field()
    holder = models.OneToOneField(Holder, models.PROTECT, related_name="ecard", verbose_name="持卡人")
    card = models.ForeignKey(Card, models.PROTECT, related_name="ecards", verbose_name="卡")
    number = models.CharField("签发号", max_length=24, unique=True)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.ISSUED)
    issued_at = models.DateTimeField("签发时间")
    removed_at = models.DateTimeField("解除时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "电子社保卡"
        constraints = [
            # Of two records merged into one both may have named the card; only one e-card is usable.
            models.UniqueConstraint(
                fields=["card"], condition=Q(status="issued"), name="ecard_one_issued_a_card"
            )
        ]
