"""The fare truth of an answer: which concessions a scene was told of, and the fare class they mean on a bus."""

from functools import lru_cache

from yikatong.using.codes.credential import Claims, Concession, Scene

NAMES = {
    Concession.SENIOR: "senior",
    Concession.STUDENT: "student",
    Concession.CHILD: "child",
    Concession.DISABLED: "disabled",
    Concession.VETERAN: "veteran",
    Concession.LOW_INCOME: "low_income",
    Concession.RESIDENT: "resident",
    Concession.HONOUR: "honour",
}
# Fare classes of the transit scene (using.codes.rules), each the one concession behind it.
FARE_CLASSES = {
    1: Concession.SENIOR,
    2: Concession.STUDENT,
    3: Concession.DISABLED,
    4: Concession.VETERAN,
    5: Concession.LOW_INCOME,
}
_CLASS_OF = {int(concession): number for number, concession in FARE_CLASSES.items()}
_STORED = 0x7FFF  # the column is a smallint


@lru_cache(maxsize=1024)
def bits(claims: Claims) -> int:
    """The concessions to store with a use: those told, or the one behind the fare class."""
    if claims.concessions is not None:
        return claims.concessions & _STORED
    return int(FARE_CLASSES.get(claims.fare_class or 0, 0))


@lru_cache(maxsize=256)
def _names(stored: int) -> tuple[str, ...]:
    return tuple(name for concession, name in NAMES.items() if stored & concession)


def names(stored: int) -> list[str]:
    return list(_names(stored))


def fare_class(scene: int, stored: int) -> int | None:
    """The class a bus charges by; None where the scene has none."""
    return _CLASS_OF.get(stored, 0) if scene == Scene.TRANSIT else None
