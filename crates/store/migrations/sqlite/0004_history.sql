-- What a record is found and counted by (see store/src/records/facts.rs). NULL in rows that were stored without; the
-- store fills them in when it opens.
ALTER TABLE records ADD COLUMN kind BIGINT;
ALTER TABLE records ADD COLUMN facts BIGINT;
ALTER TABLE records ADD COLUMN dialled TEXT;
ALTER TABLE records ADD COLUMN dialler TEXT;
ALTER TABLE records ADD COLUMN seconds BIGINT;
ALTER TABLE records ADD COLUMN bill_seconds BIGINT;
ALTER TABLE records ADD COLUMN reason TEXT;
ALTER TABLE records ADD COLUMN trunk TEXT;

DROP INDEX records_by_start;
DROP INDEX records_by_customer;
DROP INDEX records_by_end;
DROP INDEX records_by_extension;
DROP INDEX records_by_status;

-- Calls that are over, by what is looked for, newest last. Each carries what a search looks at besides, and each has a
-- condition of its own, so that a query says which one it means.
CREATE INDEX records_by_kind ON records (tenant, kind, started_ms, id, facts, seconds, bill_seconds)
    WHERE ended_ms <> -1;
CREATE INDEX records_by_extension ON records (tenant, extension, started_ms, id, facts, seconds, bill_seconds, did)
    WHERE ended_ms <> -2;
CREATE INDEX records_by_customer ON records (tenant, customer, started_ms, id, facts, seconds, bill_seconds)
    WHERE ended_ms <> -3;
CREATE INDEX records_by_did ON records (tenant, did, started_ms, id, facts, seconds, bill_seconds)
    WHERE ended_ms <> -4 AND did IS NOT NULL;
CREATE INDEX records_by_dialled ON records (tenant, dialled, started_ms, id, facts, seconds, bill_seconds)
    WHERE ended_ms <> -5 AND dialled IS NOT NULL;
CREATE INDEX records_by_dialler ON records (tenant, dialler, started_ms, id, facts, seconds, bill_seconds)
    WHERE ended_ms <> -6 AND dialler IS NOT NULL;
CREATE INDEX records_by_end ON records (tenant, ended_ms, id, facts, seconds, bill_seconds) WHERE ended_ms IS NOT NULL;

-- How many calls that are over began on a day (UTC), of one number (`key`; '' of all) and with the same facts.
CREATE TABLE tallies (
    tenant BIGINT NOT NULL,
    key TEXT NOT NULL,
    day BIGINT NOT NULL,
    facts BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    PRIMARY KEY (tenant, key, day, facts)
) WITHOUT ROWID;

-- When the sound was deleted because it was old.
ALTER TABLE recordings ADD COLUMN expired_ms BIGINT;
CREATE INDEX recordings_kept ON recordings (tenant, recording) WHERE expired_ms IS NULL;

DELETE FROM sqlite_stat1 WHERE tbl = 'records';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('records', 'sqlite_autoindex_records_1', '10000000 100000 1'),
    ('records', 'records_live', '1000 10 2'),
    ('records', 'records_by_kind', '10000000 100000 10000 2 1 1 1 1'),
    ('records', 'records_by_extension', '10000000 100000 1000 2 1 1 1 1 1'),
    ('records', 'records_by_customer', '10000000 100000 10 2 1 1 1 1'),
    ('records', 'records_by_did', '10000000 100000 5000 2 1 1 1 1'),
    ('records', 'records_by_dialled', '1000000 10000 5000 2 1 1 1 1'),
    ('records', 'records_by_dialler', '100000 1000 100 2 1 1 1 1'),
    ('records', 'records_by_end', '10000000 100000 2 1 1 1 1'),
    ('recordings', 'recordings_kept', '10000000 100000 1'),
    ('tallies', 'tallies', '5000000 50000 5000 10 1');
ANALYZE sqlite_schema;
