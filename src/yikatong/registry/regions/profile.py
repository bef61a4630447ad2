"""The profile of a province: everything in which one province differs from another, as data.

One TOML file a province in `profiles/`. No code names a province; a new one joins with a new file.
Each group of rules names the articles it rests on: a letter of a text listed under `laws`, and the number.
"""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

Division6 = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Letter = Annotated[str, StringConstraints(pattern=r"^[A-Z]$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Article = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]*$")]
Channel = Literal["counter", "citizen", "kiosk", "phone", "bank"]
Fen = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(ge=1, le=365)]
SceneName = Literal["general", "medical", "transit", "venue"]
MatterName = Literal["apply", "replace", "loss", "release", "activate", "cancel", "change"]
StepName = Literal["check", "preopen", "produce", "hand_over"]
FeeGround = Literal["elder", "disabled", "veteran", "student", "low_income", "disaster", "policy"]


class BadProfile(Exception):
    """A profile that cannot be used; the message (Chinese) names the file and every wrong key."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=True)


class _Rule(_Part):
    articles: tuple[Article, ...] = Field(min_length=1, strict=False)


class Codes(_Rule):
    """What the province calls its code, and the code of each scene. `label(scene)` stands above it."""

    person: Text
    general: Text
    medical: Text
    transit: Text
    venue: Text

    def label(self, scene: SceneName) -> str:
        return str(getattr(self, scene))


class Loss(_Rule):
    """挂失. A temporary loss ends by itself after `temporary_days`; a formal one may be undone or not."""

    temporary_days: Days
    temporary_channels: tuple[Channel, ...] = Field(strict=False, min_length=1)
    formal_channels: tuple[Channel, ...] = Field(strict=False, min_length=1)
    formal_releasable: bool
    release_channels: tuple[Channel, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _released_somewhere(self) -> Self:
        if self.formal_releasable != bool(self.release_channels):
            raise ValueError("formal_releasable 与 release_channels 不一致")
        return self


class Card(_Rule):
    """Fees and life of a card. `keeps_number`: a replacement keeps the 卡号 (换领不换号).

    `fee_waivers`: grounds on which the fee of a replacement is not taken; a category must be proven on the day.
    """

    first_free: bool
    replacement_fen: Fen
    defect_free: bool
    fee_waivers: tuple[FeeGround, ...] = Field(strict=False, default=())
    keeps_number: bool
    validity_years: Annotated[int, Field(ge=1, le=30)]
    accepts_expired: bool
    independent_age: Annotated[int, Field(ge=0, le=18)]
    family_members_max: Annotated[int, Field(ge=1, le=50)]


class Steps(_Part):
    """Limits in working days of 审核, 银行预开户, 制卡, 领卡入库. Zero: on the spot."""

    check: Annotated[int, Field(ge=0, le=60)]
    preopen: Annotated[int, Field(ge=0, le=60)]
    produce: Annotated[int, Field(ge=0, le=60)]
    hand_over: Annotated[int, Field(ge=0, le=60)]

    @property
    def total(self) -> int:
        return self.check + self.preopen + self.produce + self.hand_over


class Limits(_Rule):
    """办理时限 in working days, ordinary and urgent; an unfetched card is kept `kept_days` calendar days.

    A holder has `correct_days` working days to correct an application; a draft is kept `draft_days` calendar days.
    """

    ordinary: Steps
    urgent: Steps
    kept_days: Days
    correct_days: Days
    draft_days: Days

    def days(self, step: StepName, *, urgent: bool = False) -> int:
        return int(getattr(self.urgent if urgent else self.ordinary, step))

    @model_validator(mode="after")
    def _urgent_is_quicker(self) -> Self:
        if self.urgent.total > self.ordinary.total:
            raise ValueError("urgent 的合计不能多于 ordinary")
        return self


class Joint(_Rule):
    """联办: working days that each department has in a joint matter, from the day it may begin."""

    birth: Days
    household: Days
    vaccination: Days
    insurance: Days
    report: Days
    licence: Days
    residence: Days
    transfer: Days
    pension: Days


class Check(_Part):
    """审核. `four_eyes`: another one than the taker approves; `supervisors_alone`: a supervisor need not wait."""

    four_eyes: bool
    supervisors_alone: bool


class Outlets(_Rule):
    """服务网点. `elsewhere`: matters an outlet of any city takes (全省通办), the others are for the place of issue.

    A queue reported longer ago than `queue_minutes` is told to be stale.
    """

    elsewhere: tuple[MatterName, ...] = Field(
        strict=False, default=("apply", "replace", "loss", "release", "activate")
    )
    queue_minutes: Annotated[int, Field(ge=1, le=240)] = 15


class Rosters(_Rule):
    """批量名册. The faulty rows as they came are kept `rows_kept_days` (calendar) for who sent them, then erased."""

    rows_kept_days: Days = 30


class GuideEntry(_Part):
    """办事指南 of one matter in words; `{names}` stand for figures of this profile (cards.guide). `steps`: "card" for
    the steps of making a card with their limits, else the steps themselves. `service`: what outlets call it.
    Channels "by loss" and "by release" are those that the profile's rules of a loss name.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[a-z-]{2,20}$")]
    title: Text
    service: Text
    articles: tuple[Article, ...] = Field(strict=False, min_length=1)
    who: tuple[Text, ...] = Field(strict=False, min_length=1)
    materials: tuple[Text, ...] = Field(strict=False, min_length=1)
    steps: Literal["card"] | tuple[Text, ...]
    limit: Text
    fee: Text
    result: Text
    channels: tuple[Channel | Literal["by loss", "by release"], ...] = Field(strict=False, min_length=1)
    link: str = ""
    notes: tuple[Text, ...] = Field(strict=False, default=())


class PassRules(_Rule):
    """Bounds of a pass: they bound what a lost phone may cost before offline terminals know.

    Credentials live `credential_hours`, a presentation `presentation_seconds`; money in fen, each use and
    in all offline; `offline_uses` without the platform; a terminal with a list older than
    `list_max_age_hours` refuses.
    """

    credential_hours: Annotated[int, Field(ge=1, le=720)]
    presentation_seconds: Annotated[int, Field(ge=10, le=300)]
    per_use_fen: Fen
    offline_total_fen: Fen
    offline_uses: Annotated[int, Field(ge=0, le=1000)]
    list_max_age_hours: Annotated[int, Field(ge=1, le=720)]
    devices_max: Annotated[int, Field(ge=1, le=20)]

    @model_validator(mode="after")
    def _total_holds_a_use(self) -> Self:
        if self.offline_total_fen < self.per_use_fen:
            raise ValueError("offline_total_fen 不能小于 per_use_fen")
        return self


class BankEntry(_Part):
    """A co-operating bank and what its agreement promises in a demonstration.

    `keeps_account`: offers 换卡不换号; `joint_loss`: a loss here stops there too.

    `is_online`: opens, activates and changes over the line, without waiting for files;
    `delivers_by`: the hour by which it delivers the statuses changed the day before;
    `on_death`: what it does with the account of one who has died.
    """

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
    name: Text
    short_name: Text
    bin: Annotated[str, StringConstraints(pattern=r"^62[0-9]{4,6}$")]
    hotline: Annotated[str, StringConstraints(pattern=r"^[0-9-]{5,13}$")]
    keeps_account: bool
    joint_loss: bool
    is_online: bool = False
    delivers_by: Annotated[int, Field(ge=0, le=23)] | None = None
    on_death: Literal["freeze", "report_loss", "apart"] = "apart"


class City(_Part):
    """A city (or district, under a municipality): its code, the letter of its card numbers, its hexagon.

    `column` and `row` are offset coordinates of a pointy-top grid whose odd rows are shifted half a tile to
    the right. A place of a partner province has `partner` and no letter: it is drawn, but issues no card.
    """

    code: Division6
    name: Text
    short: Text
    letter: Letter | None = None
    column: Annotated[int, Field(ge=0, le=30)]
    row: Annotated[int, Field(ge=0, le=30)]
    partner: bool = False


class DomainEntry(_Part):
    """应用领域 of the catalogue; the list is data, for provinces differ."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,12}$")]
    name: Text
    icon: Text


class Partner(_Part):
    """A province of mutual recognition; `label` is what the pair calls itself."""

    code: Division6
    name: Text
    short: Text
    label: Text


class Footer(_Part):
    """What a public site must say at its foot; empty slots are not shown."""

    hotline: Text
    organiser: Text
    operator: Text
    phone: str = ""
    icp: str = ""
    police: str = ""
    site_code: str = ""
    accessibility: Text


class Laws(_Part):
    """A text that rules rest on: `letter` is how articles name it."""

    letter: Letter
    title: Text


class Profile(_Part):
    """The whole profile; read it by `load`."""

    name: Text
    short: Text
    code: Division6
    issuing_code: Division6
    platform: Text
    authority: Text
    served: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")], ...] = Field(
        strict=False, min_length=1
    )
    codes: Codes
    loss: Loss
    card: Card
    limits: Limits
    joint: Joint
    check: Check
    pass_: PassRules = Field(alias="pass")
    outlets: Outlets = Outlets(articles=("G5",))
    rosters: Rosters = Rosters(articles=("G17",))
    guide: tuple[GuideEntry, ...] = Field(strict=False, default=())
    footer: Footer
    banks: tuple[BankEntry, ...] = Field(strict=False, min_length=1)
    cities: tuple[City, ...] = Field(strict=False, min_length=1)
    domains: tuple[DomainEntry, ...] = Field(strict=False, min_length=1)
    partners: tuple[Partner, ...] = Field(strict=False, default=())
    laws: tuple[Laws, ...] = Field(strict=False, min_length=1)

    @property
    def issuer(self) -> int:
        """The issuing code as the number that passes carry."""
        return int(self.issuing_code)

    def letter_of(self, division: str) -> str:
        """Letter of the card numbers of a division: of its own district, else of its city, else the first."""
        letters = {city.code: city.letter for city in self.cities if city.letter}
        return letters.get(division[:6]) or letters.get(division[:4] + "00") or next(iter(letters.values()))

    def city_of(self, division: str) -> str:
        """Code of the city a division belongs to; under a municipality, of the district itself."""
        own = {city.code for city in self.cities if not city.partner}
        return division[:6] if division[:6] in own else division[:4] + "00"

    def bank(self, code: str) -> BankEntry:
        """Raises KeyError."""
        return {bank.code: bank for bank in self.banks}[code]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        own = [city for city in self.cities if not city.partner]
        strangers = [city.name for city in own if not city.code.startswith(self.code[:2])]
        unlettered = [city.name for city in own if city.letter is None]
        known = {law.letter for law in self.laws}
        rules = (self.codes, self.loss, self.card, self.limits, self.joint, self.pass_, self.outlets)
        unknown = sorted({a for rule in rules for a in rule.articles if a[0] not in known})
        faults = {
            "cities: 不属于本省": strangers,
            "cities: 缺少 letter": unlettered,
            "cities: 编码重复": _twice([city.code for city in self.cities]),
            "cities: 位置重叠": _twice([f"{city.column},{city.row}" for city in self.cities]),
            "banks: code 重复": _twice([bank.code for bank in self.banks]),
            "banks: bin 重复": _twice([bank.bin for bank in self.banks]),
            "domains: code 重复": _twice([domain.code for domain in self.domains]),
            "articles: laws 中没有这部法规": unknown,
        }
        if wrong := [f"{key}（{'、'.join(values)}）" for key, values in faults.items() if values]:
            raise ValueError("；".join(wrong))
        return self


def names() -> tuple[str, ...]:
    """The profiles there are."""
    folder = resources.files(__package__) / "profiles"
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


@cache
def load(name: str) -> Profile:
    """The profile called `name`, e.g. as the setting PROVINCE says; raises BadProfile."""
    if name not in names():
        raise BadProfile(f"没有名为 {name} 的省份配置，可用：{'、'.join(names())}")
    text = (resources.files(__package__) / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, source=f"{name}.toml")


@cache
def common_guide() -> tuple[GuideEntry, ...]:
    """`guide.toml`: what is the same in all provinces."""
    text = (resources.files(__package__) / "guide.toml").read_text(encoding="utf-8")
    return tuple(GuideEntry.model_validate(_tuples(entry)) for entry in tomllib.loads(text)["matter"])


def parse(text: str, *, source: str) -> Profile:
    """Read a profile's TOML; raises BadProfile naming `source` and each wrong key with its path."""
    try:
        return Profile.model_validate(_tuples(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"{source} 不是有效的 TOML：{error}") from None
    except ValidationError as error:
        lines = (f"{source} 的 {_path(fault['loc'])}：{_words(fault)}" for fault in error.errors())
        raise BadProfile("\n".join(lines)) from None


def _path(location: tuple[int | str, ...]) -> str:
    """`banks[0].bin`, or "整体" for a rule about the whole file."""
    return (
        "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in location).lstrip(".") or "整体"
    )


def _words(fault: Any) -> str:
    kinds = {"missing": "缺少这一项", "extra_forbidden": "没有这一项，请检查拼写"}
    return kinds.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")


def _tuples(value: Any) -> Any:
    """TOML arrays as tuples: a profile is frozen all the way down."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _twice(values: list[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})
