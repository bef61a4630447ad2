"""What the administration calls this room."""

from django.apps import AppConfig


class JointConfig(AppConfig):
    name = "yikatong.registry.joint"
    verbose_name = "联办"

    def ready(self) -> None:
        from yikatong.registry.holders.signals import holder_ended  # noqa: PLC0415 - after all models
        from yikatong.registry.joint.ending import on_ended  # noqa: PLC0415

        holder_ended.connect(on_ended, dispatch_uid="joint.on_ended")
