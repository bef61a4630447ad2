"""The pass 通行凭证 in one place: everything gate, terminals, browser tests and the SDK need, and no I/O.

This module and its neighbours import nothing but `core.sm`, each other and the standard library.
"""

from yikatong.using.codes.credential import (
    Claims,
    Concession,
    Credential,
    Issued,
    Limits,
    Predicate,
    Scene,
    credential_secret,
    issue_credential,
    parse_credential,
)
from yikatong.using.codes.keyset import Keyset
from yikatong.using.codes.lists import (
    Envelope,
    Hotlist,
    apply_delta,
    delta_payload,
    hot_payload,
    read_envelope,
    read_hotlist,
    read_trust,
    trust_payload,
)
from yikatong.using.codes.presentation import (
    Presentation,
    decode_text,
    encode_text,
    parse,
    present,
    present_unsigned,
)
from yikatong.using.codes.reasons import Reason, Refused
from yikatong.using.codes.reference import (
    Reference,
    make_reference,
    make_references,
    open_reference,
    open_references,
)
from yikatong.using.codes.short import ShortCode, is_short, make_short_code, open_short_code
from yikatong.using.codes.trust import IssuerKey, KeyState, TrustList
from yikatong.using.codes.verify import (
    DEFAULT,
    Journal,
    Policy,
    Seen,
    Spent,
    check_clock,
    check_limits,
    check_scene,
    check_signatures,
    verify_offline,
    verify_online,
)

__all__ = [
    "DEFAULT",
    "Claims",
    "Concession",
    "Credential",
    "Envelope",
    "Hotlist",
    "Issued",
    "IssuerKey",
    "Journal",
    "KeyState",
    "Keyset",
    "Limits",
    "Policy",
    "Predicate",
    "Presentation",
    "Reason",
    "Reference",
    "Refused",
    "Scene",
    "Seen",
    "ShortCode",
    "Spent",
    "TrustList",
    "apply_delta",
    "check_clock",
    "check_limits",
    "check_scene",
    "check_signatures",
    "credential_secret",
    "decode_text",
    "delta_payload",
    "encode_text",
    "hot_payload",
    "is_short",
    "issue_credential",
    "make_reference",
    "make_references",
    "make_short_code",
    "open_reference",
    "open_references",
    "open_short_code",
    "parse",
    "parse_credential",
    "present",
    "present_unsigned",
    "read_envelope",
    "read_hotlist",
    "read_trust",
    "trust_payload",
    "verify_offline",
    "verify_online",
]
