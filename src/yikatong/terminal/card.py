"""A physical card at a terminal without a PSAM: the platform's key device answers through the gate."""

import msgspec

from yikatong.terminal import answers, session
from yikatong.terminal.gate_client import GateClient
from yikatong.terminal.store import Store


def authenticate(store: Store, client: GateClient, request: str) -> str:
    """The text for iReadCardBas_HSM_Step2. GateRefused when this card may not be read here; GateDown."""
    body = msgspec.json.encode({"request": request})
    reply = session.ask(store, client, "POST", "/gate/v1/card-auth", body)
    return answers.read(answers.CardAuth, reply.body).answer
