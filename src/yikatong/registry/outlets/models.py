"""When an outlet is open, and how many wait there."""

from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import key_field
from yikatong.registry.regions.models import Outlet


class DayKind(models.IntegerChoices):
    """A plan has hours for each weekday, and perhaps for public holidays."""

    HOLIDAY = 0, "法定节假日"
    MONDAY = 1, "周一"
    TUESDAY = 2, "周二"
    WEDNESDAY = 3, "周三"
    THURSDAY = 4, "周四"
    FRIDAY = 5, "周五"
    SATURDAY = 6, "周六"
    SUNDAY = 7, "周日"


class OpenHours(models.Model):
    """服务时间: one span of the week plan, e.g. Monday 09:00 to 12:00, Beijing time. pii: none."""

    id = key_field()
    outlet = models.ForeignKey(Outlet, models.CASCADE, related_name="plan", verbose_name="网点")
    kind = models.PositiveSmallIntegerField("日", choices=DayKind.choices)
    opens = models.TimeField("开始")
    closes = models.TimeField("结束")

    class Meta:
        verbose_name = verbose_name_plural = "服务时间"
        ordering = ["kind", "opens"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "kind", "opens"], name="open_hours_once"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="open_hours_forward"),
        ]


class HoursChange(models.Model):
    """临时调整: from a day to a day (both with) an outlet is closed, or open at other hours, for a reason. pii: none."""

    id = key_field()
    outlet = models.ForeignKey(Outlet, models.CASCADE, related_name="changes", verbose_name="网点")
    since = models.DateField("自")
    until = models.DateField("至")
    opens = models.TimeField("开始", null=True, blank=True)  # none: closed
    closes = models.TimeField("结束", null=True, blank=True)
    reason = models.CharField("原因", max_length=60)
    created_at = models.DateTimeField("登记时间")
    actor_name = models.CharField("登记人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "临时调整"
        ordering = ["since", "created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(until__gte=F("since")), name="hours_change_forward"),
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True) | Q(closes__gt=F("opens")),
                name="hours_change_whole",
            ),
        ]
        indexes = [models.Index(fields=["outlet", "until"], name="outlets_change_until")]


class QueueState(models.Model):
    """排队情况: how many wait at an outlet, as last reported, and by what. pii: none."""

    class Source(models.TextChoices):
        MACHINE = "machine", "叫号机"
        CLERK = "clerk", "窗口"

    outlet = models.OneToOneField(
        Outlet, models.CASCADE, primary_key=True, related_name="queue", verbose_name="网点"
    )
    waiting = models.PositiveSmallIntegerField("等候人数")
    windows = models.PositiveSmallIntegerField("开放窗口", null=True, blank=True)
    at = models.DateTimeField("报告时间")
    source = models.CharField("来源", max_length=8, choices=Source.choices)

    class Meta:
        verbose_name = verbose_name_plural = "排队情况"


class QueueMachine(models.Model):
    """叫号机 of an outlet: its key is derived from the installation's and `generation`, and stored nowhere. pii: none."""

    outlet = models.OneToOneField(
        Outlet, models.CASCADE, primary_key=True, related_name="queue_machine", verbose_name="网点"
    )
    generation = models.PositiveIntegerField("密钥代次", default=1)
    is_stopped = models.BooleanField("停用", default=False)
    changed_at = models.DateTimeField("变更时间")

    class Meta:
        verbose_name = verbose_name_plural = "叫号机"
