"""What the administration calls this room."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "yikatong.registry.catalogue"
    verbose_name = "应用目录"
