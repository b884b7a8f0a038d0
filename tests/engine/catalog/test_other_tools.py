"""The histories of other tools, read from tables that are as those tools leave them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from django.db import connections

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.catalog.other_tools.rows import ToolRow, find_tables, read_rows
from domain_migrations.engine.catalog.other_tools.tools import TOOLS, get_tool, history_of
from domain_migrations.exceptions import InvalidConfiguration
from tests.support.catalog import execute, query

TABLES = Path(__file__).with_name("tool_histories.sql")
RUN = "changelog.sql"


@pytest.fixture(scope="module")
def histories(migrated_module_database: str) -> None:
    execute(TABLES.read_text())


def read(tool: str, table: str = "", schema: str = "", only: tuple[str, ...] = ()) -> list[ToolRow]:
    name = QualifiedName(schema or tool, table or get_tool(tool).table)
    return read_rows(connections["default"], get_tool(tool), name, only) or []


def shown(rows: list[ToolRow]) -> list[tuple[str, str | None]]:
    """The name and the time of each applied row: in UTC with a Z, or local without."""
    return [
        (
            row.name,
            None
            if row.time is None
            else row.time.isoformat()
            if row.is_local
            else f"{row.time.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S}Z",
        )
        for row in rows
        if not row.left_out
    ]


def left_out(rows: list[ToolRow]) -> dict[str, str]:
    return {row.name: row.left_out for row in rows if row.left_out}


def test_flyway(histories: None) -> None:
    rows = read("flyway")
    assert shown(rows) == [
        ("V1__one.sql", "2026-01-01T10:00:01.500000"),
        ("V2__two.sql", "2026-01-02T10:00:00"),
        ("V3__three.sql", "2026-01-03T10:03:00"),
        ("R__views.sql", "2026-01-04T10:00:00"),
    ]
    assert [(row.identity, row.left_out) for row in rows if row.left_out] == [
        ("0", "it says that Flyway created the schema"),
        ("2", "Flyway has undone it"),
        ("4", "Flyway has run it again since"),
        ("5", "Flyway has undone it"),
        ("6", "it undoes another migration"),
        ("7", "it undoes another migration"),
        ("10", "it failed"),
    ]


def test_liquibase(histories: None) -> None:
    rows = read("liquibase")
    assert shown(rows) == [
        (f"{RUN}::1::anna", "2026-11-29T18:30:19Z"),
        (f"{RUN}::2::ben", "2026-11-29T18:30:19Z"),
        (f"{RUN}::5::anna", "2026-11-29T18:30:46Z"),
        (f"{RUN}::1b::anna", "2026-11-29T18:34:08Z"),
        (f"{RUN}::1::ben", "2026-11-29T18:34:09Z"),
        (f"{RUN}::8::anna", "2026-11-29T18:34:27Z"),
        (f"{RUN}::9::anna", "2026-11-29T20:00:00"),
        # The run has begun 8 min 20 s before or after: its zone is not certain.
        (f"{RUN}::10::anna", "2026-11-29T13:49:27"),
        (f"{RUN}::11::anna", None),
    ]
    assert left_out(rows) == {f"{RUN}::7::anna": "Liquibase has marked it without running it"}


def test_liquibase__a_table_of_an_old_version(histories: None) -> None:
    assert shown(read("liquibase", "old_log")) == [
        (f"{RUN}::1::anna", "2026-11-29T18:30:19.696987"),
        (f"{RUN}::2::ben", "2026-11-29T18:30:19.840851"),
    ]


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Pacific/Chatham", "Etc/GMT+12", "UTC"])
@pytest.mark.parametrize("moment", ["2024-02-29 00:00:01", "2026-11-29 18:30:19.6"])
def test_liquibase__zones(histories: None, zone: str, moment: str) -> None:
    connection = connections["default"]
    execute("CREATE TABLE liquibase.zones (LIKE liquibase.databasechangelog)")
    try:
        execute(
            "INSERT INTO liquibase.zones (id, author, filename, orderexecuted, exectype,"
            " dateexecuted, deployment_id) SELECT n, '', '', n, '', (started + n * interval"
            " '20 min') AT TIME ZONE %s, right((extract(epoch FROM started) * 1000)::bigint::text,"
            " 10) FROM generate_series(0, 2) n, (VALUES (%s::timestamptz)) AS run (started)",
            zone,
            f"{moment}+00",
        )
        rows = read_rows(connection, TOOLS["liquibase"], QualifiedName("liquibase", "zones")) or []
        first = datetime.datetime.fromisoformat(f"{moment}+00:00")
        later = datetime.timedelta(minutes=20)
        assert [row.time for row in rows] == [first, first + later, first + 2 * later]
    finally:
        execute("DROP TABLE liquibase.zones")


def test_alembic(histories: None) -> None:
    assert shown(read("alembic")) == [("a5", None), ("b1", None)]


def test_yoyo(histories: None) -> None:
    assert shown(read("yoyo")) == [
        ("0001-m", "2026-11-29T18:30:50Z"),
        ("0004-m", "2026-11-29T18:30:53Z"),
        ("0005-m", "2026-11-29T18:36:34Z"),
        ("0000-late", "2026-11-29T18:36:35Z"),
    ]


def test_django(histories: None) -> None:
    assert shown(read("django")) == [
        ("contenttypes.0001_initial", "2026-11-29T18:32:11Z"),
        ("wh.0001_m", "2026-11-29T18:32:11Z"),
        ("wh.0002_m", "2026-11-29T18:32:11Z"),
    ]
    assert [row.name for row in read("django", only=("wh",)) if not row.left_out] == [
        "wh.0001_m",
        "wh.0002_m",
    ]


def test_dbmate(histories: None) -> None:
    assert [name for name, _ in shown(read("dbmate"))] == [
        "10",
        "20260101000001",
        "20260101000002",
        "20260101000003",
        "9",
    ]


def test_rails(histories: None) -> None:
    assert [name for name, _ in shown(read("rails"))] == [
        "1",
        "9",
        "10",
        "20260101000002",
        "20260101000003",
    ]


def test_sqitch(histories: None) -> None:
    assert shown(read("sqitch", only=("wh",))) == [
        ("t1", "2026-11-29T18:32:40Z"),
        ("t2", "2026-11-29T18:32:40Z"),
        ("t2", "2026-11-29T18:32:52Z"),
    ]
    assert {row.group for row in read("sqitch")} == {"hr", "wh"}


@pytest.mark.parametrize("tool", ["dbmate", "rails"])
def test_the_table_of_golang_migrate_is_neither_dbmates_nor_rails(
    histories: None, tool: str
) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        read(tool, schema="golang")
    assert caught.value.message == (
        f"golang.schema_migrations is not a history of {get_tool(tool).title}: it also has the"
        " column dirty."
    )


@pytest.mark.parametrize("tool", ["flyway", "liquibase", "yoyo"])
def test_a_local_time_does_not_depend_on_the_session(histories: None, tool: str) -> None:
    rows = read(tool)
    execute("SET TIME ZONE 'America/Caracas'")
    try:
        assert read(tool) == rows
    finally:
        execute("SET TIME ZONE 'UTC'")


@pytest.mark.parametrize("tool", ["flyway", "liquibase", "yoyo", "django", "sqitch"])
def test_rows_without_values(histories: None, tool: str) -> None:
    name = QualifiedName(tool, get_tool(tool).table)
    nullable = query(
        "SELECT string_agg(format('ALTER COLUMN %%I DROP NOT NULL', attname), ', ')"
        " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 1",
        str(name),
    )[0][0]
    execute("BEGIN")
    try:
        execute(f"ALTER TABLE {name} {nullable}")
        first = query(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum = 1",
            str(name),
        )[0]
        value = "77" if first[1] in ("integer", "bigint") else "'77'"
        execute(f"INSERT INTO {name} ({first[0]}) VALUES ({value})")
        assert read(tool)
    finally:
        execute("ROLLBACK")


def test_each_table_is_recognised(histories: None) -> None:
    connection = connections["default"]
    for key in ("flyway", "liquibase", "alembic", "yoyo", "django", "sqitch"):
        (table,) = find_tables(connection, get_tool(key).table, key)
        assert history_of(table.name.name, table.columns) == get_tool(key).title


KNEX = ("id", "name", "batch", "migration_time")


@pytest.mark.parametrize(
    ("table", "columns", "tool"),
    [
        ("knex_migrations", (*KNEX, "added"), "Knex"),
        ("knex_migrations_inventory", KNEX, "Knex"),
        ("inventory_knex_lock", ("index", "is_locked"), "Knex"),
        ("knex_migrations_inventory", (*KNEX, "added"), None),
        ("migrations_of_birds", KNEX, None),
    ],
)
def test_a_table_that_a_project_has_named(
    table: str, columns: tuple[str, ...], tool: str | None
) -> None:
    assert history_of(table, columns) == tool
