"""An existing schema as a domain: its files, the proof, and the adoption on the source database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from domain_migrations.api.inspect import inspect as room
from domain_migrations.api.inspect import inspection
from domain_migrations.api.inspect.draft_app import draft_app
from domain_migrations.api.inspect.inspect import InspectedSchema, inspect_domain
from domain_migrations.api.inspect.prerequisites import read_prerequisites
from domain_migrations.api.start.project_files import SettingsFile
from domain_migrations.exceptions import InvalidConfiguration
from tests.support import catalog
from tests.support.catalog import execute, query, tables
from tests.support.commands import Result, call

SCHEMA = """
CREATE SCHEMA depot;
CREATE TYPE depot.state AS ENUM ('new', 'it''s 100%% done');
CREATE TABLE depot.suppliers (
    id serial PRIMARY KEY,
    name varchar(80) NOT NULL,
    state depot.state NOT NULL DEFAULT 'new',
    made_by uuid REFERENCES public.users,
    UNIQUE (name)
);
CREATE TABLE depot.items (
    id int PRIMARY KEY,
    supplier_id int NOT NULL REFERENCES depot.suppliers ON DELETE CASCADE,
    price numeric(10, 2) CHECK (price >= 0)
);
CREATE TABLE depot.codes (code text PRIMARY KEY);
CREATE TABLE depot.old_codes (PRIMARY KEY (code)) INHERITS (depot.codes);
CREATE UNLOGGED TABLE depot.sessions (key text PRIMARY KEY, n int);
ALTER TABLE depot.sessions ADD CHECK (n > 0) NOT VALID,
    ADD FOREIGN KEY (key) REFERENCES depot.codes NOT VALID;
CREATE TABLE depot.readings (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE depot.readings_2026 PARTITION OF depot.readings
    FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX readings_at ON ONLY depot.readings (at);
CREATE INDEX items_price ON depot.items (price DESC) WHERE price > 0;
CREATE FUNCTION depot.touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RETURN later(NEW); END $$;
CREATE TRIGGER touch BEFORE UPDATE ON depot.items FOR EACH ROW EXECUTE FUNCTION depot.touch();
CREATE VIEW depot.names AS SELECT id, name FROM depot.suppliers WHERE name LIKE '%%x';
CREATE VIEW depot.years AS SELECT extract('YEAR' FROM now()) AS year;
CREATE MATERIALIZED VIEW depot.counts AS SELECT count(*) AS n FROM depot.items;
CREATE TABLE depot.knex_migrations (
    id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz
);
CREATE TABLE depot.knex_migrations_depot_lock (index serial PRIMARY KEY, is_locked int);
INSERT INTO depot.suppliers (name) VALUES ('First');
GRANT SELECT ON depot.suppliers TO PUBLIC;
GRANT USAGE ON SCHEMA depot TO pg_monitor;
REVOKE ALL ON FUNCTION depot.touch FROM PUBLIC;
""".replace("%%", "%")

LATER = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("depot", "0001_initial")]
    operations = [
        migrations.AddField("supplier", "rating", models.IntegerField(null=True)),
        migrations.RunSQL(
            "CREATE VIEW depot.cheap AS SELECT id FROM depot.items WHERE price < 10",
            "DROP VIEW depot.cheap",
        ),
    ]
"""


@contextmanager
def project_in(folder: Path) -> Iterator[None]:
    """Let files be written into the folder, as into a project of its own."""
    content = b'INSTALLED_APPS = [\n    "core",\n]\n'
    (folder / "settings.py").write_bytes(content)
    settings = SettingsFile(folder / "settings.py", folder, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "find_settings", lambda: settings)
        yield


def inspect_into(folder: Path, **options: object) -> InspectedSchema:
    """Inspect `depot` for a project in the folder."""
    with project_in(folder):
        return inspect_domain("depot", **options)


def texts(inspected: InspectedSchema) -> dict[str, str]:
    """The files of the app, as `draft_app` takes them."""
    app = inspected.root / inspected.domain
    return {
        change.path.relative_to(app).as_posix(): change.after.decode()
        for change in inspected.changes
        if change.path.is_relative_to(app)
    }


@pytest.fixture(scope="module")
def source(migrated_module_database: str) -> None:
    execute(SCHEMA)


@pytest.fixture(scope="module")
def inspected(source: None, tmp_path_factory: pytest.TempPathFactory) -> InspectedSchema:
    return inspect_into(tmp_path_factory.mktemp("project"))


@pytest.fixture
def depot(inspected: InspectedSchema) -> Iterator[Path]:
    """The domain, installed in this process."""
    with draft_app("depot", texts(inspected)) as folder:
        yield folder


def migrate(*arguments: str) -> Result:
    return call("migrate_domain", "depot", *arguments, "--noinput")


def test_an_empty_database_gets_the_same_schema(inspected: InspectedSchema) -> None:
    proof = inspected.proof
    assert proof is not None
    assert (proof.differences, proof.missing, inspected.is_written) == ((), (), True)
    assert [change.path.relative_to(inspected.root).as_posix() for change in inspected.changes] == [
        "depot/__init__.py",
        "depot/apps.py",
        "depot/models.py",
        "depot/migrations/__init__.py",
        "depot/migrations/0001_initial.py",
        "depot/migrations/0001_initial.catalog.txt",
        "depot/migrations/max_migration.txt",
        "settings.py",
    ]
    written = (inspected.root / "depot/migrations/0001_initial.py").read_text()
    assert "'it''s 100% done'" in written
    assert "knex" not in written
    assert "REVOKE EXECUTE ON ROUTINE depot.touch() FROM PUBLIC;" in written
    assert "GRANT USAGE ON SCHEMA depot TO pg_monitor;" in written
    for table in ("knex_migrations", "knex_migrations_depot_lock"):
        note = f"The table depot.{table} is the history of Knex; it is left out."
        assert note in inspected.notes


def test_the_source_database_adopts_the_migration(depot: Path) -> None:
    before = catalog.snapshot()["depot"]
    assert migrate("--check").exit_status == 1
    assert "Record it as applied" in migrate("--plan").stdout
    assert "Record it as applied" in migrate("--dry-run").stdout
    assert "django_migrations_depot" not in tables("depot")

    result = migrate()

    assert result.exit_status == 0
    assert "Adopted depot.0001_initial: the schema is already as it makes it." in result.stdout
    assert query("SELECT app, name FROM depot.django_migrations_depot") == [
        ("depot", "0001_initial")
    ]
    assert query(
        "SELECT name, status, details ->> 'catalog' FROM depot.django_migrations_depot_journal"
        " WHERE direction = 'forwards'"
    ) == [("0001_initial", "adopted", "depot.0001_initial")]
    assert query("SELECT name FROM depot.suppliers") == [("First",)]
    assert migrate().stdout.endswith("depot: nothing to do\n")
    found = json.loads(call("verify_domain", "depot", "--format", "json").stdout)["findings"]
    assert {(item["id"], item["object"]) for item in found} == {
        ("L005", "depot.readings_at"),
        ("L006", "depot.sessions.sessions_key_fkey"),
        ("L006", "depot.sessions.sessions_n_check"),
    }
    call_command("makemigrations", "depot", check=True, dry_run=True, verbosity=0)

    (depot / "migrations/0002_cheap.py").write_text(LATER)
    assert migrate().exit_status == 0
    assert migrate("--rollback").exit_status == 0
    assert "nothing to do" in migrate("--rollback").stdout  # A run has applied nothing else.
    execute("DROP TABLE depot.django_migrations_depot, depot.django_migrations_depot_journal")
    assert catalog.snapshot()["depot"] == before


@pytest.mark.usefixtures("source")
def test_what_uses_the_schema_from_outside_is_noted(tmp_path: Path) -> None:
    execute("CREATE TABLE public.outside (item int CONSTRAINT key REFERENCES depot.items)")
    try:
        inspected = inspect_into(tmp_path, prove=False, dry_run=True)
    finally:
        execute("DROP TABLE public.outside")
    assert (
        "The foreign key public.outside.key references the table depot.items, which verify_domain"
        " will report. Remove it with: ALTER TABLE public.outside DROP CONSTRAINT key;"
    ) in inspected.notes


def test_a_later_migration_is_planned_after_the_adopted_one(depot: Path) -> None:
    (depot / "migrations/0002_cheap.py").write_text(LATER)
    for option in ("--plan", "--dry-run"):
        shown = migrate(option).stdout
        assert shown.index("Record it as applied") < shown.index("Add field rating to supplier")
    assert "django_migrations_depot" not in tables("depot")


def test_a_schema_that_differs_is_refused_with_each_difference(depot: Path) -> None:
    execute("ALTER TABLE depot.items ADD extra int; DROP VIEW depot.names")
    before = catalog.snapshot()
    try:
        for arguments in ((), ("--fake",)):
            result = migrate(*arguments)
            assert result.exit_status == 1
            assert (
                'The schema "depot" is not as depot.0001_initial makes it: column'
                " depot.items.extra: added; view depot.names: missing. Nothing was changed."
            ) in result.stderr
            assert catalog.snapshot() == before
    finally:
        execute("ALTER TABLE depot.items DROP extra")
        execute(
            "CREATE VIEW depot.names AS SELECT id, name FROM depot.suppliers WHERE name LIKE '%x'"
        )


def test_fake_records_what_is_the_same(depot: Path) -> None:
    (depot / "migrations/0002_cheap.py").write_text(LATER)
    result = migrate("--fake")
    assert "Adopted depot.0001_initial: the schema is already as it makes it." in result.stdout
    assert query(
        "SELECT name, status FROM depot.django_migrations_depot_journal WHERE name <> ''"
        " ORDER BY id"
    ) == [("0001_initial", "adopted"), ("0002_cheap", "faked")]
    execute("DROP TABLE depot.django_migrations_depot, depot.django_migrations_depot_journal")


@pytest.mark.parametrize("name", ["0001_initial.py", "0001_initial.catalog.txt"])
def test_files_that_were_edited_alone_are_refused(depot: Path, name: str) -> None:
    path = depot / "migrations" / name
    path.write_text(path.read_text().replace("numeric(10,2)", "numeric(12,2)"))
    result = migrate()
    assert result.exit_status == 1
    assert "edited" in result.stderr
    assert "django_migrations_depot" not in tables("depot")


def test_nothing_is_written_where_core_lacks_what_the_schema_uses(
    source: None, tmp_path: Path
) -> None:
    execute("CREATE FUNCTION public.checked(int) RETURNS bool LANGUAGE sql RETURN true")
    execute("ALTER TABLE depot.items ADD CONSTRAINT checked CHECK (public.checked(id))")
    try:
        with project_in(tmp_path):
            refused = call("inspect_domain", "depot", "--format", "json")
        assert refused.exit_status == 1
        found = json.loads(refused.stdout)
        assert [(item["object"], item["used_by"]) for item in found["missing"]] == [
            ("function public.checked(integer)", "checked")
        ]
        assert (found["written"], found["proven"]) == (False, False)
        assert (
            'The schema "depot" uses 1 object of other schemas that core\'s migrations do not'
            " create." in refused.stderr
        )
        assert [path.name for path in tmp_path.iterdir()] == ["settings.py"]
    finally:
        execute("DROP FUNCTION public.checked CASCADE")


def test_a_foreign_key_of_another_schema_is_nothing_that_the_schema_uses(source: None) -> None:
    execute("CREATE TABLE public.samples (code text REFERENCES depot.codes)")
    try:
        used = read_prerequisites(connection, "depot")
        assert "public.samples" not in " ".join(item.name for item in used)
        assert {item.name for item in used} == {"public.users", "public.users_pkey"}
    finally:
        execute("DROP TABLE public.samples")


def test_each_difference_is_named_and_nothing_is_written(
    source: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = inspection.entries_of
    monkeypatch.setattr(
        inspection,
        "entries_of",
        lambda *args, **values: [e for e in complete(*args, **values) if e.kind != "TRIGGER"],
    )
    with project_in(tmp_path):
        refused = call("inspect_domain", "depot", "--history", "knex")
    assert refused.exit_status == 1
    assert refused.stdout.splitlines()[-2:] == [
        "trigger depot.items.touch: missing",
        "Nothing was written.",
    ]
    assert (
        'An empty database would not get the schema "depot" as it is: 1 difference. Nothing was'
        " written" in refused.stderr
    )
    assert [path.name for path in tmp_path.iterdir()] == ["settings.py"]


def test_a_dry_run_writes_nothing(source: None, tmp_path: Path) -> None:
    shown = inspect_into(tmp_path, dry_run=True, prove=False)
    assert not shown.is_written
    assert not (tmp_path / "depot").exists()
    assert shown.as_json()["proven"] is None


def test_the_command_says_what_is_not_proven(source: None) -> None:
    result = call("inspect_domain", "depot", "--no-proof", "--dry-run")
    assert result.exit_status == 0
    assert "Not proven (--no-proof): an empty database may get another schema." in result.stdout
    assert result.stdout.endswith("Nothing was written.\n")


def test_models_that_need_an_app_are_refused_without_it(
    source: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = apps.is_installed
    monkeypatch.setattr(
        apps, "is_installed", lambda name: name != "django.contrib.postgres" and installed(name)
    )
    execute("CREATE TABLE depot.tagged (id int PRIMARY KEY, tags text[])")
    try:
        with pytest.raises(InvalidConfiguration, match='The models of "depot" need '):
            inspect_into(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["settings.py"]
    finally:
        execute("DROP TABLE depot.tagged")


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ("nowhere", 'it does not exist in the database "default"'),
        ("hr", 'it belongs to the domain "hr"'),
    ],
)
def test_schemas_that_cannot_be_inspected(source: None, schema: str, problem: str) -> None:
    with pytest.raises(InvalidConfiguration, match=problem):
        inspect_domain(schema)


def test_a_schema_whose_name_needs_quotes_is_renamed_first(source: None) -> None:
    execute('CREATE SCHEMA "Depot v2"')
    try:
        with pytest.raises(InvalidConfiguration) as refused:
            inspect_domain("Depot v2", name="depot_2")
    finally:
        execute('DROP SCHEMA "Depot v2"')
    assert refused.value.message == (
        '"Depot v2" cannot be the schema of a domain: it has a name that would need escaping.'
    )
    assert refused.value.hint == (
        "Rename it, which moves no row, and then what names it, such as functions and other"
        ' programs: ALTER SCHEMA "Depot v2" RENAME TO depot_v2;'
    )


def test_nothing_of_a_draft_is_left(inspected: InspectedSchema) -> None:
    from django.apps import apps

    with draft_app("depot", texts(inspected)):
        assert apps.get_model("depot", "Supplier")._meta.db_table == '"depot"."suppliers"'
    assert not apps.is_installed("depot")
    user = apps.get_model("core", "User")
    assert [name for name in vars(user) if "supplier" in name] == []
    assert not [field for field in user._meta.get_fields() if "supplier" in field.name]
