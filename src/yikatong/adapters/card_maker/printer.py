"""A printer at an outlet that makes cards while their holders wait: for demonstrations and tests."""

from yikatong.adapters.card_maker.sandbox import chip_of
from yikatong.registry.cards.batches.files import MakeAnswer, MakeRequest


class SandboxPrinter:
    """A `Printer` of registry.stock. Its blanks have chips; what is in them follows from their serial."""

    def print_card(self, order: MakeRequest, blank: str) -> MakeAnswer:
        identification, reset = chip_of(order, blank)
        return MakeAnswer(order.row, order.card_number, identification, reset, "", "", "")
