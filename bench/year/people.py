"""Invented people of one city, and the book of who may do what today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from uuid import UUID

from yikatong.registry.holders.certificates import check_character

COUNTIES = ("510703", "510704", "510705", "510722", "510781")
ELSEWHERE = ("510107", "511302", "511702")
DIVISIONS = {
    "510000": "四川省", "510100": "成都市", "510107": "武侯区", "510700": "绵阳市", "510703": "涪城区", "510704": "游仙区",
    "510705": "安州区", "510722": "三台县", "510781": "江油市", "511300": "南充市", "511302": "顺庆区", "511700": "达州市",
    "511702": "通川区",
}  # fmt: skip
BANKS = ("95901", "95902", "95903")
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN = "样例试演示造虚拟甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


@dataclass(slots=True, eq=False)
class Person:
    """What a shard remembers of one of its people."""

    key: UUID
    born: date
    county: str
    bank: str
    card: UUID | None = None


class Pool:
    """People in one condition: one is added, removed or picked at random in constant time."""

    def __init__(self) -> None:
        self._people: list[Person] = []
        self._place: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people)

    def __contains__(self, person: Person) -> bool:
        return person.key in self._place

    def add(self, person: Person) -> None:
        if person.key not in self._place:
            self._place[person.key] = len(self._people)
            self._people.append(person)

    def discard(self, person: Person) -> None:
        place = self._place.pop(person.key, None)
        if place is None:
            return
        last = self._people.pop()
        if last is not person:
            self._people[place] = last
            self._place[last.key] = place

    def pick(self, dice: Random) -> Person | None:
        return dice.choice(self._people) if self._people else None


class Numbers:
    """Identity numbers that nobody else has: each shard counts in a range of its own."""

    def __init__(self, shard: int, shards: int) -> None:
        self._first, self._room = shard * (999 // shards) + 1, 999 // shards
        self._given: dict[tuple[str, date], int] = {}

    def new(self, county: str, born: date) -> str:
        given = self._given.get((county, born), 0)
        if given >= self._room:
            raise OverflowError(f"no number left for {county} {born}")
        self._given[county, born] = given + 1
        body = f"{county}{born:%Y%m%d}{self._first + given:03d}"
        return body + check_character(body)


def name(dice: Random) -> str:
    return dice.choice(_SURNAMES) + "".join(dice.sample(_GIVEN, dice.randint(1, 2)))


def age_on(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
