-- Facts about the whole store: `realm`, `engine`, `settings_version`, `key_check`.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Companies. A row is never deleted and its id never given to another; `deleted_ms` hides it.
CREATE TABLE tenants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL,
    version BIGINT NOT NULL,
    deleted_ms BIGINT,
    body TEXT NOT NULL
);

-- Every noun of the provision file but tenants. Tenant 0 is the operator.
-- `secrets` is a JSON object of sealed or hashed values; `place` is the order in the file.
CREATE TABLE settings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant BIGINT NOT NULL,
    noun TEXT NOT NULL,
    name TEXT NOT NULL,
    place BIGINT NOT NULL,
    body TEXT NOT NULL,
    secrets TEXT NOT NULL,
    UNIQUE (tenant, noun, name)
);

-- The last position of each tenant's story.
CREATE TABLE heads (
    tenant INTEGER PRIMARY KEY,
    position BIGINT NOT NULL
);

-- The story. `batch` is the position of the last event stored with this one.
CREATE TABLE events (
    tenant BIGINT NOT NULL,
    position BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    subject TEXT NOT NULL,
    id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    callid TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, position)
) WITHOUT ROWID;

-- The events of a call; nothing of a call is told twice.
CREATE UNIQUE INDEX events_by_call ON events (tenant, callid, subject, id, seq) WHERE callid IS NOT NULL;

-- One row a call, true. `ended_ms` NULL: the call is live.
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    tenant BIGINT NOT NULL,
    callid TEXT NOT NULL,
    direction TEXT NOT NULL,
    customer TEXT NOT NULL,
    did TEXT,
    src TEXT NOT NULL,
    dst TEXT NOT NULL,
    extension TEXT,
    status TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    answered_ms BIGINT,
    ended_ms BIGINT,
    record TEXT NOT NULL,
    UNIQUE (tenant, callid)
);

-- What may change in the life of a call stands only in indexes of ended calls, so that it is written there once.
CREATE INDEX records_by_start ON records (tenant, started_ms, id);
CREATE INDEX records_by_customer ON records (tenant, customer, started_ms, id);
CREATE INDEX records_live ON records (tenant, started_ms) WHERE ended_ms IS NULL;
CREATE INDEX records_by_end ON records (tenant, ended_ms, id) WHERE ended_ms IS NOT NULL;
CREATE INDEX records_by_extension ON records (tenant, extension, ended_ms, id) WHERE ended_ms IS NOT NULL;
CREATE INDEX records_by_status ON records (tenant, status, ended_ms, id) WHERE ended_ms IS NOT NULL;

-- Sound of calls. `milliseconds` NULL and `failed` 0: it was never closed.
CREATE TABLE recordings (
    tenant BIGINT NOT NULL,
    recording TEXT NOT NULL,
    callid TEXT NOT NULL,
    file TEXT NOT NULL,
    milliseconds BIGINT,
    gap_milliseconds BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    failed BIGINT NOT NULL,
    PRIMARY KEY (tenant, recording)
) WITHOUT ROWID;

CREATE INDEX recordings_open ON recordings (tenant, recording) WHERE milliseconds IS NULL AND failed = 0;

-- Live facts that outlive an engine; the last value wins.
CREATE TABLE kept (
    tenant BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_ms BIGINT,
    PRIMARY KEY (tenant, kind, key)
) WITHOUT ROWID;

-- What the database would not take, whole, for a person to look at.
CREATE TABLE refused_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    why TEXT NOT NULL,
    body TEXT NOT NULL
);

-- How many rows share a key, for the choice of an index. Without these SQLite walks through a tenant's whole history
-- when it looks for one customer. The figures are those of a large installation; nothing counts again later.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('events', 'events', '100000000 1000000 1'),
    ('events', 'events_by_call', '100000000 1000000 10 3 2 1'),
    ('records', 'sqlite_autoindex_records_1', '10000000 100000 1'),
    ('records', 'records_by_start', '10000000 100000 2 1'),
    ('records', 'records_by_customer', '10000000 100000 10 2 1'),
    ('records', 'records_live', '1000 10 2'),
    ('records', 'records_by_end', '10000000 100000 2 1'),
    ('records', 'records_by_extension', '10000000 100000 1000 2 1'),
    ('records', 'records_by_status', '10000000 100000 20000 2 1'),
    ('recordings', 'recordings', '10000000 100000 1'),
    ('recordings', 'recordings_open', '100 10 1'),
    ('kept', 'kept', '10000 100 50 1');
ANALYZE sqlite_schema;
