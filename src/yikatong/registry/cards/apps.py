"""What the administration calls this room."""

from django.apps import AppConfig


class CardsConfig(AppConfig):
    name = "yikatong.registry.cards"
    verbose_name = "社会保障卡"
