"""What the administration calls this room."""

from django.apps import AppConfig


class OutletsConfig(AppConfig):
    name = "yikatong.registry.outlets"
    verbose_name = "网点服务时间与排队"
