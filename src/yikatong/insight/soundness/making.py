"""Batches, rosters, blank cards and the printer's queue: each row one fate, each blank counted."""

from typing import Final

from yikatong.insight.soundness.invariant import Invariant

MAKING: Final = (
    Invariant(
        "batch_number_valid",
        "批次号唯一，由日期和顺序号组成",
        """SELECT 'batch:' || id FROM cards_batch
        WHERE number !~ '^P20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{6,}$'
        UNION ALL SELECT 'batch:' || number FROM cards_batch GROUP BY number HAVING count(*) > 1""",
    ),
    Invariant(
        "batch_counts_its_rows",
        "批次件数等于明细数，已回盘的批次没有等待的明细",
        """SELECT 'batch:' || b.id FROM cards_batch b LEFT JOIN cards_batchrow r ON r.batch_id = b.id
        GROUP BY b.id HAVING b.rows <> count(r.id)
            OR b.status = 'returned' AND count(r.id) FILTER (WHERE r.result = 'pending') > 0""",
    ),
    Invariant(
        "batch_row_has_one_fate",
        "制成的明细有卡号和卡，失败的有环节和原因；一件受理单同时只在一个批次、只制成一次",
        """SELECT 'row:' || r.id FROM cards_batchrow r JOIN cards_case c ON c.id = r.case_id
        WHERE r.result = 'made' AND (r.card_number = '' OR c.card_id IS NULL)
           OR (r.result = 'failed') <> (r.failed_step <> '' AND r.failure <> '')
        UNION ALL SELECT 'case:' || case_id FROM cards_batchrow WHERE result IN ('pending', 'made')
        GROUP BY case_id, result HAVING count(*) > 1""",
    ),
    Invariant(
        "case_in_production_is_somewhere",
        "制卡中的受理单在一个批次或一项打印任务里",
        """SELECT 'case:' || c.id FROM cards_case c WHERE c.status = 'producing'
        AND NOT EXISTS (SELECT FROM cards_batchrow r WHERE r.case_id = c.id AND r.result = 'pending')
        AND NOT EXISTS (SELECT FROM stock_printjob j WHERE j.case_id = c.id AND j.status IN ('queued', 'printing'))""",
    ),
    Invariant(
        "stock_balances",
        "空白卡账实相符：领入减去制成、作废、退回、短少核销，等于在库加取用",
        """SELECT 'outlet:' || b.outlet_id || ' ' || b.bank_id FROM stock_blank b
        LEFT JOIN LATERAL (SELECT sum(m.change) AS change FROM stock_blankmove m WHERE m.blank_id = b.id) m ON true
        GROUP BY b.outlet_id, b.bank_id
        HAVING sum(coalesce(m.change, 0)) <> count(*) FILTER (WHERE b.status IN ('in_stock', 'taken'))""",
    ),
    Invariant(
        "stock_carried_forward",
        "空白卡结转的期初等于此前全部流水之和，流水的网点和银行就是卡的",
        """WITH days AS (
            SELECT outlet_id, bank_id, (at AT TIME ZONE 'Asia/Shanghai')::date AS day, 1 AS part,
                sum(change) AS change, NULL::int AS opening FROM stock_blankmove GROUP BY 1, 2, 3
            UNION ALL SELECT outlet_id, bank_id, day, 0, 0, opening FROM stock_daybalance
        ), running AS (
            SELECT *, sum(change) OVER (PARTITION BY outlet_id, bank_id ORDER BY day, part) AS there FROM days)
        SELECT 'outlet:' || outlet_id || ' ' || bank_id || ' ' || day FROM running WHERE opening <> there
        UNION ALL SELECT 'blank:' || b.serial FROM stock_blankmove m JOIN stock_blank b ON b.id = m.blank_id
        WHERE (m.outlet_id, m.bank_id) <> (b.outlet_id, b.bank_id)""",
    ),
    Invariant(
        "blank_moved_along_its_table",
        "每张空白卡先领入一次，其后逐步流转，最后一步就是现在的状态",
        """WITH ways AS (
            SELECT blank_id, kind, change, lag(kind) OVER story AS before, lead(id) OVER story IS NULL AS is_last
            FROM stock_blankmove WINDOW story AS (PARTITION BY blank_id ORDER BY at, id))
        SELECT DISTINCT 'blank:' || b.serial FROM stock_blank b LEFT JOIN ways w ON w.blank_id = b.id
        WHERE w.blank_id IS NULL OR w.before IS NULL AND w.kind <> 'received'
           OR w.is_last AND CASE w.kind WHEN 'received' THEN 'in_stock' ELSE w.kind END <> b.status
           OR w.change <> CASE w.kind WHEN 'received' THEN 1 WHEN 'taken' THEN 0 ELSE -1 END
           OR w.before IS NOT NULL AND (w.before, w.kind) NOT IN (
               ('received', 'taken'), ('received', 'spoiled'), ('received', 'returned'), ('received', 'missing'),
               ('taken', 'issued'), ('taken', 'spoiled'))""",
    ),
    Invariant(
        "blank_taken_by_a_job",
        "取用中的空白卡在一项未完的打印任务里，未完的任务有一张取用中的卡",
        """SELECT 'blank:' || b.serial FROM stock_blank b WHERE b.status = 'taken' AND NOT EXISTS (
            SELECT FROM stock_printjob j WHERE j.blank_id = b.id AND j.status IN ('queued', 'printing'))
        UNION ALL SELECT 'job:' || j.id FROM stock_printjob j JOIN stock_blank b ON b.id = j.blank_id
        JOIN cards_case c ON c.id = j.case_id
        WHERE j.status IN ('queued', 'printing') AND (b.status <> 'taken' OR c.status <> 'producing')
           OR (j.status IN ('done', 'failed')) <> (j.ended_at IS NOT NULL)
           OR j.status = 'done' AND (b.status <> 'issued' OR c.card_id IS NULL)""",
    ),
    Invariant(
        "day_count_tells_the_book",
        "盘点记下的账面数等于当时流水之和，不符的有说明",
        """SELECT 'count:' || d.id FROM stock_daycount d
        LEFT JOIN stock_blank b ON b.outlet_id = d.outlet_id AND b.bank_id = d.bank_id
        LEFT JOIN stock_blankmove m ON m.blank_id = b.id AND m.at <= d.at
        GROUP BY d.id HAVING d.book <> coalesce(sum(m.change), 0) OR d.book <> d.counted AND d.note = ''""",
    ),
    Invariant(
        "roster_rows_erased_in_time",
        "名册有误的行原样，过了保存期限的都已删除",
        """SELECT 'roster:' || r.id FROM cards_roster r
        WHERE r.finished_at < %(at)s - make_interval(days => %(rows_kept_days)s + 1) AND (r.header IS NOT NULL
            OR EXISTS (SELECT FROM cards_rosterfault f WHERE f.roster_id = r.id AND f.given IS NOT NULL))""",
    ),
)
