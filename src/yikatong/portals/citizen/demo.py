"""The demonstration's telephone: the last message to a number, shown on screen. Called in demo mode only."""

from yikatong.using.identity import queries


def last_text(phone: str) -> str:
    sent = queries.latest_message(phone)
    return str(sent.text) if sent else ""
