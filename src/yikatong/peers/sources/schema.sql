-- The sandbox registers' own tables; made at their start, never touched by the platform.
SELECT pg_advisory_xact_lock(622952);
CREATE SCHEMA IF NOT EXISTS peer_sources;
-- What a register has been told of a person, beside what it makes up. The newest of a field counts.
CREATE TABLE IF NOT EXISTS peer_sources.entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    register text NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    known boolean NOT NULL,
    facts jsonb NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS entry_person ON peer_sources.entry (register, number);
CREATE INDEX IF NOT EXISTS entry_feed ON peer_sources.entry (register, id);
