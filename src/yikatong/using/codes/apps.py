"""What the administration calls this room."""

from django.apps import AppConfig


class CodesConfig(AppConfig):
    name = "yikatong.using.codes"
    verbose_name = "密钥与名单"

    def ready(self) -> None:
        from yikatong.registry.holders.signals import holder_ended  # noqa: PLC0415 - after all models
        from yikatong.using.codes.ending import release_devices  # noqa: PLC0415

        holder_ended.connect(release_devices, dispatch_uid="codes.release_devices")
