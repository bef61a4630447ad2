"""Addresses of staff log-in."""

from django.urls import path

from yikatong.portals.staff import views

urlpatterns = [
    path("", views.home, name="staff-home"),
    path("login", views.log_in, name="staff-login"),
    path("code", views.code, name="staff-code"),
    path("logout", views.log_out, name="staff-logout"),
    path("account", views.account, name="staff-account"),
    path("display", views.display, name="staff-display"),
    path("alive", views.alive, name="staff-alive"),
    path("wall", views.wall_screen, name="staff-wall"),
    path("back", views.back, name="staff-back"),
]
