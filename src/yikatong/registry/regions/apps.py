"""What the administration calls this room."""

from django.apps import AppConfig


class RegionsConfig(AppConfig):
    name = "yikatong.registry.regions"
    verbose_name = "区划与网点"
