"""Holders and cards in any state, as the other rooms would have made them."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.using.people import AT, PHONE, WANG, MakeCard, MakeHolder
from yikatong.core.fields import blind_index
from yikatong.registry.cards.models import Card, CardStatus
from yikatong.registry.holders.models import Certificate, Holder


@pytest.fixture
def make_holder(db: None) -> MakeHolder:
    def make(number: str = WANG, *, phone: str | None = PHONE, **fields: Any) -> Holder:
        holder = Holder.objects.create(
            name=fields.pop("name", "王芳"),
            social_security_number=number,
            social_security_index=blind_index("social_security", number),
            sex=Holder.Sex.FEMALE,
            birth_date=date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
            division_code="510105",
            phone=phone,
            phone_index=blind_index("phone", phone) if phone else None,
            created_at=fields.pop("created_at", AT - timedelta(days=30)),
            **fields,
        )
        index = blind_index("certificate", f"A:{number}")
        Certificate.objects.create(
            holder=holder, kind="A", number=number, number_index=index, created_at=holder.created_at
        )
        return holder

    return make


@pytest.fixture
def make_card(db: None) -> MakeCard:
    def make(holder: Holder, status: CardStatus = CardStatus.NORMAL, **fields: Any) -> Card:
        number = Card.objects.count() + 1
        return Card.objects.create(
            holder=holder,
            number=f"A{number:07d}0",
            identification=f"{number:032x}",
            reset_info=f"{number:026x}",
            division_code="510105",
            status=status,
            issued_on=date(2026, 1, 5),
            expires_on=date(2036, 1, 5),
            loss_ends_at=AT + timedelta(days=7) if status == CardStatus.TEMPORARILY_LOST else None,
            **fields,
        )

    return make


@pytest.fixture
def wang(make_holder: MakeHolder, make_card: MakeCard) -> Holder:
    holder = make_holder()
    make_card(holder)
    return holder
