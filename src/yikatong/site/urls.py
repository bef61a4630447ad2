"""All addresses of the site, by face."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from yikatong.portals.citizen.views import pwa
from yikatong.registry.outlets import api as outlets
from yikatong.site import health

urlpatterns = [
    path("", RedirectView.as_view(url="/m/"), name="home"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("yikatong.portals.shared.urls")),
    path("sw.js", pwa.service_worker, name="service_worker"),  # at the root, to cover every page
    path("m/", include("yikatong.portals.citizen.urls")),
    path("counter/", include("yikatong.portals.counter.urls")),
    path("console/", include("yikatong.portals.console.urls")),
    path("board/", include("yikatong.portals.board.urls")),
    path("kiosk/", include("yikatong.portals.kiosk.urls")),
    path("terminal/", include("yikatong.portals.terminal.urls")),
    path("api/v1/outlets/<slug:number>/queue", outlets.queue, name="outlet-queue"),
    path("staff/", include("yikatong.portals.staff.urls")),
    path("admin/login/", RedirectView.as_view(url="/staff/login", query_string=True)),
    path("admin/logout/", RedirectView.as_view(url="/staff/account")),
    # Passwords are changed where tries are counted and the change is audited.
    path("admin/password_change/", RedirectView.as_view(url="/staff/account")),
    path("admin/", admin.site.urls),
]

handler404 = "yikatong.portals.shared.refusals.page_not_found"
handler500 = "yikatong.portals.shared.refusals.server_error"
