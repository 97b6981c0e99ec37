-- How each hook stands; `hook` is the id of its setting. All events up to `position` have their deliveries.
-- `replay_after`, `replay_to`: a part of the story that is being told again. `off_*`: why it is told nothing, and at which
-- URL that was. `failing_since_ms`: nothing has arrived since then; `warned_ms`: the owners were told so.
CREATE TABLE hook_states (
    hook BIGINT NOT NULL PRIMARY KEY,
    tenant BIGINT NOT NULL,
    active BIGINT NOT NULL DEFAULT 1,
    position BIGINT NOT NULL,
    replay_after BIGINT,
    replay_to BIGINT,
    off_ms BIGINT,
    off_why TEXT,
    off_url TEXT,
    failing_since_ms BIGINT,
    warned_ms BIGINT,
    error TEXT,
    error_ms BIGINT,
    old_secret TEXT,
    old_until_ms BIGINT
) WITHOUT ROWID;

-- A hook begins at the story's end, in the very transaction that stores it.
CREATE TRIGGER hook_begins AFTER INSERT ON settings WHEN NEW.noun = 'webhook' BEGIN
    INSERT INTO hook_states (hook, tenant, position)
    VALUES (NEW.id, NEW.tenant, COALESCE((SELECT position FROM heads WHERE tenant = NEW.tenant), 0));
END;

INSERT INTO hook_states (hook, tenant, position)
SELECT settings.id, settings.tenant, COALESCE(heads.position, 0)
FROM settings LEFT JOIN heads ON heads.tenant = settings.tenant WHERE settings.noun = 'webhook';

-- What a hook is told, once for each body. `place` is the event's position and the body's number within it, so that the
-- same thing always has the same place. `chain` is what keeps its order: a call, or another subject.
-- `due_ms`: when it is sent next; NULL while one before it in its chain waits, and when it has ended. While it is being
-- sent (`claimed` 1) it is the end of that claim. `tries` counts since it was made or asked for again.
CREATE TABLE hook_deliveries (
    hook BIGINT NOT NULL,
    place BIGINT NOT NULL,
    chain TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    due_ms BIGINT,
    claimed BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    ended_ms BIGINT,
    PRIMARY KEY (hook, place)
);

CREATE INDEX hook_deliveries_due ON hook_deliveries (hook, due_ms, place) WHERE due_ms IS NOT NULL;
CREATE INDEX hook_deliveries_by_chain ON hook_deliveries (hook, chain, place);
CREATE INDEX hook_deliveries_by_state ON hook_deliveries (hook, state, place);
CREATE INDEX hook_deliveries_ended ON hook_deliveries (hook, ended_ms) WHERE ended_ms IS NOT NULL;

-- What was sent and what came back, each time.
CREATE TABLE hook_attempts (
    hook BIGINT NOT NULL,
    place BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT,
    headers TEXT NOT NULL,
    answer TEXT NOT NULL,
    milliseconds BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (hook, place, attempt)
);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('hook_states', 'hook_states', '1000 1'),
    ('hook_deliveries', 'sqlite_autoindex_hook_deliveries_1', '10000000 100000 1'),
    ('hook_deliveries', 'hook_deliveries_due', '10000 1000 2 1'),
    ('hook_deliveries', 'hook_deliveries_by_chain', '10000000 100000 10 1'),
    ('hook_deliveries', 'hook_deliveries_by_state', '10000000 100000 30000 1'),
    ('hook_deliveries', 'hook_deliveries_ended', '10000000 100000 2'),
    ('hook_attempts', 'sqlite_autoindex_hook_attempts_1', '10000000 100000 2 1');
ANALYZE sqlite_schema;
