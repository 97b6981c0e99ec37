#!/usr/bin/env python3
"""Makes a short history long, inside the database: every call of it comes again some hundred times, a little later each
time and with another customer, day by day. Prints the statements for psql, or carries them out in a SQLite file.

    history_copies.py COPIES [FILE]

The indexes of ended calls are left out meanwhile and made anew, and the tallies are counted afresh."""

import itertools
import pathlib
import re
import sqlite3
import sys

FIRST_SECOND, DAYS = 1_700_000_000, 730
STORE = pathlib.Path(__file__).parent.parent / "crates/store/migrations"
# What copies have as the first has it.
SAME = "direction, did, src, dst, extension, status, record, kind, facts, dialled, dialler, seconds, bill_seconds, reason, trunk"


def statements(copies, kind):
    indexes = {}
    for migration in sorted((STORE / kind).glob("*.sql")):
        for what, name, rest in re.findall(r"^(DROP|CREATE) INDEX (records_by_\w+)([^;]*)", migration.read_text(), re.M):
            indexes.pop(name, None)
            if what == "CREATE":
                indexes[name] = f"CREATE INDEX {name}{rest}"
    for name in indexes:
        yield f"DROP INDEX {name}"
    # Two calls of the short history lie so far apart; its copies fill the gap.
    yield "CREATE TABLE copies (copy BIGINT NOT NULL)"
    yield ("INSERT INTO copies WITH RECURSIVE counted(copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM counted"
           f" WHERE copy < {copies - 1}) SELECT copy FROM counted")
    yield "CREATE TABLE first AS SELECT * FROM records"
    yield "CREATE INDEX first_by_start ON first (started_ms)"
    text = "CAST({} AS TEXT)".format
    another = (f"CASE WHEN LENGTH(customer) < 12 OR customer LIKE '+849000%' THEN customer ELSE '+8490' ||"
               f" SUBSTR({text('10000000 + (CAST(SUBSTR(customer, 6) AS BIGINT) + copy * 7919) % 10000000')}, 2) END")
    for day in range(DAYS):
        since = (FIRST_SECOND + day * 86_400) * 1_000
        yield (
            f"INSERT INTO records (tenant, callid, customer, started_ms, answered_ms, ended_ms, {SAME})"
            f" SELECT tenant, {text('(started_ms + later) / 1000')} || '.' || {text('1000000000 + id * 1000 + copy')},"
            f" {another}, started_ms + later, answered_ms + later, ended_ms + later, {SAME}"
            f" FROM (SELECT *, copy * (SELECT {DAYS * 86_400_000} / (COUNT(*) * {copies}) FROM first) AS later"
            f" FROM first, copies WHERE started_ms >= {since} AND started_ms < {since + 86_400_000}) AS again"
            " ORDER BY started_ms + later"
        )
    yield from indexes.values()
    yield "DELETE FROM tallies"
    # See store/src/records/facts.rs: the letter, the column, the parts it plays, and whether it is tallied.
    numbers = [
        ("x", "extension", 64 | 128, "extension IS NOT NULL"),
        ("c", "customer", 256 | 512 | 2048, "LENGTH(customer) < 10"),
        ("n", "did", 1024 | 4096, "did IS NOT NULL"),
        ("d", "dialled", 0, "dialled IS NOT NULL"),
    ]
    tallies = [("''", "started_ms / 86400000", 0, "1 = 1")]
    for letter, column, bits, which in numbers:
        tallies.append((f"'{letter}' || {column}", "started_ms / 86400000", bits, which))
    for (letter, column, bits, which), (other, also, more, too) in itertools.combinations(numbers, 2):
        key = (f"{text('started_ms / 604800000')} || '{letter}' || {text(f'LENGTH({column})')} || '.' || {column}"
               f" || '{other}' || {also}")
        tallies.append((key, "started_ms / 604800000 * 7", bits | more, f"{which} AND {too}"))
    for key, day, bits, which in tallies:
        yield (f"INSERT INTO tallies (tenant, key, day, facts, calls) SELECT tenant, {key}, {day}, facts & {63 | bits},"
               f" COUNT(*) FROM records WHERE ended_ms IS NOT NULL AND {which} GROUP BY 1, 2, 3, 4")
    yield "DROP TABLE first"
    yield "DROP TABLE copies"


def main():
    copies = int(sys.argv[1])
    if len(sys.argv) < 3:
        for statement in statements(copies, "postgres"):
            print(statement + ";")
        print("VACUUM ANALYZE;")
        return
    file = sqlite3.connect(sys.argv[2], isolation_level=None)
    file.execute("PRAGMA journal_mode = OFF")
    file.execute("PRAGMA synchronous = OFF")
    file.execute("PRAGMA cache_size = -400000")
    file.execute("BEGIN")
    for statement in statements(copies, "sqlite"):
        file.execute(statement)
    file.execute("COMMIT")
    file.execute("PRAGMA journal_mode = WAL")


main()
