"""Every invariant holds of a sound town, and each is seen to fail when somebody breaks it by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from tests.insight.soundness import town
from yikatong.insight.soundness import checking
from yikatong.insight.soundness.checking import INVARIANTS

_ANY_HOLDER = "(SELECT id FROM holders_holder WHERE status = 'active' ORDER BY id LIMIT 1)"
_LIVE = "(SELECT id FROM cards_card WHERE status = '1' ORDER BY id LIMIT 1)"
_FREE = "DROP INDEX card_one_live; DROP INDEX card_one_coming;"
_FREE_CASES = "DROP INDEX case_one_open_for_a_card; DROP INDEX case_one_draft;"
_UNGUARDED = "ALTER TABLE core_auditentry DISABLE TRIGGER append_only;"

#: A statement by hand that no act would make, for each invariant. Where the database itself forbids it, that is
#: taken away first: what holds must be seen to hold, not believed.
BREAKS = {
    "holder_end_has_its_mark": f"UPDATE holders_holder SET deceased_on = '2026-01-01' WHERE id = {_ANY_HOLDER}",
    "merged_holder_is_empty": "UPDATE holders_merge SET undone_at = now()",
    "holder_has_certificate": f"DELETE FROM holders_certificate WHERE holder_id = {_ANY_HOLDER}",
    "certificate_current_once": f"""INSERT INTO holders_certificate (id, holder_id, kind, number, number_index,
        is_current, created_at) SELECT gen_random_uuid(), holder_id, kind, number, '\\x00', true, created_at
        FROM holders_certificate WHERE holder_id = {_ANY_HOLDER}""",
    "long_term_certificate_of_age": """UPDATE holders_certificate SET valid_from = '1991-01-01', is_long_term = true
        WHERE is_current""",
    "number_found_by_itself": f"""UPDATE holders_holder SET social_security_index = '\\x00'
        WHERE id = {_ANY_HOLDER}""",
    "category_state_follows_dates": "UPDATE holders_category SET state = 'off'",
    "guardianship_ends_in_time": "UPDATE holders_guardianship SET ended_at = NULL",
    "one_live_card": f"{_FREE} UPDATE cards_card SET status = '2', holder_id = {_ANY_HOLDER}",
    "one_coming_card": f"{_FREE} UPDATE cards_card SET status = 'A', holder_id = {_ANY_HOLDER}",
    "ended_holder_has_no_card": "UPDATE holders_holder SET status = 'left'",
    "replaced_card_has_ended": f"""{_FREE} UPDATE cards_card SET status = '2'
        WHERE id = (SELECT replaces_id FROM cards_card WHERE status = '1' AND replaces_id IS NOT NULL)""",
    "card_number_of_one_person": "UPDATE cards_card SET number = (SELECT min(number) FROM cards_card)",
    "card_numbers_valid": f"""UPDATE cards_card SET number = left(number, 8)
        || CASE right(number, 1) WHEN '1' THEN '2' ELSE '1' END WHERE id = {_LIVE}""",
    "temporary_loss_ends": "UPDATE cards_card SET loss_ends_at = '2026-12-09' WHERE status = 'B'",
    "card_end_has_its_mark": "UPDATE cards_card SET cancel_reason = '' WHERE status IN ('3', '4')",
    "card_moved_along_its_table": "UPDATE cards_cardevent SET from_status = '4' WHERE kind = 'activated'",
    "case_moved_along_its_table": "UPDATE cards_casestep SET status = 'draft' WHERE status = 'checked'",
    "open_case_has_owner_and_limit": "UPDATE cards_case SET step_due_on = NULL WHERE status = 'submitted'",
    "case_fits_its_card": "UPDATE cards_case SET account_id = NULL WHERE status = 'ready'",
    "made_card_waits_for_its_holder": "UPDATE cards_case SET card_id = NULL WHERE status = 'ready'",
    "one_matter_under_way": f"{_FREE_CASES} UPDATE cards_case SET holder_id = {_ANY_HOLDER}",
    "case_number_valid": "UPDATE cards_case SET number = '99' || substr(number, 3) WHERE status = 'submitted'",
    "late_step_has_risen": "DELETE FROM cards_escalation",
    "risen_step_is_the_present_one": "UPDATE cards_escalation SET due_on = due_on - 1 WHERE closed_at IS NULL",
    "correction_is_awaited": "UPDATE cards_correction SET answered_at = now()",
    "handed_over_when_paid": "UPDATE cards_case SET fee_paid_at = NULL",
    "two_pairs_of_eyes": "UPDATE cards_casestep SET actor_id = '00000000-0000-0000-0000-000000000001'",
    "batch_number_valid": "UPDATE cards_batch SET number = 'X' || number",
    "batch_counts_its_rows": "UPDATE cards_batch SET rows = rows + 1",
    "batch_row_has_one_fate": "UPDATE cards_batchrow SET failure = '' WHERE result = 'failed'",
    "roster_rows_erased_in_time": """INSERT INTO cards_roster (id, digest, filename, header, status, refusal, rows,
        rows_done, cases, faults, created_at, created_by, organisation, kind, applicant, scope, finished_at)
        SELECT gen_random_uuid(), '\\x01', '', '\\x01', 'done', '', 0, 0, 0, 0, day, '', '', 'school', '', '', day
        FROM (VALUES (timestamptz '2026-10-01')) AS v (day)""",
    "case_in_production_is_somewhere": "UPDATE stock_printjob SET status = 'done', ended_at = now()",
    "stock_balances": "DELETE FROM stock_blankmove WHERE kind = 'spoiled'",
    "blank_moved_along_its_table": "UPDATE stock_blank SET status = 'in_stock' WHERE status = 'returned'",
    "blank_taken_by_a_job": "UPDATE stock_blank SET status = 'taken' WHERE status = 'in_stock'",
    "day_count_tells_the_book": "UPDATE stock_daycount SET book = book + 1",
    "joint_part_has_limit": "UPDATE joint_jointitem SET due_on = NULL WHERE status = 'correcting'",
    "joint_part_is_told": "DELETE FROM joint_jointrequest",
    "joint_matter_follows_its_parts": "UPDATE joint_jointmatter SET status = 'withdrawn'",
    "late_joint_part_has_risen": "DELETE FROM joint_jointescalation",
    "registered_newborn_has_number": "DELETE FROM holders_certificate WHERE kind = 'A'",
    "account_number_valid": "UPDATE banks_bankaccount SET bank_id = '95903' WHERE bank_id = '95901'",
    "account_of_its_holder": "UPDATE banks_bankaccount SET holder_id = gen_random_uuid()",
    "account_status_has_its_mark": "UPDATE banks_bankaccount SET activated_at = NULL",
    "request_is_numbered": "UPDATE banks_bankrequest SET number = 'X' || number",
    "request_is_settled_or_tried": "UPDATE banks_bankrequest SET settled_at = created_at - interval '1 day'",
    "requests_of_an_account_in_order": """UPDATE banks_bankrequest SET settled_at = settled_at + interval '1 day'
        WHERE act = 'report_loss'""",
    "joint_loss_reached_the_bank": "DELETE FROM banks_bankrequest WHERE act = 'report_loss'",
    "one_agreement_a_day": """INSERT INTO banks_agreement SELECT (jsonb_populate_record(g, jsonb_build_object(
        'id', gen_random_uuid(), 'number', g.number || '之二'))).* FROM banks_agreement g""",
    "hold_has_its_answer": "UPDATE banks_hold SET status = 'asked'",
    "paper_has_two_persons": "UPDATE banks_bankrequest SET by_hand = true WHERE status = 'done'",
    "delivery_is_counted": "UPDATE banks_delivery SET followed = 1",
    "ecard_hangs_on_a_live_card": "UPDATE cards_ecard SET status = 'issued', removed_at = NULL",
    "device_of_its_holder": "UPDATE codes_device SET status = 'active', revoked_at = NULL",
    "standing_tells_what_is_so": "UPDATE codes_standing SET card_status = '2'",
    "one_key_signs": """DROP INDEX issuerkey_one_signs; INSERT INTO codes_issuerkey
        (key_id, issuer, public_key, secrets_sealed, created_at)
        SELECT key_id + 1, issuer, public_key, secrets_sealed, created_at FROM codes_issuerkey""",
    "stock_carried_forward": "UPDATE stock_daybalance SET opening = opening + 1",
    "status_is_known": "UPDATE stock_blank SET status = 'mislaid' WHERE status = 'in_stock'",
    "card_event_is_audited": "UPDATE cards_cardevent SET at = at + interval '1 second' WHERE kind = 'lost'",
    "case_step_is_audited": "UPDATE cards_casestep SET at = at + interval '1 second' WHERE status = 'ready'",
    "life_event_is_audited": "UPDATE holders_lifeevent SET kind = 'name' WHERE kind = 'moved' OR kind = 'left'",
    "request_is_audited": "UPDATE banks_bankrequest SET settled_at = settled_at + interval '1 second'",
    "audit_chain_verifies": f"{_UNGUARDED} UPDATE core_auditentry SET actor_name = '别人' WHERE event LIKE '%lost'",
}


@pytest.fixture
def sound(db: None, places: None, partners: None, settings: Any) -> None:
    settings.CARD_PRINTER = "yikatong.adapters.card_maker.printer.SandboxPrinter"
    town.build()


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done inside is not."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def by_hand(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statements)


def test_each_invariant_has_a_name_and_a_way_to_break_it() -> None:
    known = [one.name for one in INVARIANTS]
    assert len(known) == len(set(known))
    assert set(known) == set(BREAKS), "add to BREAKS a statement that breaks each new invariant"
    assert all(bool(one.sql) != bool(one.find) for one in INVARIANTS)


@pytest.mark.clause("G5", "O10", "S15", "N17")
def test_what_is_broken_by_hand_is_named(sound: None) -> None:
    assert checking.breaches(at=town.NOW) == []
    unseen = []
    for invariant in INVARIANTS:
        with undone():
            by_hand(BREAKS[invariant.name])
            found = checking.breaches(at=town.NOW, chosen=[invariant])
            if [one.name for one in found] != [invariant.name]:
                unseen.append(invariant.name)
    assert unseen == []
    assert checking.breaches(at=town.NOW) == []


def test_a_breach_counts_all_and_shows_some(sound: None) -> None:
    with undone():
        by_hand("UPDATE cards_card SET cancelled_at = now()")
        found = {one.name: one for one in checking.breaches(at=town.NOW)}["card_end_has_its_mark"]
        assert found.says == "注销的卡有时间和原因，其他的卡没有"
        assert found.count > len(found.examples) == 5
        assert all(one.startswith("card:") for one in found.examples)
