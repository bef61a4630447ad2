"""A printer that spoils the first cards it is given; how many, a test says."""

from yikatong.adapters.card_maker.printer import SandboxPrinter
from yikatong.registry.cards.batches.files import MakeAnswer, MakeRequest
from yikatong.registry.stock.printer import PrintFailed


class Jamming(SandboxPrinter):
    jams = 1

    def print_card(self, order: MakeRequest, blank: str) -> MakeAnswer:
        if Jamming.jams:
            Jamming.jams -= 1
            raise PrintFailed("卡面印刷不合格")
        return super().print_card(order, blank)
