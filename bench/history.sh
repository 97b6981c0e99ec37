#!/bin/sh
# Fills SQLite, then PostgreSQL, with a long history and measures searches in it: see README.md.
#
#   history.sh [sqlite] [postgres] [RECORDS]
#
# Takes some 11 GB in $TMPDIR for ten million records, one database after the other, and removes them. PostgreSQL is
# Debian's (`apt install postgresql`), started on a free port of the loopback for the time of the run.
set -eu
cd "$(dirname "$0")/.."
records=10000000
# The program makes a part of them, one by one; the database copies it.
copies=500
databases=
for argument; do
  case $argument in
    sqlite | postgres) databases="$databases $argument" ;;
    *) records=$argument ;;
  esac
done
cargo build --release --locked -p store --example history
program=${CARGO_TARGET_DIR:-target}/release/examples/history
folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || as_postgres "$bin/pg_ctl" -D "$folder/pg" -m immediate stop > /dev/null || true
  rm -rf "$folder"
}
trap finish EXIT INT TERM

as_postgres() {
  # PostgreSQL does not run as root.
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

for database in ${databases:-sqlite postgres}; do
  mkdir "$folder/$database"
  case $database in
    sqlite)
      nice "$program" "$folder/sqlite" --records $((records / copies)) --fill
      nice bench/history_copies.py $copies "$folder/sqlite/tongdai.db"
      nice "$program" "$folder/sqlite" --measure
      ;;
    postgres)
      bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
      port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
      chmod 755 "$folder"
      mkdir "$folder/pg"
      [ "$(id -u)" != 0 ] || chown postgres "$folder/pg"
      as_postgres "$bin/initdb" -D "$folder/pg" -U postgres -A trust -E UTF8 --no-locale > /dev/null
      as_postgres "$bin/pg_ctl" -D "$folder/pg" -w -l "$folder/pg/log" \
        -o "-p $port -h 127.0.0.1 -k $folder/pg -c shared_buffers=1GB -c max_wal_size=1GB -c synchronous_commit=off -c maintenance_work_mem=512MB" start > /dev/null
      server=yes
      url=postgres://postgres@127.0.0.1:$port/postgres
      nice "$program" "$folder/postgres" --database "$url" --records $((records / copies)) --fill
      nice bench/history_copies.py $copies | psql -q "$url"
      nice "$program" "$folder/postgres" --database "$url" --measure
      as_postgres "$bin/pg_ctl" -D "$folder/pg" -m immediate stop > /dev/null
      server=
      rm -rf "$folder/pg"
      ;;
  esac
  rm -rf "${folder:?}/$database"
done
