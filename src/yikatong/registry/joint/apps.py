"""What the administration calls this room."""

from django.apps import AppConfig


class JointConfig(AppConfig):
    name = "yikatong.registry.joint"
    verbose_name = "联办"
