"""Logs carry no number of a person, wherever in an event it stands."""

import json
import logging
from io import StringIO

import pytest
from django.test import RequestFactory

from yikatong.site import logs

ID, PHONE, ACCOUNT = "510107199003072343", "13900000001", "6229510000000000011"


@pytest.fixture
def line() -> tuple[logging.Logger, StringIO]:
    """A logger with the site's own formatter."""
    plan = logs.plan("INFO")["formatters"]["json"]
    made = plan.pop("()")
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(made(**plan))
    logger = logging.getLogger("tests.site.logs")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel("INFO")
    return logger, out


def test_an_address_in_a_request_is_blotted(line: tuple[logging.Logger, StringIO]) -> None:
    logger, out = line
    request = RequestFactory().get(f"/m/places?q={ID}&phone={PHONE}")

    logger.warning("Not Found: %s", request.path, extra={"request": request, "status_code": 404})

    said = json.loads(out.getvalue())
    assert said["request"] == "<WSGIRequest: GET '/m/places?q=***&phone=***'>"
    assert said["status_code"] == 404


def test_numbers_deep_in_an_event_are_blotted(line: tuple[logging.Logger, StringIO]) -> None:
    logger, out = line

    logger.info("rows", extra={"rows": [{"number": ID}, (PHONE, ACCOUNT)]})

    assert json.loads(out.getvalue())["rows"] == [{"number": "***"}, ["***", "***"]]
    for number in (ID, PHONE, ACCOUNT):
        assert number not in out.getvalue()


def test_a_row_quoted_by_the_database_is_left_out(line: tuple[logging.Logger, StringIO]) -> None:
    logger, out = line
    said = "DETAIL:  Failing row contains (王芳, 1990-03-07).\nCONTEXT: x"

    logger.error("failed", exc_info=ValueError(f'null value in column "sex"\n{said}'))

    said = json.loads(out.getvalue())["exception"]
    assert "王芳" not in said
    assert "DETAIL: ***" in said
    assert "CONTEXT: x" in said
