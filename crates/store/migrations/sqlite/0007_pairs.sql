-- Each index of a number carries the others that a call may have beside it: a search for two numbers goes by the rarer one
-- and reads no rows.
DROP INDEX records_by_extension;
DROP INDEX records_by_customer;
DROP INDEX records_by_did;
DROP INDEX records_by_dialled;
DROP INDEX records_by_dialler;

CREATE INDEX records_by_extension ON records
    (tenant, extension, started_ms, id, facts, seconds, bill_seconds, did, dialled) WHERE ended_ms <> -2;
CREATE INDEX records_by_customer ON records
    (tenant, customer, started_ms, id, facts, seconds, bill_seconds, extension, did, dialled) WHERE ended_ms <> -3;
CREATE INDEX records_by_did ON records
    (tenant, did, started_ms, id, facts, seconds, bill_seconds, extension, dialled)
    WHERE ended_ms <> -4 AND did IS NOT NULL;
CREATE INDEX records_by_dialled ON records
    (tenant, dialled, started_ms, id, facts, seconds, bill_seconds, extension, did)
    WHERE ended_ms <> -5 AND dialled IS NOT NULL;
CREATE INDEX records_by_dialler ON records
    (tenant, dialler, started_ms, id, facts, seconds, bill_seconds, extension, customer, did, dialled)
    WHERE ended_ms <> -6 AND dialler IS NOT NULL;

DELETE FROM sqlite_stat1 WHERE idx IN ('records_by_extension', 'records_by_customer', 'records_by_did',
    'records_by_dialled', 'records_by_dialler');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('records', 'records_by_extension', '10000000 100000 1000 2 1 1 1 1 1 1'),
    ('records', 'records_by_customer', '10000000 100000 10 2 1 1 1 1 1 1 1'),
    ('records', 'records_by_did', '10000000 100000 5000 2 1 1 1 1 1 1'),
    ('records', 'records_by_dialled', '1000000 10000 5000 2 1 1 1 1 1 1'),
    ('records', 'records_by_dialler', '100000 1000 100 2 1 1 1 1 1 1 1 1');
ANALYZE sqlite_schema;

-- Two numbers at once are tallied, too. Of what was tallied before, the store adds the pairs when it opens, and notes here
-- up to which row it did.
INSERT INTO meta (name, value) SELECT 'pairs_tallied_to', '0' FROM meta WHERE name = 'records_filled_in';
