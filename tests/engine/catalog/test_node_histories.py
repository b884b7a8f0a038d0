"""The histories of migration tools of Node.js, read from tables as those tools leave them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from django.db import connections, transaction

from domain_migrations.api.inspect.history_choice import HistoryOptions, find_history
from domain_migrations.domains import Domain, QualifiedName
from domain_migrations.engine.catalog.other_tools.rows import ToolRow, read_rows
from domain_migrations.engine.catalog.other_tools.tools import get_tool, history_of
from domain_migrations.engine.history.journal import Journal
from domain_migrations.engine.history.run_context import RunContext
from domain_migrations.exceptions import InsufficientPrivilege, InvalidConfiguration
from tests.support.catalog import execute, query

TABLES = Path(__file__).with_name("node_histories.sql")
NODES = Domain("nodes", "nodes", ("nodes",))


@pytest.fixture(scope="module")
def histories(migrated_module_database: str) -> None:
    execute(TABLES.read_text().replace("%", "%%"))


def read(tool: str, table: str = "", schema: str = "nodes") -> list[ToolRow]:
    described = get_tool(tool)
    name = QualifiedName(described.schema or schema, table or described.table)
    return read_rows(connections["default"], described, name) or []


def shown(rows: list[ToolRow]) -> list[tuple[str, str | None]]:
    """The name and the time of each applied row: in UTC with a Z, or local without."""
    return [(row.name, _time(row)) for row in rows if not row.left_out]


def _time(row: ToolRow) -> str | None:
    if row.time is None:
        return None
    if row.is_local:
        return row.time.isoformat()
    return f"{row.time.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def left_out(rows: list[ToolRow]) -> list[tuple[str, str]]:
    return [(row.identity, row.left_out) for row in rows if row.left_out]


def test_knex(histories: None) -> None:
    rows = read("knex")
    assert shown(rows) == [
        ("20260100_one.js", "2026-11-29T19:11:00.899000Z"),
        ("20260109_late.js", None),
        ("20260102_three.js", "2026-11-29T19:11:02.809000Z"),
    ]
    assert [row.batch for row in rows] == [1, 2, 2, 3]
    assert left_out(rows) == [
        ("4", "one of this name was run before, and Knex does not tell them apart")
    ]


def test_node_pg_migrate(histories: None) -> None:
    assert shown(read("node-pg-migrate")) == [
        ("1700000000000_one", "2026-11-30T02:11:25.659456"),
        ("1700000000001_two", "2026-11-30T02:11:25.659456"),
        ("1700000000003_four", "2026-10-25T02:30:00"),
    ]
    assert shown(read("node-pg-migrate", "zoned"))[0] == (
        "1700000000000_one",
        "2026-11-29T20:26:25.659456Z",
    )
    with pytest.raises(InvalidConfiguration, match="its time has the type text"):
        read("node-pg-migrate", "worded")


def test_sequelize(histories: None) -> None:
    assert shown(read("sequelize")) == [
        ("B-one.js", None),
        ("a-three.cjs", None),
        ("b-two.js", None),
    ]


def test_typeorm(histories: None) -> None:
    rows = read("typeorm")
    assert shown(rows) == [("two1700000000001", None), ("one1700000000000", None)]
    assert [row.details for row in rows] == [
        {"timestamp": 1700000000001},
        {"timestamp": 1700000000000},
    ]


def test_drizzle(histories: None) -> None:
    rows = read("drizzle")
    assert shown(rows) == [("aa", None), ("bb", None)]
    assert rows[0].details == {"file_time": 1700000000001}


def test_db_migrate(histories: None) -> None:
    assert shown(read("db-migrate", schema="others")) == [
        ("/20260100000000-one", "2026-11-30T02:13:01.476000"),
        ("/20260101000000-two", "2026-11-30T02:13:01.524000"),
    ]


def test_prisma(histories: None) -> None:
    rows = read("prisma")
    assert shown(rows) == [
        ("20260101000000_one", "2026-11-29T19:11:11.700000Z"),
        ("20260102000000_two", "2026-11-29T19:11:19.700000Z"),
    ]
    assert left_out(rows) == [
        ("b", "it is marked as rolled back"),
        ("c", "it failed, or was not finished"),
    ]


def test_graphile_migrate(histories: None) -> None:
    assert [name for name, _ in shown(read("graphile-migrate"))] == [
        "000001.sql",
        "000002.sql",
        "000003.sql",
    ]


def test_graphile_migrate__a_broken_chain(histories: None) -> None:
    table = "graphile_migrate.migrations"
    execute(f"ALTER TABLE {table} DROP CONSTRAINT migrations_previous_hash_fkey")
    execute(f"DELETE FROM {table} WHERE hash = 'sha1:0'")
    try:
        rows = read("graphile-migrate")
        assert [row.name for row in rows if not row.left_out] == ["000001.sql"]
        assert left_out(rows) == [("sha1:2", "the one that it names as the one before is missing")]
    finally:
        execute(
            f"INSERT INTO {table} VALUES"
            " ('sha1:0', 'sha1:1', '000002.sql', '2026-11-29 19:13:01+00')"
        )


@pytest.mark.parametrize(
    ("columns", "tool"),
    [
        ({"id", "timestamp", "name"}, "TypeORM"),
        ({"id", "name", "run_on"}, "db-migrate"),
        ({"hash", "previous_hash", "filename", "date"}, "graphile-migrate"),
        ({"id", "name"}, None),
    ],
)
def test_tools_that_share_the_name_of_a_table(columns: set[str], tool: str | None) -> None:
    assert history_of("migrations", columns) == tool


def test_a_history_that_the_role_may_not_read(histories: None) -> None:
    execute("CREATE ROLE reads_no_history")
    execute("GRANT USAGE ON SCHEMA nodes TO reads_no_history")
    execute("SET ROLE reads_no_history")
    try:
        with pytest.raises(InsufficientPrivilege) as caught:
            read("knex")
    finally:
        execute("RESET ROLE")
        execute("REVOKE ALL ON SCHEMA nodes FROM reads_no_history")
        execute("DROP ROLE reads_no_history")
    assert caught.value.full_message == (
        "The role may not read nodes.knex_migrations, the history of Knex. Grant it USAGE on the"
        " schema and SELECT on nodes.knex_migrations. Nothing was changed."
    )


def test_a_view_with_the_columns_of_a_history(histories: None) -> None:
    execute("CREATE VIEW nodes.shown AS SELECT * FROM nodes.knex_migrations")
    with pytest.raises(InvalidConfiguration) as caught:
        read("knex", "shown")
    assert caught.value.message == "nodes.shown is not a history of Knex: it is not a table."


@pytest.mark.parametrize(
    ("zone", "started", "kinds"),
    [
        ("Asia/Kathmandu", "2026-11-29T20:26:25.659456", ["Asia/Kathmandu"] * 3),
        (
            "Europe/Berlin",
            "2026-11-30T01:11:25.659456",
            [
                "Europe/Berlin",
                "Europe/Berlin",
                "Europe/Berlin, where clocks were changed: it may be another hour",
            ],
        ),
        ("", None, ["unknown"] * 3),
    ],
)
def test_local_times_need_a_zone(
    histories: None, zone: str, started: str | None, kinds: list[str]
) -> None:
    connection = connections["default"]
    options = HistoryOptions(tool="node-pg-migrate", time_zone=zone)
    found = find_history(connection, NODES, options)
    began = datetime.datetime.now(datetime.UTC)
    with transaction.atomic():
        journal = Journal(connection, NODES, RunContext())
        journal.open()
        found.record(journal)
        rows = query(
            "SELECT started, details -> 'import' ->> 'time', details -> 'import' ->> 'local_time'"
            " FROM nodes.django_migrations_nodes_journal WHERE status = 'adopted' ORDER BY id"
        )
        transaction.set_rollback(True)
    assert [kind for _, kind, _ in rows] == kinds
    assert rows[0][2] == "2026-11-30 02:11:25.659456"
    if started is None:
        assert all(time >= began for time, _, _ in rows)  # that of the import
    else:
        assert rows[0][0].astimezone(datetime.UTC).replace(tzinfo=None).isoformat() == started
