"""Addresses of the citizens' face."""

from django.urls import URLPattern, path

from yikatong.portals.citizen.views import card, cases, code, entry, home, places, pwa, records

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("login", entry.log_in, name="login"),
    path("login/code", entry.log_in_code, name="login_code"),
    path("login/choose", entry.choose, name="choose"),
    path("logout", entry.log_out, name="logout"),
    path("code", code.show, name="code"),
    path("code/shell", code.shell, name="code_shell"),
    path("code/short.svg", code.short_svg, name="code_short"),
    path("code/password", code.password, name="password"),
    path("code/password/reset", code.reset_password, name="password_reset"),
    path("code/device", code.device, name="code_device"),
    path("code/credentials", code.credentials, name="code_credentials"),
    path("card", card.card, name="card"),
    path("card/reveal", card.reveal, name="reveal"),
    path("card/ecard", card.ecard, name="ecard"),
    path("card/ecard/remove", card.remove_ecard, name="ecard_remove"),
    path("card/devices/remove", card.remove_device, name="device_remove"),
    path("card/loss", card.loss, name="loss"),
    path("card/loss/done", card.loss_done, name="loss_done"),
    path("card/release", card.release, name="release"),
    path("card/replace", cases.replace, name="replace"),
    path("apply", cases.apply, name="apply"),
    path("cases", cases.cases, name="cases"),
    path("cases/<slug:number>", cases.case, name="case"),
    path("cases/<slug:number>/withdraw", cases.withdraw, name="withdraw"),
    path("uses", records.uses, name="uses"),
    path("looks", records.looks, name="looks"),
    path("places", places.places, name="places"),
    path("places/<uuid:key>", places.place, name="place"),
    path("me", home.me, name="me"),
    path("settings", home.preferences, name="settings"),
    path("settings/display", home.display, name="display"),
    path("help", home.help_page, name="help"),
    path("offline", pwa.offline, name="offline"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
]
