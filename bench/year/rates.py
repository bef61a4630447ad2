"""How often things happen in a city, a year and 1,000 holders; each with its source, or that it is assumed."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_mille` a year; `source` says where it is from. `any_day`: on days of rest too (phones, machines)."""

    name: str
    per_mille: float
    source: str
    any_day: bool = False


#: Births and deaths: national bureau of statistics, 2024 (6.77 ‰, 7.76 ‰). The rest are assumptions of ours, chosen
#: high: no province publishes them.
RATES: Final = (
    Rate("birth", 6.77, "national rate of 2024; each is applied for by a guardian within the year"),
    Rate("death", 7.76, "national rate of 2024", any_day=True),
    Rate("newcomer", 10.0, "assumed: 1 % move in or begin to work here, beyond those of rosters"),
    Rate(
        "duplicate",
        0.4,
        "assumed: a compatriot is registered a second time under his permit, found and merged",
    ),
    Rate("leave", 3.0, "assumed: settle abroad or move to another province"),
    Rate("move", 20.0, "assumed: 2 % change county or city"),
    Rate("rename", 1.0, "assumed"),
    Rate("renumber", 0.3, "assumed: a number given twice is corrected"),
    Rate("rephone", 30.0, "assumed: 3 % change the registered phone"),
    Rate("temporary_loss", 15.0, "assumed; half end by themselves after seven days", any_day=True),
    Rate("loss", 20.0, "assumed: 2 % of cards are lost a year; one in seven is found again"),
    Rate("damage", 8.0, "assumed: damaged or badly made"),
    Rate("other_bank", 5.0, "assumed: change of bank"),
    Rate("category", 12.0, "assumed: concessions entered; a fifth is ended early"),
    Rate("agent", 5.0, "assumed: an agent is authorised; half act within the month, a fifth is taken back"),
    Rate(
        "ecard", 40.0, "assumed: e-cards issued and a phone bound, beyond the 60 % who have one", any_day=True
    ),
    Rate("rebind", 10.0, "assumed: a phone is released", any_day=True),
    Rate(
        "mistake",
        10.0,
        "assumed: what is not allowed is tried: a second card, a loss twice, somebody else's case",
    ),
)
#: A card lasts ten years, so a tenth expires each year; it is accepted until replaced, and this share is in that year.
RENEWED: Final = 0.5

#: What becomes of a case on its way (shares; assumed).
DRAFTED, DRAFT_ENDED_ELSEWHERE = 0.2, 0.7
CORRECTED, CORRECTED_IN_TIME, REJECTED, WITHDRAWN = 0.04, 0.7, 0.01, 0.01
LEFT_LYING = 0.02  # in a step until it is late
BANK_FAILS, MAKER_FAILS, PRINT_FAILS = 0.005, 0.01, 0.02
NEVER_FETCHED, NOT_ACTIVATED_AT_ONCE = 0.02, 0.05
FEE_WAIVED = 0.05
DEATH_UNDONE, MERGE_UNDONE = 0.01, 0.1
#: How an application comes in (assumed after the shares of government services on line).
CHANNELS: Final = {"counter": 0.45, "mobile": 0.35, "web": 0.1, "kiosk": 0.1}
#: Rosters of schools and employers: holders more a year, per mille, in four files.
ROSTERED: Final = 8.0
