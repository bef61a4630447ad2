"""Who may act for a holder: for which matters, until when 代办."""

from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.cards.models.kinds import CaseKind
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder


class Authorisation(models.Model):
    """代办授权: an agent, for which matters, on which proof, until when (Opinions 10).

    pii: identity of the agent; ground: the holder's authorisation; retention: as the cases done under it.
    """

    class Evidence(models.TextChoices):
        LETTER = "letter", "授权委托书"
        NOTARISED = "notarised", "公证委托书"
        KIN = "kin", "近亲属关系证明"
        IN_PERSON = "in_person", "本人当面授权"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="authorisations", verbose_name="持卡人")
    name = EncryptedTextField("代办人姓名")
    kind = models.CharField("代办人证件类型", max_length=1)  # codes of certificates.Kind
    number = EncryptedTextField("代办人证件号码")
    number_index = IndexField()
    matters: Any = ArrayField(models.CharField(max_length=10))
    evidence = models.CharField("授权依据", max_length=10, choices=Evidence.choices)
    evidence_number = EncryptedTextField("依据编号", null=True, blank=True)
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）")
    ended_at = models.DateTimeField("终止时间", null=True, blank=True)
    created_at = models.DateTimeField("登记时间")
    created_by = models.CharField("登记人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "代办授权"
        constraints = [
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="authorisation_ends")
        ]

    def __str__(self) -> str:
        return names.mask(self.name)

    @property
    def matter_words(self) -> str:
        return "、".join(CaseKind(one).label for one in self.matters)

    def holds_on(self, day: date) -> bool:
        return self.ended_at is None and self.valid_from <= day < self.valid_until
