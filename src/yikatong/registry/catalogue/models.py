"""应用目录: what the card can do, and where (Sichuan art. 13, Guangdong art. 6)."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from yikatong.core.fields import key_field
from yikatong.registry.regions.models import Organisation, located


class Domain(models.Model):
    """应用领域. The list is data: provinces differ. pii: none."""

    code = models.CharField("代码", primary_key=True, max_length=12)
    name = models.CharField("名称", max_length=20)
    order = models.PositiveSmallIntegerField("次序", default=0)
    icon = models.CharField("图标", max_length=30, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "应用领域"
        ordering = ["order"]

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """应用事项 of the published catalogue. pii: none."""

    class Form(models.TextChoices):
        BOTH = "both", "实体卡、电子卡"
        CARD = "card", "实体卡"
        ECARD = "ecard", "电子卡"

    class Status(models.TextChoices):
        DRAFT = "draft", "拟制"
        PUBLISHED = "published", "已公布"
        WITHDRAWN = "withdrawn", "已废止"

    id = key_field()
    code = models.CharField("事项编码", max_length=12, unique=True)
    name = models.CharField("事项名称", max_length=60)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="items", verbose_name="领域")
    department = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="责任单位")
    level = models.CharField("层级", max_length=6, default="省")
    form = models.CharField("用卡形式", max_length=6, choices=Form.choices, default=Form.BOTH)
    methods: Any = ArrayField(models.CharField(max_length=6), verbose_name="用卡方式", default=list)
    is_money = models.BooleanField("资金类", default=False)
    guide = models.TextField("怎么用", blank=True)
    basis = models.CharField("依据", max_length=100, blank=True)
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.PUBLISHED)
    valid_from = models.DateField("启用日期")
    valid_until = models.DateField("停用日期（不含）", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "应用事项"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """应用场所: where items of the catalogue are served by card or code. pii: none."""

    id = key_field()
    number = models.CharField("场所编号", max_length=20, unique=True)
    name = models.CharField("名称", max_length=100)
    kind = models.CharField("类别", max_length=20)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="places", verbose_name="领域")
    keeper = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="运营单位")
    items = models.ManyToManyField(Item, related_name="places", verbose_name="事项", blank=True)
    division_code = models.CharField("区划", max_length=9, db_index=True)
    address = models.CharField("地址", max_length=200, blank=True)
    hours = models.CharField("开放时间", max_length=100, blank=True)
    concessions = models.CharField("优待说明", max_length=200, blank=True)
    is_accessible = models.BooleanField("无障碍设施", default=False)
    longitude = models.FloatField("经度", null=True, blank=True)
    latitude = models.FloatField("纬度", null=True, blank=True)
    is_open = models.BooleanField("在用", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "应用场所"
        indexes = [located("catalogue_place_located")]

    def __str__(self) -> str:
        return self.name
