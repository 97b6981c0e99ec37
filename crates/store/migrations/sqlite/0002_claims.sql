-- Keys that clients gave their orders. `owner` says whose keys they are, `request` is the hash of what was ordered,
-- `engine` the number of the engine at that time. `answer` NULL: the order is under way; then JSON, what came of it.
CREATE TABLE claims (
    id INTEGER PRIMARY KEY,
    tenant BIGINT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    claimed_ms BIGINT NOT NULL,
    engine BIGINT NOT NULL,
    answer TEXT,
    UNIQUE (tenant, owner, key)
);

CREATE INDEX claims_by_age ON claims (claimed_ms);
