"""Who and what exists before anyone holds a card: divisions, organisations, outlets."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.db import models
from django.db.models import F, Func, Q

from yikatong.core.fields import key_field


def located(name: str) -> GistIndex:
    """The index by which what lies nearest is found (`nearest.py`), of what is open and has coordinates."""
    return GistIndex(
        Func(F("longitude"), F("latitude"), function="point"),
        name=name,
        condition=Q(is_open=True, longitude__isnull=False, latitude__isnull=False),
    )


class Division(models.Model):
    """行政区划 after GB/T 2260 (six digits) and GB/T 10114 (nine, townships). pii: none."""

    class Level(models.IntegerChoices):
        PROVINCE = 1, "省"
        CITY = 2, "市"
        COUNTY = 3, "县"
        TOWNSHIP = 4, "乡镇"

    code = models.CharField("代码", primary_key=True, max_length=9)
    name = models.CharField("名称", max_length=60)
    level = models.PositiveSmallIntegerField("级别", choices=Level.choices)
    parent_code = models.CharField("上级", max_length=9, blank=True, db_index=True)
    province_code = models.CharField("省", max_length=6)
    is_current = models.BooleanField("现行", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"

    def __str__(self) -> str:
        return self.name


class Centre(models.Model):
    """Where the middle of a division lies, for distances from a place named by its 街道 or 乡镇.

    Degrees of CGCS2000 (to the metre the WGS-84 of phones). `source`: where the figure was taken from. pii: none.
    """

    code = models.CharField("区划", primary_key=True, max_length=9)
    longitude = models.FloatField("经度")
    latitude = models.FloatField("纬度")
    source = models.CharField("来源", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "区划中心点"


class Organisation(models.Model):
    """A department, bank, operator or venue keeper. pii: none."""

    class Kind(models.TextChoices):
        HRSS = "hrss", "人社部门"
        DEPARTMENT = "department", "政府部门"
        BANK = "bank", "合作银行"
        OPERATOR = "operator", "运营单位"
        VENUE = "venue", "场馆单位"
        MEDICAL = "medical", "医疗机构"

    id = key_field()
    code = models.CharField("代码", max_length=18, unique=True)
    name = models.CharField("名称", max_length=100)
    kind = models.CharField("类别", max_length=12, choices=Kind.choices)
    division_code = models.CharField("区划", max_length=9)

    class Meta:
        verbose_name = verbose_name_plural = "单位"

    def __str__(self) -> str:
        return self.name


class Outlet(models.Model):
    """服务网点: where a holder is served, with its hours and services (Sichuan art. 14, Guangdong art. 5). pii: none."""

    id = key_field()
    number = models.CharField("网点编号", max_length=20, unique=True)
    name = models.CharField("名称", max_length=100)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="outlets", verbose_name="单位"
    )
    division_code = models.CharField("区划", max_length=9, db_index=True)
    address = models.CharField("地址", max_length=200)
    phone = models.CharField("电话", max_length=20, blank=True)
    hours = models.CharField("服务时间", max_length=100)
    services: Any = ArrayField(models.CharField(max_length=20), verbose_name="可办业务", default=list)
    issues_at_once = models.BooleanField("立等可取", default=False)
    is_accessible = models.BooleanField("无障碍设施", default=False)
    facilities: Any = ArrayField(
        models.CharField(max_length=12), verbose_name="便民设施", default=list, blank=True, db_default=[]
    )
    longitude = models.FloatField("经度", null=True, blank=True)
    latitude = models.FloatField("纬度", null=True, blank=True)
    is_open = models.BooleanField("对外服务", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "服务网点"
        indexes = [
            located("regions_outlet_located"),
            # For a matter that few outlets offer; the planner knows how many do.
            GinIndex(fields=["services"], condition=Q(is_open=True), name="regions_outlet_services"),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarYear(models.Model):
    """放假安排 of a year, as the notice says it: what an administrator enters as soon as it is out. pii: none."""

    year = models.PositiveSmallIntegerField("年度", primary_key=True)
    notice = models.CharField("依据文号", max_length=100, help_text="例如：国办发明电〔2025〕7号")
    is_published = models.BooleanField(
        "全年安排已公布",
        default=True,
        help_text="选中后全年以下面登记的日期为准，期限不再标注“预计”；只登记个别日期的不选。",
    )

    class Meta:
        verbose_name = verbose_name_plural = "放假安排"
        ordering = ["-year"]

    def __str__(self) -> str:
        return f"{self.year} 年"


class CalendarDay(models.Model):
    """A day on which offices do otherwise than its weekday says: closed, or a weekend worked. pii: none."""

    day = models.DateField("日期", primary_key=True)
    year = models.ForeignKey(CalendarYear, models.CASCADE, related_name="days", verbose_name="年度")
    works = models.BooleanField("上班", default=False, help_text="调休上班的选中，放假的不选。")
    name = models.CharField("名称", max_length=20, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "放假和调休上班日期"
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"
