"""What a person has proven: his ground for a card, and his concessions."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import EncryptedTextField, key_field
from yikatong.registry.holders.models.holder import Holder


class Proof(models.Model):
    """申领依据的证明: a document that proves a ground (Guangdong art. 5); a work permit is carried on the card.

    pii: residence, work, insurance or enrolment; ground: statutory duty; retention: as the holder.
    """

    class Kind(models.TextChoices):
        HOUSEHOLD = "household", "户口簿"
        RESIDENCE_PERMIT = "residence", "居住证"
        INSURANCE = "insurance", "参保缴费证明"
        EMPLOYMENT = "employment", "劳动合同或就业登记"
        WORK_PERMIT = "work_permit", "外国人工作许可"
        ENROLMENT = "enrolment", "学籍或录取证明"
        SERVICE = "service", "公共服务办理凭证"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="proofs", verbose_name="持卡人")
    kind = models.CharField("证明种类", max_length=12, choices=Kind.choices)
    number = EncryptedTextField("证明编号")
    issuer = models.CharField("出具单位", max_length=100)
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）", null=True, blank=True)
    created_at = models.DateTimeField("登记时间")
    created_by = models.CharField("登记人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "申领依据证明"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="proof_period_runs_forward",
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class Category(models.Model):
    """优待类别: a proven concession with its period, half-open (Guangdong art. 7, Ningxia art. 9).

    pii: sensitive (health, military service); ground: concession claimed by the holder; retention: five years after end.
    """

    class Kind(models.TextChoices):
        ELDER = "elder", "老年人"
        DISABLED = "disabled", "残疾人"
        VETERAN = "veteran", "退役军人"
        STUDENT = "student", "学生"
        LOW_INCOME = "low_income", "低保对象"

    class Source(models.TextChoices):
        """Who proves it."""

        LICENCE = "licence", "电子证照"
        CIVIL = "civil", "民政部门名单"
        DISABLED = "disabled", "残联名单"
        VETERANS = "veterans", "退役军人事务部门名单"
        EDUCATION = "education", "教育部门名单"
        DOCUMENT = "document", "本人出示的证件原件"

    class State(models.TextChoices):
        """Which the job has set last; what counts at the gate is the period."""

        COMING = "coming", "未到起始日期"
        ON = "on", "有效"
        OFF = "off", "已终止"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="categories", verbose_name="持卡人")
    kind = models.CharField("类别", max_length=12, choices=Kind.choices)
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）", null=True, blank=True)
    source = models.CharField("来源", max_length=60)
    evidence = EncryptedTextField("依据", null=True, blank=True)  # a 残疾人证号 holds the citizen's number
    state = models.CharField(
        "状态", max_length=6, choices=State.choices, default=State.COMING, db_default=State.COMING
    )
    end_reason = models.CharField("终止原因", max_length=100, blank=True, default="", db_default="")
    created_at = models.DateTimeField("登记时间", null=True, blank=True)
    created_by = models.CharField("登记人", max_length=100, blank=True, default="", db_default="")

    class Meta:
        verbose_name = verbose_name_plural = "优待类别"
        constraints = [
            # An empty period is one that was ended before it began: it never held, and stays readable.
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="category_period_not_backward",
            ),
            models.UniqueConstraint(
                fields=["holder", "kind", "valid_from"],
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="category_once_a_period",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_from"], condition=Q(state="coming"), name="holders_category_beginning"
            ),
            models.Index(fields=["valid_until"], condition=Q(state="on"), name="holders_category_ending"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


CATEGORY_MOVES: dict[Category.State, frozenset[Category.State]] = {
    Category.State.COMING: frozenset({Category.State.ON, Category.State.OFF}),
    Category.State.ON: frozenset({Category.State.OFF}),
    Category.State.OFF: frozenset(),
}
