"""What the administration calls this room."""

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    name = "yikatong.registry.matching"
    verbose_name = "数据比对"
