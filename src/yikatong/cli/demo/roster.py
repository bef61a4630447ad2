"""An employer's roster of these weeks: most rows taken, a few faulty, to be mended by the supervisor who has sent it."""

import csv
import io
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from yikatong.cli.demo.diary import Weeks
from yikatong.cli.demo.people import GIVEN, SURNAMES
from yikatong.registry.cards import rosters
from yikatong.registry.cards.models import ApplicantKind
from yikatong.registry.cards.rosters import columns as c
from yikatong.registry.holders.certificates import check_character

ROWS: Final = 24
EMPLOYER: Final = "示例制造有限公司"
#: What is wrong in which row, counted from 0.
FAULTS: Final[dict[int, dict[str, str]]] = {
    4: {c.PHONE: "1990013"},
    11: {c.BANK: "蜀平银行"},
    17: {c.NAME: ""},
}


def enter(weeks: Weeks) -> None:
    weeks.diary.enter(weeks.at(0, 9 * 60 + 40), lambda at: _send(weeks, at))


def _send(weeks: Weeks, at: datetime) -> None:
    dice = weeks.loading.dice("roster")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*c.REQUIRED, *c.OPTIONAL), restval="")
    writer.writeheader()
    writer.writerows(_row(weeks, dice, number) | FAULTS.get(number, {}) for number in range(ROWS))
    said = {"kind": ApplicantKind.EMPLOYER, "applicant": EMPLOYER}
    data = text.getvalue().encode("utf-8-sig")
    sent = rosters.receive(data, "新员工社保卡申领名册.csv", **said, run_now=False, by=weeks.centre, at=at)
    rosters.run(sent.pk, at=at + timedelta(seconds=20))


def _row(weeks: Weeks, dice: Random, number: int) -> dict[str, str]:
    """Somebody new, as young as people are when they begin there."""
    county = weeks.loading.counties[number % 3]
    born = date(weeks.days[-1].year - dice.randint(19, 30), dice.randint(1, 12), dice.randint(1, 28))
    body = f"{county.code}{born:%Y%m%d}{dice.randrange(1000):03d}"
    bank = next(one for one in weeks.loading.banks if one.accepts_new)
    return {
        c.KIND: "居民身份证", c.NUMBER: body + check_character(body),
        c.NAME: dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=2)), c.PHONE: f"1991{number:07d}",
        c.DIVISION: county.code, c.ADDRESS: f"示例街道 {number + 1} 号", c.BANK: bank.short_name, c.DELIVERY: "自取",
    }  # fmt: skip
