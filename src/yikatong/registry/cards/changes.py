"""What a new card would change, and what stays: shown before and after to who chooses a bank (Guangdong art. 5)."""

from dataclasses import dataclass
from datetime import date

from yikatong.core.masking import mask_number
from yikatong.registry.banks.models import Agreement, Bank, BankAccount
from yikatong.registry.banks.terms import standing
from yikatong.registry.cards import rules
from yikatong.registry.cards.models import Card
from yikatong.registry.regions.profile import Profile


@dataclass(frozen=True, slots=True)
class Change:
    """One thing on the card or behind it. `advice` is what the holder has to do himself, "" where nothing."""

    what: str
    before: str
    after: str
    stays: bool
    advice: str = ""


def of_replacement(card: Card, bank: Bank, profile: Profile, *, day: date) -> list[Change]:
    """A replacement of this card by one of that bank, thing by thing; `card` comes with its account and bank."""
    account = card.account
    before, old = _account_words(account), account.bank if account else None
    agreed, had = standing(bank.pk, day), standing(old.pk if old else None, day)
    keeps = rules.stays(account, agreed)
    return [
        Change("服务银行", old.name if old else "没有", bank.name, stays=old == bank),
        Change(
            "金融账号",
            before,
            "账号不变" if keeps else f"{bank.name}另开新账号",
            stays=keeps,
            advice=""
            if keeps or old is None
            else f"原账户及余额仍在{old.name}，不会自动转移，由本人办理转账或销户。",
        ),
        Change(
            "金融功能",
            "已激活" if account is not None and account.activated_at else "未激活",
            "不用重新激活" if keeps else "新卡领取后由本人激活",
            stays=keeps,
        ),
        Change(
            "财政补贴等发放账户",
            before,
            "不变" if keeps else "新卡启用之日起改发到新账户",
            stays=keeps,
        ),
        Change(
            "水电气、话费等代扣",
            "由原账户扣款" if old else "没有",
            "不变" if keeps or old is None else "不会自动转到新账户",
            stays=keeps or old is None,
            advice="" if keeps or old is None else "请向收费单位重新签约，原账户的代扣请自行解约。",
        ),
        Change(
            "联动挂失",
            _joint(had) if old else "没有账户",
            _joint(agreed),
            stays=old is not None and had.joint_loss == agreed.joint_loss,
        ),
        Change(
            "社会保障卡号",
            mask_number(card.number),
            "不变" if profile.card.keeps_number else "新卡号",
            stays=profile.card.keeps_number,
        ),
        Change("卡片和卡识别码", "原卡", "新卡；启用时原卡注销", stays=False),
        Change("社会保障号码、参保和待遇", "—", "不变", stays=True),
        Change("电子社保卡", "—", "启用新卡时自动换绑，不用重新签发", stays=True),
        Change("服务银行电话", old.hotline if old else "没有", bank.hotline, stays=old == bank),
    ]


def _account_words(account: BankAccount | None) -> str:
    return mask_number(account.number) if account else "没有"


def _joint(agreed: Agreement) -> str:
    return "挂失时账户同时停用" if agreed.joint_loss else "账户须另向银行挂失"
