"""Counters that slow down guessing."""

from django.db import models

from yikatong.core.fields import IndexField


class LogInTries(models.Model):
    """Tries under one key (a user name, an address) within a window. The key is a blind index, never the name.

    pii: none; retention: until the window ends.
    """

    key = IndexField(primary_key=True)
    whose = IndexField(null=True, db_index=True)  # the name or address, whichever the browser
    tries = models.PositiveIntegerField()
    since = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "登录尝试"
