"""Sign the audit log's checkpoints with the issuer's checkpoint key: the log stands below and knows no keys."""

from datetime import datetime

from yikatong.core import audit_log
from yikatong.core.models import AuditCheckpoint
from yikatong.core.sm import sm2
from yikatong.using.codes import issuing, keysets


def seal(*, at: datetime) -> AuditCheckpoint | None:
    """Number the new entries and sign the new root; None when there are none."""
    keyset = issuing.signing_keyset(at)
    pair = keysets.checkpoint_key(keyset)
    return audit_log.seal_entries(
        at=at, key_id=keyset.key_id, sign=lambda said: sm2.sign(pair.private, said, pair.public)
    )
