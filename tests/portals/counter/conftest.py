import pytest
from django.test import Client

from tests import cast
from yikatong.core.models import StaffUser


@pytest.fixture
def stage(db: None) -> None:
    cast.set_stage()


@pytest.fixture
def li_qiang(stage: None) -> StaffUser:
    return cast.li_qiang()


@pytest.fixture
def desk(li_qiang: StaffUser) -> Client:
    """李强's browser, logged in."""
    return cast.log_in(Client(), li_qiang)


@pytest.fixture
def chongqing(stage: None) -> Client:
    """赵敏's browser: a clerk of another province."""
    return cast.log_in(Client(), cast.zhao_min())
