"""批量申领名册: a file of applications. Every row ends as a case, or as a named fault with its row and column."""

from yikatong.registry.cards.rosters.given import erase_old, given_xlsx, is_sender, kept_until
from yikatong.registry.cards.rosters.intake import receive
from yikatong.registry.cards.rosters.routes import routes
from yikatong.registry.cards.rosters.running import run
from yikatong.registry.cards.rosters.sheets import faults_xlsx, template_xlsx

__all__ = [
    "erase_old",
    "faults_xlsx",
    "given_xlsx",
    "is_sender",
    "kept_until",
    "receive",
    "routes",
    "run",
    "template_xlsx",
]
