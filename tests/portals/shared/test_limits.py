"""Bodies are refused by their announced length, and answers carry the content policy."""

import pytest
from django.test import Client

TWO_GB = 2 * 1024**3


@pytest.mark.parametrize("path", ["/staff/login", "/console/rosters", "/m/login"])
def test_a_two_gigabyte_body_is_refused_before_it_is_read(client: Client, path: str) -> None:
    answer = client.generic("POST", path, b"x", CONTENT_LENGTH=str(TWO_GB))

    assert answer.status_code == 413
    assert "没有接收" in answer.content.decode()


@pytest.mark.parametrize("length", ["-1", "many"])
def test_a_length_that_is_no_number_is_refused(client: Client, length: str) -> None:
    assert client.generic("POST", "/staff/login", b"x", CONTENT_LENGTH=length).status_code == 413


def test_a_program_gets_problem_details(client: Client) -> None:
    answer = client.generic(
        "POST", "/m/login", b"x", CONTENT_LENGTH=str(TWO_GB), HTTP_ACCEPT="application/json"
    )

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "request_entity_too_large"


def test_every_answer_allows_our_own_files_only(client: Client) -> None:
    policy = client.get("/healthz").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/counter/cases/%00/", "/console/batches/a%00b", "/m/%00"])
def test_an_address_that_no_text_can_be_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_a_stranger_has_no_large_file_read_even_where_staff_may_send_one(client: Client) -> None:
    client.cookies["csrftoken"] = "x" * 32

    answer = client.generic("POST", "/console/rosters", b"x", CONTENT_LENGTH=str(100 * 1024**2))

    assert answer.status_code == 413
