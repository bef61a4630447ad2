-- The sandbox bank's own tables; made at its start, never touched by the platform.
SELECT pg_advisory_xact_lock(622951);
CREATE SCHEMA IF NOT EXISTS peer_bank;
CREATE SEQUENCE IF NOT EXISTS peer_bank.account_number;
CREATE TABLE IF NOT EXISTS peer_bank.account (
    number text PRIMARY KEY,
    bank text NOT NULL,
    status text NOT NULL CHECK (status IN ('preopened', 'active', 'lost', 'frozen', 'closed')),
    certificate text NOT NULL DEFAULT '',
    card text NOT NULL DEFAULT '',
    was_active boolean NOT NULL DEFAULT false,
    lost_until timestamptz,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
ALTER TABLE peer_bank.account ADD COLUMN IF NOT EXISTS was_lost boolean NOT NULL DEFAULT false;
ALTER TABLE peer_bank.account ADD COLUMN IF NOT EXISTS name text NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS account_changed ON peer_bank.account (bank, changed_at);
CREATE TABLE IF NOT EXISTS peer_bank.request (
    number text PRIMARY KEY,
    bank text NOT NULL,
    digest bytea NOT NULL,
    answer jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1
);
