#!/usr/bin/env bash
# Knex 3.3.0 (npm), the builder of indexes with a predicate, for PostgreSQL; no server is needed.
#
# Expected: the value of a predicate's condition comes out in the SQL, or in its bindings.
# What happens: the SQL has a place for the value, and the bindings are empty: the value is lost.
# A server answers "there is no parameter $1". Only predicates without values work, such as
# whereNotNull; with a value one has to write whereRaw("is_active = true").
#
# Output seen:
#   create index "lots_active" on "lots" ("is_active") where "is_active" = ? []
#   create unique index "lots_code" on "lots" ("code") where "is_active" = ? []
#   create index "lots_known" on "lots" ("code") where "code" is not null []
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" knex@3.3.0 pg@8.13.1 > npm.log

cat > build.js <<'JS'
const knex = require("knex")({ client: "pg" });
const statements = knex.schema.alterTable("lots", (table) => {
  const active = knex.where("is_active", true);
  table.index(["is_active"], "lots_active", { predicate: active });
  table.unique(["code"], { indexName: "lots_code", predicate: active });
  table.index(["code"], "lots_known", { predicate: knex.whereNotNull("code") });
});
for (const { sql, bindings } of statements.toSQL()) console.log(sql, JSON.stringify(bindings));
JS
node build.js | tee seen

cat > expected <<'TEXT'
create index "lots_active" on "lots" ("is_active") where "is_active" = ? []
create unique index "lots_code" on "lots" ("code") where "is_active" = ? []
create index "lots_known" on "lots" ("code") where "code" is not null []
TEXT
diff expected seen
