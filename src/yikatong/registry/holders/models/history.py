"""What has happened to a person, readable for ever: changes, endings, and two records found to be one person."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, key_field
from yikatong.registry.holders.models.holder import Holder


class LifeEvent(models.Model):
    """持卡人事项: one change of a person's record, with what stood there before.

    pii: former names, numbers and places, encrypted; ground: statutory duty; retention: as the holder.
    """

    class Kind(models.TextChoices):
        NAME = "name", "姓名变更"
        NUMBER = "number", "证件号码变更"
        MOVED = "moved", "所在地变更"
        VALIDITY = "validity", "证件有效期登记"
        RECOUNTED = "recounted", "随出生日期重算"
        DECEASED = "deceased", "死亡登记"
        LEFT = "left", "迁出登记"
        RESTORED = "restored", "恢复登记"
        MERGED = "merged", "合并登记"
        UNMERGED = "unmerged", "撤销合并"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="life_events", verbose_name="持卡人")
    at = models.DateTimeField("时间")
    kind = models.CharField("事项", max_length=10, choices=Kind.choices)
    before = EncryptedTextField("变更前", null=True, blank=True)
    after = EncryptedTextField("变更后", null=True, blank=True)
    evidence = models.CharField("依据", max_length=100, blank=True)
    reason = models.CharField("原因", max_length=100, blank=True)
    actor_name = models.CharField("经办", max_length=100)
    channel = models.CharField("渠道", max_length=12)

    class Meta:
        verbose_name = verbose_name_plural = "持卡人事项"
        indexes = [models.Index(fields=["holder", "-at"], name="holders_life_holder")]

    def __str__(self) -> str:
        return self.get_kind_display()


class Merge(models.Model):
    """合并: two records of one person; `moved` says what went over, so that it can be undone.

    pii: none beyond the keys of both records; ground: statutory duty (one person once); retention: as the holder.
    """

    id = key_field()
    kept = models.ForeignKey(Holder, models.PROTECT, related_name="merges", verbose_name="保留")
    gone = models.ForeignKey(Holder, models.PROTECT, related_name="merged_by", verbose_name="并入")
    moved = models.JSONField("转移内容", default=dict)  # table → keys; certificates with what they were
    evidence = models.CharField("依据", max_length=100)
    reason = models.CharField("原因", max_length=100)
    at = models.DateTimeField("合并时间")
    actor_name = models.CharField("合并人", max_length=100)
    missing = models.JSONField("撤销后不能恢复的", default=list, db_default=[], blank=True)  # sentences
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)
    undo_reason = models.CharField("撤销原因", max_length=100, blank=True)
    undone_by = models.CharField("撤销人", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "登记合并"
        constraints = [
            models.UniqueConstraint(
                fields=["gone"], condition=Q(undone_at__isnull=True), name="merge_once_at_a_time"
            )
        ]
