"""Counts for the board: rebuilt from uses and registers, never edited, free of personal data."""

from django.db import models


class UseCount(models.Model):
    """Uses counted by city, domain, method, mode and outcome. pii: none (counts)."""

    city_code = models.CharField(max_length=6)
    domain_code = models.CharField(max_length=12)
    method = models.PositiveSmallIntegerField()
    is_offline = models.BooleanField()
    outcome = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()
    amount_fen = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class UseMinute(UseCount):
    """Uses received in one minute. pii: none (counts).

    Kept `actions.MINUTES_KEPT`; older ones live on as hours and days.
    """

    minute = models.DateTimeField()
    pk = models.CompositePrimaryKey("minute", "city_code", "domain_code", "method", "is_offline", "outcome")

    class Meta:
        verbose_name = verbose_name_plural = "分钟统计"


class UseHour(UseCount):
    """The same by hour, summed from the minutes. pii: none (counts). Kept `actions.HOURS_KEPT`."""

    hour = models.DateTimeField()
    pk = models.CompositePrimaryKey("hour", "city_code", "domain_code", "method", "is_offline", "outcome")

    class Meta:
        verbose_name = verbose_name_plural = "小时统计"


class UseDay(UseCount):
    """The same by Beijing day, summed from the hours, and kept for ever: the history over years. pii: none (counts)."""

    day = models.DateField()
    pk = models.CompositePrimaryKey("day", "city_code", "domain_code", "method", "is_offline", "outcome")

    class Meta:
        verbose_name = verbose_name_plural = "日统计"


class RefusalMinute(models.Model):
    """Refusals received in one minute at one place, kept for the days a burst is judged by. pii: none (counts)."""

    minute = models.DateTimeField()
    place_id = models.UUIDField()
    count = models.BigIntegerField()
    pk = models.CompositePrimaryKey("minute", "place_id")

    class Meta:
        verbose_name = verbose_name_plural = "场所拒绝统计"


class Stock(models.Model):
    """How many holders, cards and e-cards a city had on a day; today's row follows the day. pii: none (counts)."""

    class Kind(models.TextChoices):
        HOLDERS = "holders", "持卡人"
        CARDS = "cards", "在用社会保障卡"
        ECARDS = "ecards", "电子社保卡"

    day = models.DateField()
    city_code = models.CharField(max_length=6)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    count = models.BigIntegerField()
    pk = models.CompositePrimaryKey("day", "city_code", "kind")

    class Meta:
        verbose_name = verbose_name_plural = "存量统计"


class Refresh(models.Model):
    """When a kind of count was last brought up to date: the board says so, and knows when it has stopped. pii: none."""

    class Kind(models.TextChoices):
        USES = "uses", "用卡统计"
        STOCK = "stock", "存量统计"

    kind = models.CharField(primary_key=True, max_length=8, choices=Kind.choices)
    at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "统计更新"
