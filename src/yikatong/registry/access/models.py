"""用卡终端: who may ask the gate, and how each terminal is (Opinions 8, Sichuan art. 14, Ningxia art. 11)."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from yikatong.core.fields import key_field
from yikatong.registry.catalogue.models import Place
from yikatong.registry.regions.models import Organisation


class Terminal(models.Model):
    """A gate, bus reader, kiosk or counter device. Its number is the 12 digits of 终端机编号.

    Read by the gate (table access_terminal); changes take effect with the next request. pii: none.
    """

    class Kind(models.TextChoices):
        GATE = "gate", "闸机"
        BUS = "bus", "车载机"
        KIOSK = "kiosk", "自助终端"
        COUNTER = "counter", "柜面终端"
        MEDICAL = "medical", "医疗终端"
        HANDHELD = "handheld", "手持机"

    class Status(models.TextChoices):
        REGISTERED = "registered", "待开通"
        ENROLLED = "enrolled", "已开通"
        STOPPED = "stopped", "已停用"
        RETIRED = "retired", "已报废"

    id = key_field()
    number = models.BigIntegerField("终端编号", unique=True)
    name = models.CharField("名称", max_length=60)
    kind = models.CharField("类别", max_length=10, choices=Kind.choices)
    place = models.ForeignKey(Place, models.PROTECT, related_name="terminals", verbose_name="场所")
    owner = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="单位")
    city_code = models.CharField("市（州）", max_length=6)
    domain_code = models.CharField("领域", max_length=12)
    scenes: Any = ArrayField(models.PositiveSmallIntegerField(), verbose_name="可验场景")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.REGISTERED)
    key_generation = models.PositiveIntegerField("密钥代次", default=0)
    enrol_code_hash = models.BinaryField(null=True, editable=False)
    enrol_code_until = models.DateTimeField("开通码有效期", null=True, blank=True)
    enrolled_at = models.DateTimeField("开通时间", null=True, blank=True)
    stopped_reason = models.CharField("停用原因", max_length=100, blank=True)
    offline_uses_max = models.PositiveIntegerField("离线笔数上限", default=2000)

    class Meta:
        verbose_name = verbose_name_plural = "用卡终端"

    def __str__(self) -> str:
        return f"{self.number:012d}"


class TerminalState(models.Model):
    """What a terminal last told of itself. Apart from `Terminal`, so that heartbeats leave that table alone. pii: none."""

    terminal = models.OneToOneField(Terminal, models.CASCADE, primary_key=True, related_name="state")
    signed_in_on = models.DateField("签到日", null=True)
    seen_at = models.DateTimeField("最近联系", null=True, db_index=True)
    clock_offset_s = models.IntegerField("时钟偏差（秒）", default=0)
    trust_version = models.BigIntegerField("信任列表版本", default=0)
    # {"3": 17}: by scene, for each has a list of its own; a scene that is missing has not been told.
    hot_versions = models.JSONField("黑名单版本", default=dict)
    offline_uses = models.PositiveIntegerField("未上传笔数", default=0)
    software = models.CharField("软件版本", max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "终端状态"
