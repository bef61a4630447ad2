"""Addresses shared by all faces."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
