"""办事指南: what each matter needs, takes and costs; open to everyone (Sichuan art. 14, Guangdong art. 5)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from yikatong.registry.cards import guide
from yikatong.registry.outlets import queries


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "citizen/guide.html", {"matters": guide.matters()})


@require_safe
def matter(request: HttpRequest, key: str) -> HttpResponse:
    found = guide.matter(key)
    if found is None:
        raise Http404
    context = {"matter": found, "outlets": queries.offering(found.service)}
    return render(request, "citizen/guide_matter.html", context)
