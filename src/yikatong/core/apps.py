"""What the administration calls this room."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "yikatong.core"
    verbose_name = "平台"
