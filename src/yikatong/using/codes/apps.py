"""What the administration calls this room."""

from django.apps import AppConfig


class CodesConfig(AppConfig):
    name = "yikatong.using.codes"
    verbose_name = "密钥与名单"
