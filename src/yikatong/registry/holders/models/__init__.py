"""持卡人基础信息库: a person once, with certificates and categories."""

from yikatong.registry.holders.models.guardianship import Guardianship
from yikatong.registry.holders.models.history import LifeEvent, Merge
from yikatong.registry.holders.models.holder import Certificate, Holder
from yikatong.registry.holders.models.proven import CATEGORY_MOVES, Category, Proof

__all__ = [
    "CATEGORY_MOVES",
    "Category",
    "Certificate",
    "Guardianship",
    "Holder",
    "LifeEvent",
    "Merge",
    "Proof",
]
