"""批量申领名册: a file of applications. Every row ends as a case, or as a named fault with its row and column."""

from yikatong.registry.cards.rosters.intake import receive
from yikatong.registry.cards.rosters.running import run
from yikatong.registry.cards.rosters.sheets import faults_xlsx, template_xlsx

__all__ = ["faults_xlsx", "receive", "run", "template_xlsx"]
