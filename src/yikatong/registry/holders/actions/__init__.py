"""The acts on holders' records. One verb, one transaction; a refusal changes nothing."""

from yikatong.registry.holders.actions.categories import (
    CategoryOverlaps,
    add_category,
    end_category,
    switch_categories,
)
from yikatong.registry.holders.actions.grounds import check_ground, prove
from yikatong.registry.holders.actions.guardians import (
    end_grown_wards,
    end_guardianship,
    guardianship_for,
    register_guardian,
)
from yikatong.registry.holders.actions.life import (
    change_name,
    change_number,
    correct_birth_certificate,
    give_number,
    move,
)
from yikatong.registry.holders.actions.records import (
    AlreadyLinked,
    AlreadyRegistered,
    CertificateOfAnother,
    active,
    certificate_index,
    change_phone,
    columns,
    link_certificate,
    locked,
    phone_index,
    register,
    social_security_index,
)
from yikatong.registry.holders.actions.validity import check_certificate, record_validity, tell_expiring

__all__ = [
    "AlreadyLinked",
    "AlreadyRegistered",
    "CategoryOverlaps",
    "CertificateOfAnother",
    "active",
    "add_category",
    "certificate_index",
    "change_name",
    "change_number",
    "change_phone",
    "check_certificate",
    "check_ground",
    "columns",
    "correct_birth_certificate",
    "end_category",
    "end_grown_wards",
    "end_guardianship",
    "give_number",
    "guardianship_for",
    "link_certificate",
    "locked",
    "move",
    "phone_index",
    "prove",
    "record_validity",
    "register",
    "register_guardian",
    "social_security_index",
    "switch_categories",
    "tell_expiring",
]
