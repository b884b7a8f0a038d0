"""Five migrations of each tool, one of them rolled back, and what is then read of its history."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain_migrations.api.inspect.history_choice import HistoryOptions
from tests.other_tools.imports import Brought, bring_in
from tests.other_tools.workshop import NUMBERS, Workshop, program
from tests.support.catalog import execute, tables

BANGKOK, NEW_YORK = "Asia/Bangkok", "America/New_York"


@pytest.fixture(autouse=True)
def schema(workshop: Workshop) -> None:
    execute("CREATE SCHEMA store")


@contextmanager
def during() -> Iterator[list[datetime.datetime]]:
    """The list has the moment before the block, and after it the moment after it too."""
    moments = [datetime.datetime.now(datetime.UTC)]
    yield moments
    moments.append(datetime.datetime.now(datetime.UTC))


def bring(workshop: Workshop, tool: str, *only: str) -> list[Brought]:
    return bring_in(workshop.folder / "project", HistoryOptions(tool=tool, only=only))


def names(rows: list[Brought]) -> list[str]:
    return [row.name for row in rows]


def assert_times(
    rows: list[Brought], moments: list[datetime.datetime], *, kind: str = "exact"
) -> None:
    """Check that each time is known, later than the one before, and between the moments."""
    times = [row.started for row in rows]
    assert {row.kind for row in rows} == {kind}
    assert [moments[0], *times, moments[1]] == sorted([*moments, *times])


def test_alembic(workshop: Workshop) -> None:
    alembic = workshop.python("alembic==1.20.1", "psycopg[binary]==3.3.9") / "alembic"
    workshop.write("alembic.ini", "[alembic]\nscript_location = scripts\n")
    workshop.write(
        "scripts/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine\n"
        f"engine = create_engine('postgresql+psycopg://{workshop.address}')\n"
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection, version_table_schema='store')\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n",
    )
    for number in NUMBERS:
        before = repr(f"a{number - 1}") if number > 1 else None
        workshop.write(
            f"scripts/versions/a{number}.py",
            f"from alembic import op\nrevision = 'a{number}'\ndown_revision = {before}\n"
            f"def upgrade():\n    op.execute('CREATE TABLE store.t{number} (id int PRIMARY KEY)')\n"
            f"def downgrade():\n    op.execute('DROP TABLE store.t{number}')\n",
        )
    workshop.run(alembic, "upgrade", "head")
    workshop.run(alembic, "downgrade", "-1")

    rows = bring(workshop, "alembic")
    assert [(row.name, row.kind) for row in rows] == [("a4", "unknown")]
    assert "t4" in tables("store")
    assert "t5" not in tables("store")


def test_yoyo(workshop: Workshop) -> None:
    programs = workshop.python("yoyo-migrations==9.0.0", "psycopg[binary]==3.3.9", "setuptools")

    def yoyo(*arguments: str) -> None:
        url = f"postgresql+psycopg://{workshop.address}?schema=store"
        options = ["--batch", "--no-config-file", "-d", url, "scripts"]
        workshop.run(programs / "yoyo", *arguments, *options, TZ=BANGKOK, PGTZ=BANGKOK)

    for number in NUMBERS:
        before = f"{{'000{number - 1}-m'}}" if number > 1 else "set()"
        workshop.write(
            f"scripts/000{number}-m.py",
            f"from yoyo import step\n__depends__ = {before}\n"
            f"steps = [step('CREATE TABLE store.t{number} (id int PRIMARY KEY)',"
            f" 'DROP TABLE store.t{number}')]\n",
        )
    with during() as moments:
        yoyo("apply")
        yoyo("rollback", "-r", "0005-m")
        workshop.write("scripts/0000-late.py", "from yoyo import step\nsteps = []\n")
        yoyo("apply", "-r", "0000-late")

    rows = bring(workshop, "yoyo")
    assert names(rows) == ["0001-m", "0002-m", "0003-m", "0004-m", "0000-late"]
    assert_times(rows, moments)


def test_django(workshop: Workshop) -> None:
    python = workshop.python("Django==5.2.15", "psycopg[binary]==3.3.9") / "python"
    workshop.write("shop/__init__.py", "")
    workshop.write("shop/migrations/__init__.py", "")
    workshop.write(
        "stock.py",
        "SECRET_KEY = 'x'\nUSE_TZ = True\nTIME_ZONE = 'Asia/Bangkok'\n"
        "INSTALLED_APPS = ['django.contrib.contenttypes', 'shop']\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': '127.0.0.1',"
        f" 'PORT': {workshop.port}, 'NAME': '{workshop.database}', 'USER': 'postgres',"
        " 'OPTIONS': {'options': '-c search_path=store'}}}\n",
    )
    for number in NUMBERS:
        before = f"('shop', '000{number - 1}_m')" if number > 1 else ""
        workshop.write(
            f"shop/migrations/000{number}_m.py",
            "from django.db import migrations\nclass Migration(migrations.Migration):\n"
            f"    dependencies = [{before}]\n    operations = [migrations.RunSQL("
            f"'CREATE TABLE t{number} (id int PRIMARY KEY)', 'DROP TABLE t{number}')]\n",
        )
    with during() as moments:
        for target in ([], ["shop", "0004"]):
            command = ["-m", "django", "migrate", *target, "--settings", "stock"]
            workshop.run(python, *command, PYTHONPATH=".")

    rows = bring(workshop, "django", "shop")
    assert names(rows) == [f"shop.000{number}_m" for number in range(1, 5)]
    assert_times(rows, moments)


def test_liquibase(workshop: Workshop) -> None:
    program("java")
    script = workshop.npm("liquibase@4.28.1") / "liquibase/dist/liquibase/liquibase"

    def liquibase(zone: str, *arguments: str) -> None:
        workshop.run(
            script,
            f"--url=jdbc:postgresql://127.0.0.1:{workshop.port}/{workshop.database}",
            *("--username=postgres", "--password=none", "--default-schema-name=store"),
            *("--changelog-file=log.sql", "--search-path=.", *arguments),
            JAVA_OPTS=f"-Duser.timezone={zone}",
        )

    changes = [
        f"--changeset anna:{number}\nCREATE TABLE store.t{number} (id int PRIMARY KEY);\n"
        f"--rollback DROP TABLE store.t{number};\n"
        for number in NUMBERS
    ]
    workshop.write("log.sql", "--liquibase formatted sql\n\n" + "\n".join(changes[:4]))
    with during() as moments:
        liquibase(BANGKOK, "update")
        liquibase(BANGKOK, "rollback-count", "1")
        workshop.write("log.sql", "--liquibase formatted sql\n\n" + "\n".join(changes))
        del changes[3]
        workshop.write("log.sql", "--liquibase formatted sql\n\n" + "\n".join(changes))
        liquibase(NEW_YORK, "update")

    rows = bring(workshop, "liquibase")
    assert names(rows) == [f"log.sql::{number}::anna" for number in (1, 2, 3, 5)]
    assert_times(rows, moments)


def test_dbmate(workshop: Workshop) -> None:
    script = workshop.npm("dbmate@2.36.0") / ".bin/dbmate"

    def dbmate(*arguments: str) -> None:
        options = ["--no-dump-schema", "--migrations-table", "store.schema_migrations"]
        url = f"postgres://{workshop.address}?sslmode=disable"
        workshop.run(script, *options, "--url", url, *arguments)

    for number in NUMBERS:
        workshop.write(
            f"db/migrations/2026010{number}_t{number}.sql",
            f"-- migrate:up\nCREATE TABLE store.t{number} (id int PRIMARY KEY);\n"
            f"-- migrate:down\nDROP TABLE store.t{number};\n",
        )
    dbmate("up")
    dbmate("rollback")
    rows = bring(workshop, "dbmate")
    assert names(rows) == [f"2026010{number}" for number in range(1, 5)]
    assert {row.kind for row in rows} == {"unknown"}


def test_rails(workshop: Workshop) -> None:
    ruby = program("ruby")
    try:
        workshop.run(ruby, "-e", "require 'active_record'; require 'pg'")
    except AssertionError:
        pytest.skip("ruby-activerecord or ruby-pg is not installed")
    workshop.write(
        "run.rb",
        "require 'active_record'\n"
        "ActiveRecord::Base.establish_connection(adapter: 'postgresql', host: '127.0.0.1',"
        f" port: {workshop.port}, username: 'postgres', database: '{workshop.database}',"
        " schema_search_path: 'store')\nActiveRecord::Migration.verbose = false\n"
        "context = ActiveRecord::MigrationContext.new('scripts', ActiveRecord::SchemaMigration)\n"
        "context.public_send(ARGV[0])\n",
    )
    trees = ("Ash", "Birch", "Cedar", "Dogwood", "Elm")
    for number, name in zip(("001", "9", "10", "20260101", "20260102"), trees, strict=True):
        workshop.write(
            f"scripts/{number}_{name.lower()}.rb",
            f"class {name} < ActiveRecord::Migration[6.1]\n  def change\n"
            f"    create_table :{name.lower()}\n  end\nend\n",
        )
    workshop.run(ruby, "run.rb", "migrate")
    workshop.run(ruby, "run.rb", "rollback")
    assert names(bring(workshop, "rails")) == ["1", "9", "10", "20260101"]


def test_sqitch(workshop: Workshop) -> None:
    sqitch = program("sqitch")
    zone = {"PGTZ": NEW_YORK, "SQITCH_FULLNAME": "Anna", "SQITCH_EMAIL": "anna@example.com"}
    target = f"db:pg://{workshop.address}"

    def run(*arguments: str, fails: bool = False) -> None:
        workshop.run(sqitch, *arguments, fails=fails, **zone)

    run("init", "store", "--engine", "pg", "--target", target)
    for number in NUMBERS:
        run("add", f"t{number}", "-n", f"table {number}")
        workshop.write(
            f"deploy/t{number}.sql", f"CREATE TABLE store.t{number} (id int PRIMARY KEY);\n"
        )
        workshop.write(f"revert/t{number}.sql", f"DROP TABLE store.t{number};\n")
    with during() as moments:
        run("deploy")
        run("revert", "-y", "--to", "t4")
        run("add", "bad", "-n", "bad")
        workshop.write("deploy/bad.sql", "SELECT 1 / 0;\n")
        run("deploy", fails=True)

    rows = bring(workshop, "sqitch", "store")
    assert names(rows) == ["t1", "t2", "t3", "t4"]
    assert_times(rows, moments)
