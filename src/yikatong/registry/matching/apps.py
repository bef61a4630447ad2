"""What the administration calls this room."""

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    name = "yikatong.registry.matching"
    verbose_name = "数据比对"

    def ready(self) -> None:
        from yikatong.registry.cards.signals import case_submitted, roster_submitted  # noqa: PLC0415 - after all models
        from yikatong.registry.holders.signals import holder_registered  # noqa: PLC0415
        from yikatong.registry.matching import inquiries  # noqa: PLC0415

        holder_registered.connect(inquiries.on_registered, dispatch_uid="matching.on_registered")
        case_submitted.connect(inquiries.on_submitted, dispatch_uid="matching.on_submitted")
        roster_submitted.connect(inquiries.on_roster, dispatch_uid="matching.on_roster")
