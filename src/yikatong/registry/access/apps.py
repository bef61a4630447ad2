"""What the administration calls this room."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "yikatong.registry.access"
    verbose_name = "用卡终端"
