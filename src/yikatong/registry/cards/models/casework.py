"""Tables of the work on a case: what has to be corrected, and what has taken too long."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, key_field
from yikatong.registry.cards.models.case import Case


class Correction(models.Model):
    """补正事项: one thing a checker wants corrected, and what came of it.

    pii: the answer may name persons or places, encrypted; ground: the holder's application; retention: as the case.
    """

    class Item(models.TextChoices):
        BANK = "bank", "合作银行"
        OUTLET = "outlet", "领卡网点"
        ADDRESS = "address", "收件地址"
        GROUND = "ground", "申领依据说明"
        PHONE = "phone", "手机号码"
        CERTIFICATE = "certificate", "身份证件"
        PHOTO = "photo", "照片"
        GUARDIAN = "guardian", "监护关系证明"
        OTHER = "other", "其他材料"

    id = key_field()
    case = models.ForeignKey(Case, models.PROTECT, related_name="corrections", verbose_name="受理单")
    item = models.CharField("事项", max_length=12, choices=Item.choices)
    wanted = models.CharField("补正要求", max_length=200)
    asked_at = models.DateTimeField("要求时间")
    asked_by = models.CharField("审核人", max_length=100)
    answer = EncryptedTextField("补正内容", null=True, blank=True)
    answered_at = models.DateTimeField("补正时间", null=True, blank=True)
    answered_by = models.CharField("补正人", max_length=100, blank=True)
    channel = models.CharField("渠道", max_length=12, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "补正事项"
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "item"], condition=Q(answered_at__isnull=True), name="correction_asked_once"
            )
        ]


class Escalation(models.Model):
    """超期督办: a step over its limit, reported once to the supervisors of its region (Sichuan art. 14, 22).

    pii: none beyond the case's key; retention: as the case.
    """

    id = key_field()
    case = models.ForeignKey(Case, models.PROTECT, related_name="escalations", verbose_name="受理单")
    status = models.CharField("步骤", max_length=10)
    due_on = models.DateField("期限")
    division_code = models.CharField("受理地区", max_length=9)
    at = models.DateTimeField("上报时间")
    closed_at = models.DateTimeField("离开本步骤", null=True, blank=True)
    order = models.CharField("督办意见", max_length=200, blank=True)
    ordered_at = models.DateTimeField("督办时间", null=True, blank=True)
    ordered_by = models.CharField("督办人", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "超期督办"
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "status", "due_on"], name="escalation_once_a_step")
        ]
        indexes = [
            # A supervisor's list: few steps are late among the millions that were.
            models.Index(
                fields=["division_code", "status", "due_on"],
                condition=Q(closed_at__isnull=True),
                opclasses=["varchar_pattern_ops", "varchar_ops", "date_ops"],
                name="cards_escalation_open",
            ),
            # And the same in the order it is shown, for a region that covers most of it.
            models.Index(
                fields=["due_on", "at", "id"],
                condition=Q(closed_at__isnull=True),
                name="cards_escalation_oldest",
            ),
        ]
