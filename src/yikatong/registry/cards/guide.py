"""办事指南 (Sichuan art. 14, Guangdong art. 5): each matter in words, with the figures of the province's profile.

The words are `regions/guide.toml`, what a province does otherwise stands in its profile; every figure comes from the
rules that the acts themselves obey.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from yikatong.registry.cards import following
from yikatong.registry.cards.models import CaseStatus
from yikatong.registry.cards.rules import FeeGround
from yikatong.registry.regions.law import cite, province
from yikatong.registry.regions.profile import GuideEntry, Profile, common_guide

CHANNELS: Final = {
    "citizen": "手机和网上",
    "kiosk": "自助服务机",
    "counter": "服务网点窗口",
    "bank": "合作银行网点",
    "phone": "电话",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`owner` and `limit` are "" where the words say it."""

    label: str
    owner: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """One page of the guide. `is_elsewhere`: any city's outlet takes it (全省通办)."""

    key: str
    title: str
    service: str
    who: list[str]
    materials: list[str]
    steps: list[Step]
    limit: str
    fee: str
    result: str
    channels: list[str]
    link: str
    notes: list[str]
    basis: list[str]
    is_elsewhere: bool


def matters() -> list[Matter]:
    """All of them, in the order of a card's life."""
    profile = province()
    own = {entry.key: entry for entry in profile.guide}
    common = {entry.key: entry for entry in common_guide()}
    return [_matter(entry, profile) for entry in (common | own).values()]


def matter(key: str) -> Matter | None:
    return next((one for one in matters() if one.key == key), None)


def _matter(entry: GuideEntry, profile: Profile) -> Matter:
    figures = _figures(profile)

    def filled(words: tuple[str, ...]) -> list[str]:
        return [said for said in (one.format_map(figures) for one in words) if said]

    return Matter(
        key=entry.key,
        title=entry.title,
        service=entry.service,
        who=filled(entry.who),
        materials=filled(entry.materials),
        steps=list(_card_steps())
        if entry.steps == "card"
        else [Step(one) for one in filled(tuple(entry.steps))],
        limit=entry.limit.format_map(figures),
        fee=entry.fee.format_map(figures),
        result=entry.result.format_map(figures),
        channels=[CHANNELS[one] for one in _channels(entry, profile)],
        link=entry.link,
        notes=filled(entry.notes),
        basis=[cited for cited in map(cite, entry.articles) if cited],
        is_elsewhere=entry.key in profile.outlets.elsewhere,
    )


def _channels(entry: GuideEntry, profile: Profile) -> Iterator[str]:
    by_rule = {
        "by loss": profile.loss.temporary_channels,
        "by release": (*profile.loss.release_channels, "counter"),
    }
    named = [name for one in entry.channels for name in by_rule.get(one, (one,))]
    return (name for name in CHANNELS if name in named)


def _card_steps() -> Iterator[Step]:
    """The way of a case that ends in a card, as its holder will follow it."""
    owners = {
        CaseStatus.SUBMITTED: "签发地社会保障卡经办机构",
        CaseStatus.CHECKED: "所选合作银行",
        CaseStatus.PREOPENED: province().footer.operator,
        CaseStatus.PRODUCING: "制卡机构",
        CaseStatus.READY: "所选领卡网点",
        CaseStatus.DONE: "领卡网点和本人",
    }
    for status, label in following.WAY:
        yield Step(label, owners[status], following.limit_words(status, province().limits))


def _figures(profile: Profile) -> dict[str, str]:
    loss, card, limits, joint = profile.loss, profile.card, profile.limits, profile.joint
    final = "本省规定正式挂失后不能解除，须办理补换。"
    return {
        "province": profile.name,
        "independent_age": str(card.independent_age),
        "temporary_days": str(loss.temporary_days),
        "kept_days": str(limits.kept_days),
        "card_days": str(limits.ordinary.total),
        "newborn_days": str(joint.birth + max(joint.vaccination, joint.household + joint.insurance)),
        "veteran_days": str(
            joint.report + max(joint.licence, joint.residence, joint.transfer, joint.pension)
        ),
        "banks": "、".join(bank.name for bank in profile.banks),
        "first_fee": "首次申领不收费。" if card.first_free else f"工本费 {_yuan(card.replacement_fen)}。",
        "replacement_fee": _replacement_fee(profile),
        "keeps_number": "卡号不变。" if card.keeps_number else "卡号会改变。",
        "release_note": "" if loss.formal_releasable else final,
        "release_who": "正式挂失后卡片找回、尚未补换的持卡人。" if loss.formal_releasable else final,
    }


def _replacement_fee(profile: Profile) -> str:
    card = profile.card
    if not card.replacement_fen:
        return "不收费。"
    words = [f"补换工本费 {_yuan(card.replacement_fen)}"]
    free = ["制作质量问题"] if card.defect_free else []
    free += [FeeGround(ground).label for ground in card.fee_waivers]
    return "，".join([*words, *([f"以下情形免收：{'、'.join(free)}"] if free else [])]) + "。"


def _yuan(fen: int) -> str:
    yuan, rest = divmod(fen, 100)
    return f"{yuan} 元" if rest == 0 else f"{yuan}.{rest:02d} 元"
