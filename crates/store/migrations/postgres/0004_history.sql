-- What a record is found and counted by (see store/src/records/facts.rs). NULL in rows that were stored without; the
-- store fills them in when it opens.
ALTER TABLE records
    ADD COLUMN kind BIGINT,
    ADD COLUMN facts BIGINT,
    ADD COLUMN dialled TEXT COLLATE "C",
    ADD COLUMN dialler TEXT COLLATE "C",
    ADD COLUMN seconds BIGINT,
    ADD COLUMN bill_seconds BIGINT,
    ADD COLUMN reason TEXT COLLATE "C",
    ADD COLUMN trunk TEXT COLLATE "C";

DROP INDEX records_by_start;
DROP INDEX records_by_customer;
DROP INDEX records_by_end;
DROP INDEX records_by_extension;
DROP INDEX records_by_status;

-- Calls that are over, by what is looked for, newest last. Each carries what a search looks at besides, and each has a
-- condition of its own, so that a query says which one it means.
CREATE INDEX records_by_kind ON records (tenant, kind, started_ms, id) INCLUDE (facts, seconds, bill_seconds)
    WHERE ended_ms <> -1;
CREATE INDEX records_by_extension ON records (tenant, extension, started_ms, id) INCLUDE (facts, seconds, bill_seconds, did)
    WHERE ended_ms <> -2;
CREATE INDEX records_by_customer ON records (tenant, customer, started_ms, id) INCLUDE (facts, seconds, bill_seconds)
    WHERE ended_ms <> -3;
CREATE INDEX records_by_did ON records (tenant, did, started_ms, id) INCLUDE (facts, seconds, bill_seconds)
    WHERE ended_ms <> -4 AND did IS NOT NULL;
CREATE INDEX records_by_dialled ON records (tenant, dialled, started_ms, id) INCLUDE (facts, seconds, bill_seconds)
    WHERE ended_ms <> -5 AND dialled IS NOT NULL;
CREATE INDEX records_by_dialler ON records (tenant, dialler, started_ms, id) INCLUDE (facts, seconds, bill_seconds)
    WHERE ended_ms <> -6 AND dialler IS NOT NULL;
CREATE INDEX records_by_end ON records (tenant, ended_ms, id) INCLUDE (facts, seconds, bill_seconds)
    WHERE ended_ms IS NOT NULL;

-- How many calls that are over began on a day (UTC), of one number (`key`; '' of all) and with the same facts.
CREATE TABLE tallies (
    tenant BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    facts BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (tenant, key, day, facts)
) WITH (fillfactor = 70);

-- When the sound was deleted because it was old.
ALTER TABLE recordings ADD COLUMN expired_ms BIGINT;
CREATE INDEX recordings_kept ON recordings (tenant, recording) WHERE expired_ms IS NULL;

-- Searches look at indexes alone, where the table's pages are known to be settled; that is found out again soon after
-- they changed, and not only when a fifth of a large table has.
ALTER TABLE records SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.01,
    autovacuum_analyze_scale_factor = 0.02
);
