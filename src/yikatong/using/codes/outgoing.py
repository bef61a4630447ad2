"""What partners are still to be told: written with the publication of a list, in its transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from procrastinate.contrib.django import app

from yikatong.using.codes.models import ListVersion, Partner, PartnerNotice

TELL: Final = "codes.tell_partner"


def note_published(versions: Iterable[ListVersion]) -> None:
    """A notice for each partner and hot list, and a job for each partner once the publication has committed."""
    hot = [one for one in versions if one.kind == ListVersion.Kind.HOT]
    partners = list(Partner.objects.filter(is_wired=True)) if hot else []
    PartnerNotice.objects.bulk_create(
        PartnerNotice(partner=partner, scene=one.scene, version=one.version, made_at=one.made_at)
        for partner in partners
        for one in hot
    )
    for partner in partners:
        tell_soon(partner.pk)


def tell_soon(partner: str) -> None:
    """Have a partner told; one after another, so that its lists keep their order."""
    app.configure_task(TELL, queue="banks", lock=f"partner:{partner}").defer(partner=partner)


def forget_old(before: datetime) -> int:
    """Notices that were told, or whose partner has gone; returns how many. One that waits is kept."""
    old = PartnerNotice.objects.filter(made_at__lt=before)
    return int((old.filter(told_at__isnull=False) | old.filter(partner__is_wired=False)).delete()[0])
