"""Another tool's history: declared beside the migrations, and brought into the journal once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse

from domain_migrations.api.inspect import inspect as room
from domain_migrations.api.inspect.draft_app import draft_app
from domain_migrations.api.inspect.history_choice import HistoryOptions, parse_history_table
from domain_migrations.api.inspect.inspect import InspectedSchema, inspect_domain
from domain_migrations.api.start.project_files import SettingsFile
from domain_migrations.exceptions import DomainMigrationsError
from tests.support import catalog
from tests.support.business import rolled_back, superuser_client
from tests.support.catalog import execute, query, tables
from tests.support.commands import Result, call

SCHEMA = """
CREATE SCHEMA store;
CREATE TABLE store.items (id int PRIMARY KEY);
CREATE TABLE store.knex_migrations (
    id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz
);
CREATE TABLE store.knex_migrations_lock (index serial PRIMARY KEY, is_locked int);
INSERT INTO store.knex_migrations (name, batch, migration_time) VALUES
    ('20240301_first.js', 1, '2024-03-01 10:00:00.123+07'),
    ('20240101_second.js', 1, '2024-03-01 10:00:00.123+07'),
    ('20240301_first.js', 2, '2024-03-02 10:00+07'),
    ('20240401_third.js', 3, '2024-04-01 10:00+07');
CREATE TABLE public.knex_migrations (
    id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz
);
INSERT INTO public.knex_migrations (name) VALUES ('of_another_schema.js');
CREATE TABLE public.shared (id serial, app text, name text, applied timestamptz);
INSERT INTO public.shared (app, name) VALUES ('hr', '0001'), ('shop', '0001'), ('shop', '0002');
"""
KNEX = HistoryOptions(tool="knex", table="store.knex_migrations")
IMPORTED = """
SELECT app, name, status, started AT TIME ZONE 'UTC', details -> 'import' ->> 'time',
    (details -> 'import' ->> 'batch')::int, batch
FROM store.django_migrations_store_journal WHERE direction = 'import' ORDER BY id
"""
LATER = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]
    operations = [migrations.RunSQL(
        "CREATE VIEW store.names AS SELECT id FROM store.items", "DROP VIEW store.names")]
"""


def inspect_into(folder: Path, **options: object) -> InspectedSchema:
    """Inspect `store` for a project in the folder."""
    content = b'INSTALLED_APPS = [\n    "core",\n]\n'
    (folder / "settings.py").write_bytes(content)
    settings = SettingsFile(folder / "settings.py", folder, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "find_settings", lambda: settings)
        return inspect_domain("store", **options)


@pytest.fixture(scope="module")
def source(migrated_module_database: str) -> None:
    execute(SCHEMA)


@pytest.fixture(scope="module")
def inspected(source: None, tmp_path_factory: pytest.TempPathFactory) -> InspectedSchema:
    return inspect_into(tmp_path_factory.mktemp("project"), history=KNEX)


@pytest.fixture
def store(inspected: InspectedSchema) -> Iterator[Path]:
    """The domain, installed in this process; its history and journal are dropped afterwards."""
    app = inspected.root / "store"
    files = {
        change.path.relative_to(app).as_posix(): (change.after or b"").decode()
        for change in inspected.changes
        if change.path.is_relative_to(app)
    }
    with draft_app("store", files) as folder:
        yield folder
    execute("DROP VIEW IF EXISTS store.names")
    execute("DROP TABLE IF EXISTS store.django_migrations_store")
    execute("DROP TABLE IF EXISTS store.django_migrations_store_journal")
    execute("DROP TABLE IF EXISTS store.django_seeds_store")


def migrate(*arguments: str) -> Result:
    return call("migrate_domain", "store", *arguments, "--noinput")


def findings() -> dict[str, str]:
    found = json.loads(call("verify_domain", "store", "--format", "json").stdout)["findings"]
    return {item["id"]: item["message"] for item in found}


def test_the_declaration_is_written_beside_the_migration(inspected: InspectedSchema) -> None:
    assert inspected.proof is not None
    assert inspected.is_written, inspected.proof.differences
    lines = (inspected.root / "store/migrations/history.toml").read_text().splitlines()
    assert [line for line in lines if line[0] != "#" and not line.startswith("date")] == [
        "format = 1",
        'tool = "knex"',
        'schema = "store"',
        'table = "knex_migrations"',
    ]
    history = inspected.as_json()["history"]
    assert history["table"] == "store.knex_migrations"
    assert [(row["name"], row["time"], row["batch"]) for row in history["rows"]] == [
        ("20240301_first.js", "2024-03-01T03:00:00Z", 1),
        ("20240101_second.js", "2024-03-01T03:00:00Z", 1),
        ("20240401_third.js", "2024-04-01T03:00:00Z", 3),
    ]
    assert [item["name"] for item in history["left_out"]] == ["20240301_first.js"]


def test_a_database_brings_its_rows_in_once(store: Path) -> None:
    before = catalog.snapshot()
    for option in ("--plan", "--dry-run"):
        shown = migrate(option).stdout
        assert "bring 3 migrations of Knex from store.knex_migrations into the journal" in shown
        assert "20240101_second.js 2024-03-01T03:00:00Z" in shown
    assert catalog.snapshot() == before

    result = migrate()

    assert result.exit_status == 0, result.stderr
    assert "Brought 3 migrations of Knex from store.knex_migrations into the journal." in (
        result.stdout
    )
    rows = query(IMPORTED)
    assert [
        (app, name, status, time, theirs, ours) for app, name, status, _, time, theirs, ours in rows
    ] == [
        ("knex", "20240301_first.js", "adopted", "exact", 1, 0),
        ("knex", "20240101_second.js", "adopted", "exact", 1, 0),
        ("knex", "20240401_third.js", "adopted", "exact", 3, 0),
        ("knex", "", "done", None, None, 0),
    ]
    assert [row[3].isoformat() for row in rows[:3]] == [
        "2024-03-01T03:00:00.123000",
        "2024-03-01T03:00:00.123000",
        "2024-04-01T03:00:00",
    ]
    assert migrate().stdout.endswith("store: nothing to do\n")
    assert migrate("--check").exit_status == 0
    assert query(IMPORTED) == rows
    assert len(query("SELECT FROM store.knex_migrations")) == 4
    assert findings() == {}


def test_runs_do_not_see_the_rows(store: Path) -> None:
    migrate()
    (store / "migrations/0002_names.py").write_text(LATER)
    assert migrate().exit_status == 0
    assert query("SELECT max(batch) FROM store.django_migrations_store_journal") == [(2,)]
    assert migrate("--rollback").exit_status == 0
    assert "nothing to do" in migrate("--rollback").stdout
    shown = json.loads(call("show_domains", "store", "--format", "json").stdout)
    assert [item["name"] for item in shown["domains"][0]["applied"]] == ["0001_initial"]
    assert len(query(IMPORTED)) == 4


def test_a_declaration_that_comes_later_is_followed(store: Path) -> None:
    declaration = store / "migrations/history.toml"
    text = declaration.read_text()
    declaration.unlink()
    migrate()
    assert query(IMPORTED) == []

    declaration.write_text(text)
    checked = migrate("--check")
    assert checked.exit_status == 1
    assert "has a history to import" in checked.stderr
    result = json.loads(migrate("--format", "json").stdout)["domains"][0]

    assert (result["status"], result["applied"]) == ("migrated", [])
    assert len(result["history"]["rows"]) == 3
    assert len(query(IMPORTED)) == 4


def test_verify_finds_what_the_tool_does_later(store: Path) -> None:
    migrate()
    declaration = store / "migrations/history.toml"
    declaration.write_text(declaration.read_text() + "keep_until = 2026-01-02\n")
    execute("INSERT INTO store.knex_migrations (id, name) VALUES (9, '2027_late.js')")
    execute("DELETE FROM store.knex_migrations WHERE id = 4")
    try:
        found = findings()
    finally:
        execute("DELETE FROM store.knex_migrations WHERE id = 9")
        execute(
            "INSERT INTO store.knex_migrations"
            " VALUES (4, '20240401_third.js', 3, '2024-04-01 10:00+07')"
        )
    assert found == {
        "H010": "Since its history was brought in, Knex has run 2027_late.js, and has lost 1 of the"
        " rows that the journal has: store.knex_migrations.",
        "L009": "The table store.knex_migrations, the history of Knex, was wanted until"
        " 2026-01-02.",
    }


def test_names_are_kept_whole_and_printed_without_control_characters(store: Path) -> None:
    long = "ก" * 300
    execute(
        "CREATE TABLE public.kept_rows AS SELECT * FROM store.knex_migrations;"
        "ALTER TABLE store.knex_migrations ALTER name TYPE text"
    )
    execute("UPDATE store.knex_migrations SET name = %s WHERE id = 1", "\x1b[31m'\n\"%s")
    execute("UPDATE store.knex_migrations SET name = %s WHERE id = 2", long)
    execute("UPDATE store.knex_migrations SET name = NULL WHERE id = 4")
    try:
        assert r"  \x1b[31m'\n" in migrate("--dry-run").stdout
        result = json.loads(migrate("--format", "json").stdout)["domains"][0]
        assert [row["name"] for row in result["history"]["rows"]][:2] == ["\x1b[31m'\n\"%s", long]
        execute("INSERT INTO store.knex_migrations (id, name) VALUES (9, E'\x1b[31mlate')")
        assert r"Knex has run \x1b[31mlate: store.knex_migrations." in findings()["H010"]
    finally:
        execute(
            "TRUNCATE store.knex_migrations;"
            "ALTER TABLE store.knex_migrations ALTER name TYPE varchar(255);"
            "INSERT INTO store.knex_migrations TABLE public.kept_rows; DROP TABLE public.kept_rows"
        )
    rows = query(
        "SELECT name, details -> 'import' ->> 'name' FROM store.django_migrations_store_journal"
        " WHERE direction = 'import' AND app = 'knex' ORDER BY id"
    )
    assert rows[1] == (long[:255], long)
    assert [name for _, name in rows].count(None) == len(rows) - 1


def test_the_page_of_the_run_shows_the_times_of_the_tool(store: Path) -> None:
    migrate()
    ((run,),) = query(
        "SELECT DISTINCT run FROM store.django_migrations_store_journal WHERE direction = 'import'"
    )
    with rolled_back():
        page = superuser_client().get(reverse("admin:domain_migrations_run", args=[run]))
    assert page.status_code == 200
    text = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
    assert "knex 20240301_first.js ✎ brought in 2024-03-01 10:00:00 +07 store" in text
    assert "knex history ✓ done" in text


def test_a_declared_table_in_public_is_no_leftover_of_core(store: Path) -> None:
    def leftovers() -> list[str]:
        result = call("verify_domain", "core", "--only", "leftover", "--format", "json")
        return [item["object"] for item in json.loads(result.stdout)["findings"]]

    assert leftovers() == ["public.knex_migrations", "public.shared"]
    declaration = store / "migrations/history.toml"
    declaration.write_text(declaration.read_text().replace('schema = "store"', 'schema = "public"'))
    assert leftovers() == ["public.shared"]
    declaration.write_text("format = 2\n")
    assert leftovers() == ["public.knex_migrations", "public.shared"]


def test_migrations_that_make_the_schema_bring_nothing_in(store: Path) -> None:
    execute("ALTER SCHEMA store RENAME TO kept")
    execute("CREATE SCHEMA store")
    execute("CREATE TABLE store.knex_migrations (LIKE kept.knex_migrations)")
    execute("INSERT INTO store.knex_migrations SELECT * FROM kept.knex_migrations")
    try:
        result = migrate()
        assert result.exit_status == 0, result.stderr
        assert [row[1:3] for row in query(IMPORTED)] == [("", "done")]
        assert "items" in tables("store")
        assert findings() == {}
    finally:
        execute("DROP SCHEMA store CASCADE")
        execute("ALTER SCHEMA kept RENAME TO store")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            HistoryOptions(tool="knex"),
            "There are two histories of Knex: public.knex_migrations, store.knex_migrations.",
        ),
        (
            HistoryOptions(tool="knex", table="nowhere.knex_migrations"),
            "There is no table nowhere.knex_migrations in this database.",
        ),
        (
            HistoryOptions(tool="knex", table="items"),
            "store.items is not a history of Knex: it lacks the column batch.",
        ),
        (
            HistoryOptions(tool="sequelize"),
            "Sequelize has no history in store and public: no table SequelizeMeta has its columns.",
        ),
        (
            HistoryOptions(tool="maven"),
            'No migration tool "maven" is known.',
        ),
        (
            HistoryOptions(tool="knex", table="knex_migrations", time_zone="Asia/Nowhere"),
            "--history-time-zone names an unknown time zone: 'Asia/Nowhere'.",
        ),
        (
            HistoryOptions(tool="knex", table="knex_migrations", time_zone="Asia/Bangkok"),
            "store.knex_migrations has no times without a zone, so that --history-time-zone"
            " Asia/Bangkok has no meaning.",
        ),
        (
            HistoryOptions(tool="knex", table="knex_migrations", keep_days=-1),
            "--history-keep -1 is out of range.",
        ),
        (
            HistoryOptions(tool="knex", table="knex_migrations", keep_days=10**12),
            "--history-keep 1000000000000 is out of range.",
        ),
        (
            HistoryOptions(tool="django", table="public.django_migrations"),
            "public.django_migrations is the history of core, not of another tool.",
        ),
        (
            HistoryOptions(tool="django"),
            "Django has no history in store and public: no table django_migrations has its"
            " columns.",
        ),
        (
            HistoryOptions(tool="django", table="public.shared"),
            "public.shared has the rows of 2 applications: hr, shop.",
        ),
        (
            HistoryOptions(tool="django", table="public.shared", only=("shop", "shops")),
            'public.shared has no rows of an application "shops".',
        ),
    ],
)
def test_histories_that_cannot_be_used(
    source: None, tmp_path: Path, options: HistoryOptions, problem: str
) -> None:
    with pytest.raises(DomainMigrationsError) as caught:
        inspect_into(tmp_path, history=options, prove=False)
    assert caught.value.message == problem
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("log", "store.log"),
        ("a.log", "a.log"),
        ('"my.log"', "store.my.log"),
        ('a."my.""log"', 'a.my."log'),
        ('"A b".log', "A b.log"),
        ("a.b.c", "store.a.b.c"),
    ],
)
def test_names_of_tables(given: str, found: str) -> None:
    name = parse_history_table(given, "store")
    assert ".".join(name) == found


def test_the_rows_of_one_application_are_declared(source: None, tmp_path: Path) -> None:
    options = HistoryOptions(tool="django", table="public.shared", only=("shop",))
    inspected = inspect_into(tmp_path, history=options, prove=False)
    text = (tmp_path / "store/migrations/history.toml").read_text()
    assert 'only = ["shop"]\n' in text
    assert inspected.history is not None
    assert [row.name for row in inspected.history.rows] == ["shop.0001", "shop.0002"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("format = 2", "has the format 2, and only 1 is known"),
        ('time_zone = "Mars/Base"', "names an unknown time zone: 'Mars/Base'"),
        ("keep_until = 1", "needs a date such as 2026-11-29 in keep_until"),
        ('only = "shop"', "needs a list of names in only, not 'shop'"),
        ("why = 1", "has an unknown key: why"),
    ],
)
def test_declarations_that_are_none(store: Path, line: str, problem: str) -> None:
    path = store / "migrations/history.toml"
    text = path.read_text()
    path.write_text(text.replace("format = 1", line) if "format" in line else f"{text}{line}\n")
    result = migrate()
    assert result.exit_status == 1
    assert f"The declaration {path} {problem}." in result.stderr
    assert "django_migrations_store" not in tables("store")
