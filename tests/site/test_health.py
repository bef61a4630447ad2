"""Alive, ready, and the figures: for our own machine only, and never with a path or a person in them."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_alive_and_ready(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok", "database": True}


def test_figures_of_site_and_worker(client: Client) -> None:
    client.get("/m/login")
    client.generic("BREW", "/m/login")

    text = client.get("/metrics").content.decode()

    assert 'yikatong_site_requests_total{method="GET",status="200"}' in text
    assert 'method="other"' in text
    assert 'yikatong_site_request_seconds_count{face="m"}' in text
    assert 'yikatong_worker_jobs{status="failed"} 0.0' in text
    assert "BREW" not in text
    assert "/m/login" not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1"},
        {"HTTP_FORWARDED": "for=192.0.2.1"},
        {"REMOTE_ADDR": "192.0.2.1"},
    ],
)
def test_figures_are_not_for_the_world(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/metrics", **headers).status_code == 404
