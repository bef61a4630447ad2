"""Counts by minute for the board: rebuilt from uses, never edited."""

from django.db import models


class UseMinute(models.Model):
    """Uses received in one minute, by city, domain, method, mode and outcome. pii: none (counts)."""

    minute = models.DateTimeField()
    city_code = models.CharField(max_length=6)
    domain_code = models.CharField(max_length=12)
    method = models.PositiveSmallIntegerField()
    is_offline = models.BooleanField()
    outcome = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()
    amount_fen = models.BigIntegerField(default=0)
    pk = models.CompositePrimaryKey("minute", "city_code", "domain_code", "method", "is_offline", "outcome")

    class Meta:
        verbose_name = verbose_name_plural = "分钟统计"
