"""What the administration calls this room."""

from django.apps import AppConfig


class BanksConfig(AppConfig):
    name = "yikatong.registry.banks"
    verbose_name = "合作银行"
