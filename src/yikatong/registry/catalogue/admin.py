"""Admin of domains, items and places."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from yikatong.core.admin import KeptAdmin
from yikatong.registry.catalogue import queries
from yikatong.registry.catalogue.models import Domain, Item, Place


@admin.register(Domain)
class DomainAdmin(KeptAdmin):
    list_display = ["code", "name", "order"]


@admin.register(Item)
class ItemAdmin(KeptAdmin):
    list_display = ["code", "name", "domain", "department", "level", "form", "status"]
    list_filter = ["domain", "level", "status"]
    list_select_related = ["domain", "department"]
    search_fields = ["code", "name"]
    autocomplete_fields = ["department"]


@admin.register(Place)
class PlaceAdmin(KeptAdmin):
    list_display = ["number", "name", "kind", "domain", "division_code", "is_open"]
    list_filter = ["domain", "kind", "is_open"]
    list_select_related = ["domain"]
    search_fields = ["number", "name"]
    autocomplete_fields = ["keeper", "items"]

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Place],
        search_term: str,
    ) -> tuple[QuerySet[Place], bool]:
        """By index, closed places too: Django's own search would read the whole table."""
        if not search_term.strip():
            return queryset, False
        wanted = Q(pk__in=queries.find(text=search_term, is_open=None))
        if search_term.strip().isascii():
            wanted |= Q(number__startswith=search_term.strip())
        return queryset.filter(wanted), False
