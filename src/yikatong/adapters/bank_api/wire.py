"""The signed line to one bank."""

from yikatong.adapters import signed_http
from yikatong.adapters.signed_http import ANSWER_S
from yikatong.registry.banks.connector import BankAway, BankSilent

__all__ = ["ANSWER_S", "Wire"]


class Wire(signed_http.Wire):
    """`key` is shared with the bank, 32 bytes. `post` raises BankAway, BankSilent."""

    def __init__(self, url: str, key: bytes, *, answer_s: float = ANSWER_S) -> None:
        super().__init__(url, key, whom="银行", away=BankAway, silent=BankSilent, answer_s=answer_s)
