"""监护: who acts for a child."""

from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.holders import names
from yikatong.registry.holders.models.holder import Holder


class Guardianship(models.Model):
    """监护关系: who acts for a child, and until when (Opinions 10). It ends on the day the child may act alone.

    pii: identity of ward and guardian; ground: statutory duty; retention: as the ward's record.
    """

    class Ground(models.TextChoices):
        PARENT = "parent", "父母"
        RELATIVE = "relative", "其他近亲属"
        APPOINTED = "appointed", "指定监护人"

    class Evidence(models.TextChoices):
        BIRTH = "birth", "出生医学证明"
        HOUSEHOLD = "household", "户口簿"
        KINSHIP = "kinship", "亲属关系证明"
        APPOINTMENT = "appointment", "指定监护的判决或决定"
        ROSTER = "roster", "学校名册核对"

    id = key_field()
    ward = models.ForeignKey(Holder, models.PROTECT, related_name="guardianships", verbose_name="被监护人")
    guardian = models.ForeignKey(
        Holder, models.PROTECT, null=True, blank=True, related_name="wards", verbose_name="监护人（持卡人）"
    )
    name = EncryptedTextField("监护人姓名")
    kind = models.CharField("监护人证件类型", max_length=1)  # codes of certificates.Kind
    number = EncryptedTextField("监护人证件号码")
    number_index = IndexField()
    ground = models.CharField("监护依据", max_length=10, choices=Ground.choices)
    evidence = models.CharField("证明材料", max_length=12, choices=Evidence.choices)
    evidence_number = EncryptedTextField(
        "证明编号", null=True, blank=True
    )  # a 出生医学证明 leads to the child
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）")
    ended_at = models.DateTimeField("终止时间", null=True, blank=True)
    end_reason = models.CharField("终止原因", max_length=100, blank=True)
    created_at = models.DateTimeField("登记时间")
    created_by = models.CharField("登记人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "监护关系"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="guardianship_period_runs_forward"
            ),
            models.UniqueConstraint(
                fields=["ward", "kind", "number_index"],
                condition=Q(ended_at__isnull=True),
                name="guardianship_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"], condition=Q(ended_at__isnull=True), name="holders_guardian_ending"
            ),
            models.Index(
                fields=["number_index"],
                condition=Q(guardian__isnull=True, ended_at__isnull=True),
                name="holders_guardian_unlinked",
            ),
        ]

    def __str__(self) -> str:
        return f"{names.mask(self.name)}（{self.get_ground_display()}）"
