"""合作协议: what a bank has agreed to do, from which day until which (Guangdong art. 12, 20)."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import key_field
from yikatong.registry.regions.models import Outlet


class Agreement(models.Model):
    """A co-operation agreement. Confirmed, it is never edited: another one takes its place. pii: none."""

    class Status(models.TextChoices):
        DRAFT = "draft", "待复核"
        CONFIRMED = "confirmed", "已复核"
        DROPPED = "dropped", "已退回"

    class OnDeath(models.TextChoices):
        """What the bank does with the account of one who has died."""

        FREEZE = "freeze", "冻结账户"
        STOP = "report_loss", "停止支付"
        APART = "apart", "由继承人向银行办理"

    class Matter(models.TextChoices):
        """What a delegated outlet may do."""

        APPLY = "apply", "申领"
        REPLACE = "replace", "补换"
        HAND_OVER = "activate", "领卡与启用"
        LOSS = "loss", "挂失"
        RELEASE = "release", "解挂"

    id = key_field()
    bank = models.ForeignKey("banks.Bank", models.PROTECT, related_name="agreements", verbose_name="银行")
    number = models.CharField("协议编号", max_length=40, unique=True)
    valid_from = models.DateField("生效日期")
    valid_until = models.DateField("届满日期（不含）")
    opens_accounts = models.BooleanField("为新卡开户", default=False)
    keeps_account = models.BooleanField("换卡不换号", default=False)
    joint_loss = models.BooleanField("联动挂失", default=False)
    is_online = models.BooleanField("联机办理", default=False)  # opens, activates, changes over the line
    on_death = models.CharField("持卡人死亡", max_length=12, choices=OnDeath.choices, default=OnDeath.APART)
    delivers_by = models.PositiveSmallIntegerField("次日几时前报送", null=True, blank=True)  # Beijing time
    matters = ArrayField(
        models.CharField(max_length=10, choices=Matter.choices),
        verbose_name="委托业务",
        default=list,
        blank=True,
    )
    outlets = models.ManyToManyField(Outlet, related_name="+", verbose_name="委托网点", blank=True)
    on_time_percent = models.PositiveSmallIntegerField("按时办结率不低于（%）", null=True, blank=True)
    sent_back_percent = models.PositiveSmallIntegerField("退回率不高于（%）", null=True, blank=True)
    median_days = models.PositiveSmallIntegerField("办理用时中位数不超过（天）", null=True, blank=True)
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.DRAFT)
    drafted_at = models.DateTimeField("录入时间")
    drafted_by = models.CharField("录入人", max_length=100)
    drafted_by_id = models.UUIDField(null=True, editable=False)
    confirmed_at = models.DateTimeField("复核时间", null=True, blank=True)
    confirmed_by = models.CharField("复核人", max_length=100, blank=True)
    # An end before its time, asked for by one and confirmed by another.
    ends_on = models.DateField("提前终止日期", null=True, blank=True)
    end_reason = models.CharField("终止原因", max_length=200, blank=True)
    end_asked_by = models.CharField("终止录入人", max_length=100, blank=True)
    end_asked_by_id = models.UUIDField(null=True, editable=False)
    ended_at = models.DateTimeField("终止复核时间", null=True, blank=True)
    ended_by = models.CharField("终止复核人", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "合作协议"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="agreement_runs_forward"
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed") | Q(confirmed_at__isnull=False),
                name="agreement_confirmed_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bank", "-valid_from"], condition=Q(status="confirmed"), name="banks_agreement_stands"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def until(self) -> date:
        """The day from which it no longer holds; an end that waits for its second person does not count."""
        return self.ends_on if self.ends_on and self.ended_at else self.valid_until

    def holds_on(self, day: date) -> bool:
        return self.status == self.Status.CONFIRMED and self.valid_from <= day < self.until

    @property
    def matter_words(self) -> str:
        return "、".join(self.Matter(one).label for one in self.matters)
