"""Read the divisions."""

from collections.abc import Container, Iterable
from typing import Final

from yikatong.core.asking import Question
from yikatong.registry.regions.models import Division

_KNOWN: Final = Question(
    lambda code: (
        Division.objects.filter(code=code, level__lt=Division.Level.TOWNSHIP).order_by().values_list("code")
    ),
    str,
)


class KnownDivisions(Container[str]):
    """The six-digit codes in force and abolished, asked one at a time: for a single certificate."""

    def __contains__(self, code: object) -> bool:
        return bool(_KNOWN(code))


def known_divisions() -> frozenset[str]:
    """All of them at once (about 7,200 codes): for a roster."""
    codes = Division.objects.filter(level__lt=Division.Level.TOWNSHIP)
    return frozenset(codes.values_list("code", flat=True))


def full_name(code: str) -> str:
    """Names from the province down, e.g. for an address; "" for an unknown code. One query."""
    return full_names([code])[code]


def full_names(codes: Iterable[str]) -> dict[str, str]:
    """The same of many codes, still in one query."""
    chains = {code: [code[:2] + "0000", code[:4] + "00", code[:6], code[:9]] for code in codes}
    wanted = {part for chain in chains.values() for part in chain}
    found = dict(Division.objects.filter(code__in=wanted).values_list("code", "name"))
    return {
        code: _joined(found.get(part, "") for part in dict.fromkeys(chain)) for code, chain in chains.items()
    }


def _joined(names: Iterable[str]) -> str:
    """Municipalities have a level without a name of its own."""
    return "".join(name for name in names if name not in {"市辖区", "县", "省直辖县级行政区划"})
