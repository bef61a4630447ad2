"""Addresses of this face."""

from django.urls import path

from yikatong.portals.terminal import views

app_name = "terminal"
urlpatterns = [
    path("", views.kiosk, name="kiosk"),
    path("desk.js", views.desk, name="desk"),
    path("eye.js", views.eye, name="eye"),
    path("reasons.json", views.reasons, name="reasons"),
    path("sw.js", views.service_worker, name="service-worker"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
]
