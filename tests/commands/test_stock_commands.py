"""Django's own commands, which read and write the histories of all domains."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import Signal

from domain_migrations.domains import get_domain_for
from domain_migrations.engine.history.status import DomainStatus
from domain_migrations.engine.runner import domain_work, run_checks
from domain_migrations.exceptions import UnknownTarget
from domain_migrations.management.commands import makemigrations, migrate
from domain_migrations.operations.autodetector import ReferenceDetection
from tests.support.catalog import execute, histories, query, schemas, snapshot, tables
from tests.support.commands import Result
from tests.support.databases import scratch
from tests.support.projects import Project, domain_app
from tests.support.servers import TestServer

Call = Callable[..., Result]

CREATE = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.IntegerField()),
    ], options={"db_table": '"lab"."things"'})]
"""
HERE = """
import os
if "ROLE" in os.environ:
    DATABASES["default"]["OPTIONS"] = {"options": f"-c role={os.environ['ROLE']}"}
DATABASES["default"]["PORT"] = os.environ.get("PORT", DATABASES["default"].get("PORT"))
"""
ADD_NOTE = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.AddField("Thing", "note", models.TextField(default=""))]
"""
ADD_MARK = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0002_note")]
    operations = [migrations.AddField("Thing", "mark", models.TextField(default=""))]
"""
SQUASHED = """
class Migration(migrations.Migration):
    initial = True
    replaces = [("lab", "0001_initial"), ("lab", "0002_note"), ("lab", "0003_mark")]
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.IntegerField()),
        ("note", models.TextField(default="")),
        ("mark", models.TextField(default="")),
    ], options={"db_table": '"lab"."things"'})]
"""
STEPS = {"0001_initial": CREATE, "0002_note": ADD_NOTE, "0003_mark": ADD_MARK}
MODEL = """
class Thing(models.Model):
    size = models.IntegerField()
    note = models.TextField(default="")
    mark = models.TextField(default="")
    class Meta:
        db_table = '"lab"."things"'
"""


def lab(**migrations: str) -> dict[str, dict[str, str]]:
    return {"lab": domain_app("lab", models=MODEL, migrations=migrations)}


def test_migrate_brings_everything_up_to_date_core_first(scratch_database: str, call: Call) -> None:
    result = call("migrate")
    assert result.exit_status == 0, result.stderr
    found = histories()
    assert all(found.values())
    assert not {"inventory", "hr", "finance"} & {app for app, _ in found["core"]}
    positions = [result.stdout.index(f"Domain {name} ") for name in found]
    assert positions == sorted(positions)
    before = snapshot()
    again = call("migrate")
    assert again.exit_status == 0
    assert "Applying" not in again.stdout
    assert snapshot() == before


def test_migrate_one_app(migrated_database: str, call: Call) -> None:
    assert call("migrate", "hr", "0002").exit_status == 0
    assert [name[:4] for _, name in histories()["hr"]] == ["0001", "0002"]
    assert call("migrate", "hr", "zero").exit_status == 0
    assert histories()["hr"] == []
    assert call("migrate", "auth", "0001").exit_status == 1  # core's and domains' stand on it
    assert call("migrate", "hr").exit_status == 0


def test_migrate_check_and_plan_change_nothing(scratch_database: str, call: Call) -> None:
    assert call("migrate", check_unapplied=True).exit_status == 1
    assert call("migrate", plan=True).exit_status == 0
    assert (schemas(), tables("public")) == (["public"], set())


def test_migrate_check_says_why_it_is_refused(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(status: DomainStatus) -> None:
        raise UnknownTarget(f"{status.domain.name} is refused.")

    execute("DELETE FROM hr.django_migrations_hr WHERE name LIKE '0002%'")
    monkeypatch.setattr(run_checks, "check_none_missing", refuse)
    result = call("migrate", "hr", check_unapplied=True)
    assert result.exit_status == 1
    assert "hr is refused." in result.stderr


def test_migrate_app_that_is_not_there(migrated_module_database: str, call: Call) -> None:
    result = call("migrate", "nowhere")
    assert result.exit_status == 1
    assert result.stderr == "CommandError: No installed app with label 'nowhere'.\n"


def test_migrate_core_where_no_app_has_that_name(
    migrated_module_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The domain of the apps that declare none has this name in every project."""
    monkeypatch.setattr(migrate, "CORE", "nowhere")
    hint = call("migrate", "nowhere").stderr.partition("'nowhere'. ")[2]
    assert hint == "To migrate the main system, run: manage.py migrate_domain core\n"


def test_showmigrations_reads_the_history_of_every_domain(
    migrated_database: str, call: Call
) -> None:
    call("migrate_domain", "hr", "0003")
    lines = call("showmigrations", "hr", "inventory").stdout.splitlines()
    marks = [line[:4].strip() for line in lines if line.startswith(" [")]
    assert lines[0] == "hr"
    assert marks[:4] == ["[X]", "[X]", "[X]", "[ ]"]
    assert set(marks[13:]) == {"[X]"}


@pytest.mark.parametrize("command", ["showmigrations", "check --database default"])
def test_what_cannot_be_read_is_a_sentence(project: Callable[..., Project], command: str) -> None:
    foreign = project(lab(**{"0001_initial": CREATE}))
    assert foreign.manage("migrate").returncode == 0
    foreign.write("settings.py", (foreign.path / "settings.py").read_text() + HERE)
    refused = foreign.manage(*command.split(), ROLE="pg_monitor")
    assert refused.returncode == 1
    assert refused.stderr.startswith('CommandError: The role "')
    assert " lacks a privilege in the database " in refused.stderr
    assert "Grant it" in refused.stderr
    down = foreign.manage(*command.split(), PORT="1")
    assert down.returncode == 75
    assert down.stderr.startswith('CommandError: The database "default" (')
    assert (refused.stderr + down.stderr).count("\n") == 2


def test_sqlmigrate_names_the_schema(migrated_module_database: str, call: Call) -> None:
    assert 'CREATE TABLE "hr"."positions"' in call("sqlmigrate", "hr", "0001").stdout


def test_makemigrations_finds_nothing_to_do(migrated_module_database: str, call: Call) -> None:
    result = call("makemigrations", check_changes=True, dry_run=True)
    assert (result.exit_status, result.stdout.strip()) == (0, "No changes detected")


def test_flush_empties_domains_and_keeps_histories(migrated_database: str, call: Call) -> None:
    execute(
        "INSERT INTO hr.positions (code, title_en, title_th, is_active)"
        " VALUES ('A', 'x', 'x', true)"
    )
    execute("CREATE SCHEMA elsewhere")
    execute("CREATE TABLE elsewhere.positions (id int)")
    execute("INSERT INTO elsewhere.positions VALUES (1)")
    before = (snapshot(), histories())
    assert call("flush", interactive=False).exit_status == 0
    assert query("SELECT count(*) FROM hr.positions") == [(0,)]
    assert query("SELECT count(*) FROM elsewhere.positions") == [(1,)]
    assert (snapshot(), histories()) == before


def test_run_syncdb_makes_tables_in_the_schema_and_records_nothing(
    project: Callable[..., Project],
) -> None:
    execute("CREATE TABLE public.things (id int)")
    foreign = project({"lab": domain_app("lab", models=MODEL)})
    for _ in range(2):
        result = foreign.manage("migrate", "--run-syncdb")
        assert result.returncode == 0, result.stderr
        assert {"things"} <= tables("lab")
        assert query("SELECT count(*) FROM lab.django_migrations_lab") == [(0,)]
    assert query("SELECT count(*) FROM pg_class WHERE relname = 'things'") == [(2,)]
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.things'::regclass"
        " AND attnum > 0"
    ) == [(1,)]


def test_run_syncdb_loads_no_migration_where_nothing_is_pending(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the test runner asks on a kept database, whose rows an earlier test may have emptied."""
    journal = "SELECT * FROM hr.django_migrations_hr_journal ORDER BY id"
    before = (snapshot(), histories(), query(journal))
    kinds = query("SELECT app_label, model FROM public.django_content_type ORDER BY 1, 2")
    execute("TRUNCATE public.django_content_type CASCADE")
    monkeypatch.setattr(domain_work, "load_domain", None)
    result = call("migrate", run_syncdb=True, interactive=False, verbosity=0)
    assert (result.exit_status, result.stdout) == (0, "")
    assert query("SELECT app_label, model FROM public.django_content_type ORDER BY 1, 2") == kinds
    assert (snapshot(), histories(), query(journal)) == before


def test_run_syncdb_makes_a_table_that_is_missing_beside_migrated_apps(
    project: Callable[..., Project],
) -> None:
    execute("CREATE TABLE public.things (id int)")
    note = 'class Note(models.Model):\n    class Meta:\n        db_table = \'"lab"."notes"\'\n'
    apps = {**lab(**STEPS), "labnotes": domain_app("labnotes", models=note, domain="lab")}
    foreign = project(apps)
    for _ in range(2):
        result = foreign.manage("migrate", "--run-syncdb")
        assert result.returncode == 0, result.stderr
        assert {"things", "notes"} <= tables("lab")
        execute("DROP TABLE lab.notes")
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.things'::regclass"
        " AND attnum > 0"
    ) == [(1,)]


@pytest.mark.parametrize("applied", ["none", "some", "all"])
def test_squashed_migrations(project: Callable[..., Project], applied: str) -> None:
    replayed = project(lab(**STEPS), name="reference")
    assert replayed.manage("migrate").returncode == 0
    reference = {s: text for s, text in snapshot().items() if s == "lab"}
    assert replayed.manage("migrate", "lab", "zero").returncode == 0
    target = {"none": "zero", "some": "0002", "all": "0003"}[applied]
    assert replayed.manage("migrate", "lab", target).returncode == 0

    both = project(lab(**STEPS, **{"0001_squashed_0003_mark": SQUASHED}), name="both")
    result = both.manage("migrate_domain", "lab")
    assert result.returncode == 0, result.stderr
    assert {s: text for s, text in snapshot().items() if s == "lab"} == reference
    names = {name for _, name in query("SELECT app, name FROM lab.django_migrations_lab")}
    assert names == {*STEPS, "0001_squashed_0003_mark"}
    again = both.manage("migrate_domain", "lab", "--format", "json")
    assert json.loads(again.stdout)["domains"][0]["status"] == "unchanged"

    only = project(lab(**{"0001_squashed_0003_mark": SQUASHED}), name="only")
    result = only.manage("migrate_domain", "lab")
    assert (result.returncode, result.stderr) == (0, "")
    shown = json.loads(only.manage("show_domains", "lab", "--format", "json").stdout)
    assert (shown["domains"][0]["pending"], shown["domains"][0]["unknown"]) == ([], [])


def test_migrate_brings_a_domain_up_to_date_in_its_own_database(
    project: Callable[..., Project], scratch_database: str, postgres_server: TestServer
) -> None:
    server = {"ENGINE": "domain_migrations.backends.postgresql", **postgres_server.settings}
    with scratch(postgres_server) as other:
        foreign = project(
            lab(**STEPS),
            settings={
                "DATABASES": {
                    "default": {**server, "NAME": scratch_database},
                    "other": {**server, "NAME": other},
                },
                "DOMAIN_MIGRATIONS": {"DATABASES": {"lab": "other"}},
            },
        )
        with postgres_server.connect(other) as connection:
            connection.execute("CREATE TABLE public.things (id int)")
        for command in (["migrate"], ["migrate", "lab", "0001"], ["migrate", "lab"]):
            result = foreign.manage(*command)
            assert result.returncode == 0, result.stderr
            assert "lab" not in schemas()
            assert {"auth_user", "django_migrations"} <= tables("public")
        with postgres_server.connect(other) as connection:
            found = connection.execute(
                "SELECT relnamespace::regnamespace::text, relname FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('lab', 'public')"
                " ORDER BY 1, 2"
            ).fetchall()
        assert found == [
            ("lab", "django_migrations_lab"),
            ("lab", "django_migrations_lab_journal"),
            ("lab", "things"),
            ("public", "things"),
        ]


def test_squashmigrations_writes_one_that_works(project: Callable[..., Project]) -> None:
    written = project(lab(**STEPS))
    assert written.manage("migrate").returncode == 0
    result = written.manage("squashmigrations", "lab", "0003", "--noinput")
    assert result.returncode == 0, result.stderr
    assert written.manage("migrate_domain", "lab").returncode == 0
    assert ("lab", "0001_squashed_0003_mark") in query(
        "SELECT app, name FROM lab.django_migrations_lab"
    )


def test_runserver_warns_of_pending_migrations(migrated_database: str, call: Call) -> None:
    from django.core.management.commands.runserver import Command

    call("migrate_domain", "hr", "0001")
    from io import StringIO

    out = StringIO()
    Command(stdout=out, stderr=out).check_migrations()
    assert "12 unapplied migration(s)" in out.getvalue()
    assert "app(s): hr." in out.getvalue()


def test_renamed_model_keeps_its_content_type_and_permissions(
    project: Callable[..., Project],
) -> None:
    before = project(lab(**STEPS), name="before")
    assert before.manage("migrate").returncode == 0
    old = query("SELECT id FROM django_content_type WHERE app_label = 'lab' AND model = 'thing'")
    permissions = query(
        "SELECT p.id FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id"
        " WHERE c.app_label = 'lab' AND p.codename LIKE '%thing' ORDER BY 1"
    )
    rename = """
    class Migration(migrations.Migration):
        dependencies = [("lab", "0003_mark")]
        operations = [migrations.RenameModel("Thing", "Object")]
    """
    app = domain_app(
        "lab",
        models=MODEL.replace("Thing", "Object"),
        migrations={**STEPS, "0004_rename": rename},
    )
    after = project({"lab": app}, name="after")
    result = after.manage("migrate_domain", "lab")
    assert result.returncode == 0, result.stderr
    new = query("SELECT id FROM django_content_type WHERE app_label = 'lab' AND model = 'object'")
    assert new == old
    kept = query("SELECT id FROM auth_permission WHERE content_type_id = %s ORDER BY 1", old[0][0])
    assert set(permissions) <= set(kept)


ARGUMENTS = {"app_config", "apps", "interactive", "plan", "stdout", "using", "verbosity"}


@contextmanager
def heard() -> Iterator[Counter[tuple[str, str]]]:
    """How often each app gets each of Django's signals, with the arguments that Django gives."""
    counts: Counter[tuple[str, str]] = Counter()

    def hear(signal: Signal, sender: AppConfig, **arguments: object) -> None:
        assert arguments.keys() == ARGUMENTS
        counts["before" if signal is pre_migrate else "after", sender.label] += 1

    for signal in (pre_migrate, post_migrate):
        signal.connect(hear)
    yield counts
    for signal in (pre_migrate, post_migrate):
        signal.disconnect(hear)


def once(*labels: str, moments: tuple[str, ...] = ("before", "after")) -> dict[Any, int]:
    return {(moment, label): 1 for moment in moments for label in labels}


@pytest.mark.parametrize(
    "arguments", [[], ["hr"], ["auth"], ["hr", "0003"], ["hr", "--fake"]], ids=" ".join
)
def test_migrate_sends_the_signals_to_each_app_once(
    migrated_database: str, call: Call, arguments: list[str]
) -> None:
    labels = [config.label for config in apps.get_app_configs() if config.models_module]
    with heard() as counts:
        assert call("migrate", *arguments, interactive=False).exit_status == 0
    assert counts == once(*labels)


def test_migrate_sends_the_signals_to_each_app_once__pending(
    migrated_database: str, call: Call
) -> None:
    call("migrate_domain", "hr", "0003", "--noinput")
    labels = [config.label for config in apps.get_app_configs() if config.models_module]
    with heard() as counts:
        assert call("migrate").exit_status == 0
    assert counts == once(*labels)


@pytest.mark.parametrize("option", ["plan", "check_unapplied"])
def test_migrate_sends_no_signals_where_nothing_is_run(
    migrated_database: str, call: Call, option: str
) -> None:
    with heard() as counts:
        assert call("migrate", **{option: True}).exit_status == 0
    assert not counts


def test_migrate_restores_permissions_that_were_deleted(migrated_database: str, call: Call) -> None:
    permissions = (
        "SELECT content_type_id, codename FROM public.auth_permission"
        " WHERE codename LIKE '%_position' OR codename LIKE '%_group' ORDER BY 1, 2"
    )
    before = (query(permissions), snapshot(), histories())
    execute("TRUNCATE public.auth_permission CASCADE")
    assert call("migrate").exit_status == 0
    assert (query(permissions), snapshot(), histories()) == before


def test_migrate_domain_sends_the_signals_where_nothing_is_pending_if_asked(
    migrated_database: str, call: Call
) -> None:
    core = [config.label for config in apps.get_app_configs() if config.models_module]
    core = [label for label in core if get_domain_for(label).is_core]
    with heard() as counts:
        assert call("migrate_domain", "hr").exit_status == 0
    assert not counts
    with heard() as counts:
        assert call("migrate_domain", "hr", "--signals").exit_status == 0
    assert counts == once("hr", *core, moments=("before",)) | once("hr", moments=("after",))
    refused = call("migrate_domain", "hr", "--signals", "--plan")
    assert (refused.exit_status, refused.stderr.strip().removeprefix("CommandError: ")) == (
        2,
        "--plan cannot be used with --signals, because it sends no signals.",
    )


def test_migrate_has_the_autodetector_of_makemigrations(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(MigrationAutodetector):
        """As a package brings it with its own `makemigrations`."""

    assert issubclass(migrate.Command().autodetector, ReferenceDetection)
    monkeypatch.setattr(makemigrations.Command, "autodetector", Other)
    assert migrate.Command().autodetector is Other
