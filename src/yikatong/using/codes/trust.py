"""The issuer keys a verifier trusts, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from yikatong.using.codes.reasons import Reason, Refused


class KeyState(StrEnum):
    """`withdrawn` ends a key at once, whatever its dates say."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One public key of an issuer: signs in [not_before, sign_until), is believed until verify_until."""

    issuer: int
    key_id: int
    public: bytes
    state: KeyState
    not_before: int
    sign_until: int
    verify_until: int


class TrustList:
    """Issuer keys by (issuer, key id); `version` is the list's number, 0 for one made by hand."""

    def __init__(self, keys: Iterable[IssuerKey], *, version: int = 0) -> None:
        self.version = version
        self.keys = {(key.issuer, key.key_id): key for key in keys}

    def key_for(self, issuer: int, key_id: int, *, signed_from: int, now: int) -> IssuerKey:
        """The key that may vouch for a credential valid from `signed_from`.

        Refused(UNKNOWN_ISSUER, KEY_WITHDRAWN, KEY_OUT_OF_PERIOD).
        """
        key = self.keys.get((issuer, key_id))
        if key is None:
            raise Refused(Reason.UNKNOWN_ISSUER)
        if key.state is KeyState.WITHDRAWN:
            raise Refused(Reason.KEY_WITHDRAWN)
        if not (key.not_before <= signed_from < key.sign_until and now < key.verify_until):
            raise Refused(Reason.KEY_OUT_OF_PERIOD)
        return key
