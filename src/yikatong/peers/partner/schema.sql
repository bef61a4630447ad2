-- The sandbox partners' own tables; made at their start, never touched by the platform.
SELECT pg_advisory_xact_lock(622953);
CREATE SCHEMA IF NOT EXISTS peer_partner;
CREATE TABLE IF NOT EXISTS peer_partner.list (
    partner text NOT NULL,
    scene integer NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (partner, scene)
);
CREATE TABLE IF NOT EXISTS peer_partner.reference (
    partner text NOT NULL,
    scene integer NOT NULL,
    reference text NOT NULL,
    PRIMARY KEY (partner, scene, reference)
);
