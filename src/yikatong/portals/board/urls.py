"""Addresses of this face."""

from django.urls import path

from yikatong.portals.board import views

app_name = "board"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("cities/<slug:code>", views.city, name="city"),
    path("domains/<slug:code>", views.domain, name="domain"),
    path("print", views.printed, name="print"),
]
