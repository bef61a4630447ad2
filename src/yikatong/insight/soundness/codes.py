"""E-cards and devices: they stand and fall with the card in force, and the gate knows."""

from typing import Final

from yikatong.insight.soundness.invariant import Invariant

_STOOD: Final = """
    SELECT d.number, d.status, d.generation, d.revoked_at, e.status, e.removed_at, c.id, c.status, c.expires_on,
        coalesce(c.lost_at, c.cancelled_at), h.id, h.status, h.deceased_on
    FROM codes_device d JOIN cards_ecard e ON e.id = d.ecard_id JOIN cards_card c ON c.id = e.card_id
    JOIN holders_holder h ON h.id = d.holder_id
"""
_STANDS: Final = """
    SELECT device_number, device_status, generation, revoked_at, ecard_status, removed_at, card_id, card_status,
        expires_on, ended_at, holder_id, holder_status, deceased_on FROM codes_standing
"""

CODES: Final = (
    Invariant(
        "ecard_hangs_on_a_live_card",
        "每张已签发的电子社保卡对应本人一张有效的社会保障卡，签发号 24 位",
        """SELECT 'ecard:' || e.id FROM cards_ecard e JOIN cards_card c ON c.id = e.card_id
        WHERE e.status = 'issued' AND (c.status NOT IN ('1', '2', 'B') OR c.holder_id <> e.holder_id)
           OR (e.status = 'removed') <> (e.removed_at IS NOT NULL) OR e.number !~ '^[0-9]{24}$'""",
    ),
    Invariant(
        "device_of_its_holder",
        "在用设备属于在册的人和他的电子社保卡，解除的有时间",
        """SELECT 'device:' || d.number FROM codes_device d JOIN cards_ecard e ON e.id = d.ecard_id
        JOIN holders_holder h ON h.id = d.holder_id
        WHERE e.holder_id <> d.holder_id OR (d.status = 'revoked') <> (d.revoked_at IS NOT NULL)
           OR d.status = 'active' AND h.status <> 'active'""",
    ),
    Invariant(
        "standing_tells_what_is_so",
        "闸机所用的用卡状态与设备、电子社保卡、卡、持卡人四张表一致",
        f"""SELECT 'device:' || wrong.number FROM (
            (({_STOOD}) EXCEPT ({_STANDS})) UNION ALL (({_STANDS}) EXCEPT ({_STOOD}))
        ) AS wrong (number, a, b, c, d, e, f, g, h, i, j, k, l) GROUP BY wrong.number""",
    ),
    Invariant(
        "one_key_signs",
        "只有一套签发密钥正在签发",
        """SELECT 'issuer:' || issuer FROM codes_issuerkey WHERE sign_until IS NULL AND withdrawn_at IS NULL
        GROUP BY issuer HAVING count(*) > 1""",
    ),
)
