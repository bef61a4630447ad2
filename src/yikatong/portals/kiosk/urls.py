"""Addresses of the self-service kiosk."""

from django.urls import path

from yikatong.portals.kiosk import matters, outlets, views

app_name = "kiosk"
urlpatterns = [
    path("", views.start, name="start"),
    path("who/<slug:matter>", views.who, name="who"),
    path("scan/<slug:matter>", views.scan, name="scan"),
    path("code/<slug:matter>", views.code, name="code"),
    path("leave", views.leave, name="leave"),
    path("outlets", outlets.page_of, name="outlets"),
    path("progress", matters.progress, name="progress"),
    path("progress/<slug:number>", matters.case, name="case"),
    path("apply", matters.apply, name="apply"),
    path("loss", matters.loss, name="loss"),
    path("loss/done", matters.loss_done, name="loss-done"),
]
