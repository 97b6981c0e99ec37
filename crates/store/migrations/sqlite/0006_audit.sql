-- Who changed what. Rows are only added. `tenant` 0: what is no tenant's. `changed` is a JSON list of keys; the states
-- are JSON objects without secrets.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    noun TEXT NOT NULL,
    thing TEXT NOT NULL,
    name TEXT NOT NULL,
    changed TEXT NOT NULL,
    state_before TEXT,
    state_after TEXT
);

CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE INDEX audit_by_name ON audit (tenant, noun, name, id);
