"""Five migrations of each tool of Node.js, one undone, and what the journal then has of them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from domain_migrations.api.inspect.history_choice import HistoryOptions
from tests.other_tools.imports import Brought, bring_in
from tests.other_tools.workshop import Workshop
from tests.support.catalog import execute, query

PG = "pg@8.23.1"
BANGKOK = "Asia/Bangkok"

FIRST_FIVE = ("one", "two", "three", "four", "five")


class Tool:
    """A tool in its workshop, with the schema `store`.

    Attributes:
        began: before the first run; every exact time has to be later.
    """

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.write = workshop.write
        self.began = datetime.datetime.now(datetime.UTC)

    @property
    def address(self) -> dict[str, str]:
        where = {"host": "127.0.0.1", "port": str(self.workshop.port), "user": "postgres"}
        return where | {"database": self.workshop.database}

    def install(self, *packages: str) -> None:
        modules = self.workshop.npm(*packages)
        (self.workshop.folder / "node_modules").symlink_to(modules)

    def run(self, *command: str, fails: bool = False, **environment: str) -> None:
        url = "postgres://{user}:none@{host}:{port}/{database}".format_map(self.address)
        variables = {"DATABASE_URL": url, "PGDATABASE": self.workshop.database, **environment}
        self.workshop.run(*command, fails=fails, **variables)


@pytest.fixture
def tool(workshop: Workshop) -> Tool:
    execute("CREATE SCHEMA store")
    return Tool(workshop)


def create(name: str) -> str:
    return f"CREATE TABLE store.{name} (id int PRIMARY KEY)"


def drop(name: str) -> str:
    return f"DROP TABLE store.{name}"


def names(rows: list[Brought]) -> list[str]:
    return [row.name for row in rows]


def are_of_this_run(rows: list[Brought], tool: Tool) -> bool:
    """Whether all times are between the begin of the check and now, in the tool's order."""
    times = [row.started for row in rows]
    now = datetime.datetime.now(datetime.UTC)
    # Node's clock has milliseconds.
    first = tool.began - datetime.timedelta(seconds=1)
    return times == sorted(times) and all(first <= time <= now for time in times)


def set_zone(zone: str) -> None:
    """Give sessions of the tool a time zone; Django's own is always UTC."""
    (name,) = query("SELECT quote_ident(current_database())")[0]
    execute(f"ALTER DATABASE {name} SET timezone TO '{zone}'")


def test_knex(tool: Tool) -> None:
    tool.install("knex@3.3.0", PG)
    tool.write(
        "knexfile.js",
        "module.exports = {client: 'pg', connection: process.env.DATABASE_URL,"
        " migrations: {schemaName: 'store'}};",
    )
    for number, name in enumerate(FIRST_FIVE):
        tool.write(
            f"migrations/2026010{number}_{name}.js",
            f"exports.up = (knex) => knex.raw('{create(name)}');\n"
            f"exports.down = (knex) => knex.raw('{drop(name)}');\n",
        )
    cli = ("node", "node_modules/knex/bin/cli.js")
    for _ in range(2):
        tool.run(*cli, "migrate:up", TZ=BANGKOK)
    tool.run(*cli, "migrate:latest", TZ=BANGKOK)
    tool.run(*cli, "migrate:down", TZ=BANGKOK)

    rows = bring_in(tool.workshop.folder / "project", HistoryOptions(tool="knex"))

    assert names(rows) == [
        f"2026010{number}_{name}.js" for number, name in enumerate(FIRST_FIVE[:4])
    ]
    assert [(row.kind, row.batch) for row in rows] == [
        ("exact", 1),
        ("exact", 2),
        ("exact", 3),
        ("exact", 3),
    ]
    assert are_of_this_run(rows, tool)


def test_node_pg_migrate(tool: Tool) -> None:
    tool.install("node-pg-migrate@9.0.0", PG)
    set_zone(BANGKOK)
    for number, name in enumerate(FIRST_FIVE):
        tool.write(
            f"migrations/170000000000{number}_{name}.cjs",
            f"exports.up = (pgm) => pgm.sql('{create(name)}');\n"
            f"exports.down = (pgm) => pgm.sql('{drop(name)}');\n",
        )
    cli = ("node_modules/.bin/node-pg-migrate", "--migrations-schema", "store")
    tool.run(*cli, "up", "2")
    tool.run(*cli, "up")
    tool.run(*cli, "down")

    options = HistoryOptions(tool="node-pg-migrate", time_zone=BANGKOK)
    rows = bring_in(tool.workshop.folder / "project", options)

    assert names(rows) == [
        f"170000000000{number}_{name}" for number, name in enumerate(FIRST_FIVE[:4])
    ]
    assert {row.kind for row in rows} == {BANGKOK}
    assert are_of_this_run(rows, tool)


def test_sequelize(tool: Tool) -> None:
    tool.install("sequelize@6.37.8", "sequelize-cli@6.6.5", PG)
    tool.write(
        "config/config.json",
        json.dumps(
            {
                "development": {
                    "use_env_variable": "DATABASE_URL",
                    "dialect": "postgres",
                    "migrationStorageTableSchema": "store",
                }
            }
        ),
    )
    for number, name in enumerate(FIRST_FIVE):
        tool.write(
            f"migrations/2026010{number}-{name}.js",
            f"module.exports = {{up: (q) => q.sequelize.query('{create(name)}'),"
            f" down: (q) => q.sequelize.query('{drop(name)}')}};\n",
        )
    cli = ("node_modules/.bin/sequelize-cli",)
    tool.run(*cli, "db:migrate")
    tool.run(*cli, "db:migrate:undo")

    rows = bring_in(tool.workshop.folder / "project", HistoryOptions(tool="sequelize"))

    assert names(rows) == [
        f"2026010{number}-{name}.js" for number, name in enumerate(FIRST_FIVE[:4])
    ]
    assert {row.kind for row in rows} == {"unknown"}


def test_typeorm(tool: Tool) -> None:
    tool.install("typeorm@1.1.1", "reflect-metadata@0.2.2", PG)
    classes = []
    for number, name in enumerate(FIRST_FIVE):
        path = f"migrations/{number}-{name}.js"
        classes.append(path)
        tool.write(
            path,
            f"exports.{name}170000000000{number} = class {name}170000000000{number} {{\n"
            f"  async up(runner) {{ await runner.query('{create(name)}'); }}\n"
            f"  async down(runner) {{ await runner.query('{drop(name)}'); }}\n}};\n",
        )
    tool.write(
        "source.js",
        "const {DataSource} = require('typeorm');\n"
        "module.exports = new DataSource({type: 'postgres', url: process.env.DATABASE_URL,"
        " schema: 'store', migrations: ['migrations/*.js']});\n",
    )
    cli = ("node", "node_modules/typeorm/cli.js", "-d", "source.js")
    tool.run(*cli, "migration:run")
    tool.run(*cli, "migration:revert")

    rows = bring_in(tool.workshop.folder / "project", HistoryOptions(tool="typeorm"))

    assert names(rows) == [
        f"{name}170000000000{number}" for number, name in enumerate(FIRST_FIVE[:4])
    ]
    assert {row.kind for row in rows} == {"unknown"}


def test_drizzle(tool: Tool) -> None:
    """Drizzle cannot undo a migration."""
    tool.install("drizzle-orm@0.45.4", PG)
    entries = []
    for number, name in enumerate(FIRST_FIVE):
        tool.write(f"drizzle/000{number}_{name}.sql", create(name))
        entries.append(
            {
                "idx": number,
                "version": "7",
                "when": 1700000000000 + number,
                "tag": f"000{number}_{name}",
                "breakpoints": True,
            }
        )
    tool.write(
        "drizzle/meta/_journal.json",
        json.dumps({"version": "7", "dialect": "postgresql", "entries": entries}),
    )
    tool.write(
        "run.js",
        "const {drizzle} = require('drizzle-orm/node-postgres');\n"
        "const {migrate} = require('drizzle-orm/node-postgres/migrator');\n"
        "const {Pool} = require('pg');\n"
        "const pool = new Pool({connectionString: process.env.DATABASE_URL});\n"
        "migrate(drizzle(pool), {migrationsFolder: 'drizzle'}).then(() => pool.end());\n",
    )
    tool.run("node", "run.js")

    rows = bring_in(tool.workshop.folder / "project", HistoryOptions(tool="drizzle"))

    hashes = [
        query("SELECT encode(sha256(%s), 'hex')", create(name).encode())[0][0]
        for name in FIRST_FIVE
    ]
    assert names(rows) == hashes
    assert {row.kind for row in rows} == {"unknown"}


def test_db_migrate(tool: Tool) -> None:
    tool.install("db-migrate@0.11.14", "db-migrate-pg@1.5.2")
    tool.write(
        "database.json",
        json.dumps({"dev": {"driver": "pg", "schema": "store", **tool.address}}),
    )
    for number, name in enumerate(FIRST_FIVE):
        tool.write(
            f"migrations/2026010{number}000000-{name}.js",
            f"exports.up = (db) => db.runSql('{create(name)}');\n"
            f"exports.down = (db) => db.runSql('{drop(name)}');\n"
            "exports._meta = {version: 1};\n",
        )
    cli = ("node", "node_modules/db-migrate/bin/db-migrate")
    tool.run(*cli, "up", TZ=BANGKOK)
    tool.run(*cli, "down", TZ=BANGKOK)

    options = HistoryOptions(tool="db-migrate", time_zone=BANGKOK)
    rows = bring_in(tool.workshop.folder / "project", options)

    assert names(rows) == [
        f"/2026010{number}000000-{name}" for number, name in enumerate(FIRST_FIVE[:4])
    ]
    assert {row.kind for row in rows} == {BANGKOK}
    assert are_of_this_run(rows, tool)


def test_prisma(tool: Tool) -> None:
    """Prisma undoes nothing: the fourth fails, is marked as rolled back and runs again."""
    engine = "7.10.0-7.561d7b42579a2459cc8edf3788918b626c640023"
    packages = [f"@prisma/{name}@7.10.0" for name in ("adapter-pg", "driver-adapter-utils")]
    tool.install(f"@prisma/schema-engine-wasm@{engine}", *packages)
    # Through a driver adapter, the time is that of UTC, written as if it were the session's.
    set_zone("UTC")
    tool.write("prisma.mjs", Path(__file__).with_name("prisma.mjs").read_text())
    cli = ("node", "--experimental-wasm-modules", "--no-warnings", "prisma.mjs")
    folders = [f"2026010{number}000000_{name}" for number, name in enumerate(FIRST_FIVE)]
    for folder, name in zip(folders, FIRST_FIVE, strict=True):
        statement = create(name) if name != "four" else "SELECT 1/0"
        tool.write(f"prisma/migrations/{folder}/migration.sql", statement)
    tool.run(*cli, "deploy", fails=True)
    tool.run(*cli, "rolled-back", folders[3])
    tool.write(f"prisma/migrations/{folders[3]}/migration.sql", create("four"))
    tool.run(*cli, "deploy")

    rows = bring_in(tool.workshop.folder / "project", HistoryOptions(tool="prisma"))

    assert names(rows) == folders
    assert {row.kind for row in rows} == {"exact"}
    assert are_of_this_run(rows, tool)
    left_out = (
        "SELECT details #>> '{import,left_out,0,name}', details #>> '{import,left_out,0,reason}'"
        " FROM store.django_migrations_store_journal WHERE direction = 'import' AND status = 'done'"
    )
    assert query(left_out) == [(folders[3], "it is marked as rolled back")]


def test_graphile_migrate(tool: Tool) -> None:
    """Taking a commit back is for development: it removes the row, and no table."""
    tool.install("graphile-migrate@1.4.1")
    shadow = f"{tool.address['database']}_shadow"
    execute(f'CREATE DATABASE "{shadow}"')
    url = "postgres://{user}:none@{host}:{port}/".format_map(tool.address)
    variables = {"ROOT_DATABASE_URL": url + "postgres", "SHADOW_DATABASE_URL": url + shadow}
    try:
        cli = ("node_modules/.bin/graphile-migrate",)
        tool.run(*cli, "init", **variables)
        for name in FIRST_FIVE:
            schema = "CREATE SCHEMA IF NOT EXISTS store; " if name == "one" else ""
            tool.write("migrations/current.sql", f"{schema}{create(name)};\n")
            tool.run(*cli, "commit", **variables)
        tool.run(*cli, "uncommit", **variables)
    finally:
        execute(f'DROP DATABASE IF EXISTS "{shadow}" WITH (FORCE)')

    rows = bring_in(tool.workshop.folder / "project", HistoryOptions(tool="graphile-migrate"))

    assert names(rows) == [f"{number:06}.sql" for number in range(1, 5)]
    assert {row.kind for row in rows} == {"exact"}
    assert are_of_this_run(rows, tool)
