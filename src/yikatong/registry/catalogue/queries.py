"""Read the catalogue: where the card can be used."""

from django.db.models import Q, QuerySet

from yikatong.registry.catalogue.models import Place


def places(*, text: str = "", domain: str = "", city: str = "") -> QuerySet[Place]:
    """Open places by domain code, city (six digits, a district under a municipality too) and words of name or address."""
    found = Place.objects.filter(is_open=True).select_related("domain").order_by("domain__order", "number")
    for word in text.split():
        found = found.filter(Q(name__icontains=word) | Q(address__icontains=word) | Q(kind__icontains=word))
    if domain:
        found = found.filter(domain_id=domain)
    return found.filter(division_code__startswith=city.removesuffix("00")) if city else found
