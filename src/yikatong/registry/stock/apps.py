"""What the administration calls this room."""

from django.apps import AppConfig


class StockConfig(AppConfig):
    name = "yikatong.registry.stock"
    verbose_name = "空白卡与即时制卡"
