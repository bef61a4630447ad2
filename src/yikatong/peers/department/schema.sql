-- The sandbox departments' own tables; made at their start, never touched by the platform.
SELECT pg_advisory_xact_lock(622952);
CREATE SCHEMA IF NOT EXISTS peer_department;
CREATE SEQUENCE IF NOT EXISTS peer_department.receipt;
CREATE TABLE IF NOT EXISTS peer_department.item (
    name text PRIMARY KEY,
    department text NOT NULL,
    key text NOT NULL,
    receipt text NOT NULL,
    content jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('accepted', 'correcting', 'done', 'refused', 'withdrawn')),
    reason text NOT NULL DEFAULT '',
    result jsonb NOT NULL DEFAULT '{}',
    chosen text NOT NULL DEFAULT '',
    chosen_reason text NOT NULL DEFAULT '',
    decides_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS peer_department.request (
    number text PRIMARY KEY,
    department text NOT NULL,
    item text NOT NULL,
    act text NOT NULL,
    digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1
);
