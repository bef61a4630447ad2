"""Holders, their certificates, concessions and guardians."""

from collections.abc import Iterator
from typing import Final

from yikatong.core.fields import blind_index
from yikatong.insight.soundness.invariant import Invariant
from yikatong.registry.holders.models import Certificate, Holder


def _numbers() -> Iterator[str]:
    """Holders and certificates that would not be found by their own number."""
    for key, number, index in Holder.objects.values_list(
        "pk", "social_security_number", "social_security_index"
    ).iterator():
        if blind_index("social_security", str(number)) != bytes(index):
            yield f"holder:{key}"
    found = Certificate.objects.values_list("pk", "kind", "number", "number_index")
    for key, kind, number, index in found.iterator():
        if blind_index("certificate", f"{kind}:{number!s}") != bytes(index):
            yield f"certificate:{key}"


PEOPLE: Final = (
    Invariant(
        "holder_end_has_its_mark",
        "已故的有死亡日期，已合并的有去向，其他登记两者都没有",
        """SELECT 'holder:' || id FROM holders_holder
        WHERE (status = 'deceased') <> (deceased_on IS NOT NULL) OR (status = 'merged') <> (merged_into_id IS NOT NULL)""",
    ),
    Invariant(
        "merged_holder_is_empty",
        "已合并的登记没有证件，有且只有一次未撤销的合并，去向相同",
        """SELECT 'holder:' || h.id FROM holders_holder h
        LEFT JOIN holders_merge m ON m.gone_id = h.id AND m.undone_at IS NULL
        WHERE (h.status = 'merged') <> (m.id IS NOT NULL) OR m.kept_id IS DISTINCT FROM h.merged_into_id
           OR h.status = 'merged' AND EXISTS (SELECT FROM holders_certificate c WHERE c.holder_id = h.id)""",
    ),
    Invariant(
        "holder_has_certificate",
        "没有合并的持卡人至少有一件证件",
        """SELECT 'holder:' || h.id FROM holders_holder h WHERE h.status <> 'merged'
        AND NOT EXISTS (SELECT FROM holders_certificate c WHERE c.holder_id = h.id)""",
    ),
    Invariant(
        "certificate_current_once",
        "一人同一种证件只有一件现用",
        """SELECT 'holder:' || holder_id FROM holders_certificate WHERE is_current
        GROUP BY holder_id, kind HAVING count(*) > 1""",
    ),
    Invariant(
        "long_term_certificate_of_age",
        "长期有效的现用证件是本人满 46 周岁后申领的居民身份证",
        """SELECT 'certificate:' || c.id FROM holders_certificate c JOIN holders_holder h ON h.id = c.holder_id
        WHERE c.is_current AND c.is_long_term AND (c.kind <> 'A' OR c.valid_from < h.birth_date + interval '46 years')""",
    ),
    Invariant("number_found_by_itself", "每个证件号码和社会保障号码都能按号码找到", find=_numbers),
    Invariant(
        "category_state_follows_dates",
        "优待类别按日期启停",
        """SELECT 'category:' || id FROM holders_category
        WHERE state = 'coming' AND valid_from <= %(yesterday)s OR state = 'on' AND valid_until <= %(yesterday)s
           OR state = 'on' AND valid_from > %(today)s
           OR state = 'off' AND (valid_until IS NULL OR valid_until > %(today)s AND valid_until > valid_from)""",
    ),
    Invariant(
        "guardianship_ends_in_time",
        "监护关系在被监护人可独立办理之日终止，不早于登记，监护人不是本人",
        """SELECT 'guardianship:' || id FROM holders_guardianship
        WHERE ended_at IS NULL AND valid_until <= %(yesterday)s OR ended_at < created_at OR guardian_id = ward_id""",
    ),
)
