"""A physical card at a terminal without a PSAM: the platform's key device answers through the gate."""

import msgspec

from yikatong.terminal import answers, session
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.store import Store


def authenticate(
    store: Store, client: GateClient, request: str, *, card: str = "", business: str = "01", tac: str = ""
) -> str:
    """The text for Step2 of a national function: of iReadCardBas, or with `card` (识别码|卡号|) of another.

    `business`: 01 reading, 07 medical debit; `tac` asks whether a debit was paid. GateRefused when this card may
    not be used here; GateDown.
    """
    told = {"request": request}
    if card:
        told |= {"card": card, "business": business} | ({"tac": tac} if tac else {})
    body = msgspec.json.encode(told)
    reply = session.ask(store, client, "POST", "/gate/v1/card-auth", body)
    return answers.read(answers.CardAuth, reply.body).answer
