"""`migrate_domain` on this project's own domains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections

from domain_migrations.backends.postgresql.names import parse_table_name
from domain_migrations.domains import get_domains
from domain_migrations.engine.sources.files import migrations_on_disk
from tests.support.catalog import HISTORIES, execute, histories, query, schemas, snapshot, tables
from tests.support.commands import Result

Call = Callable[..., Result]
SLOW = pytest.mark.slow_stress


def test_every_history_holds_exactly_its_domains_rows(migrated_module_database: str) -> None:
    found = histories()
    for domain in get_domains():
        assert sorted(found[domain.name]) == sorted(migrations_on_disk(domain.app_labels))


def test_every_table_is_in_its_domains_schema(migrated_module_database: str) -> None:
    for domain in get_domains():
        expected = {parse_table_name(str(table)) for table in _tables_of_models(domain.app_labels)}
        assert {table.schema or "public" for table in expected} <= {domain.schema}
        engine = {table.name for table in domain.engine_tables}
        assert tables(domain.schema) - engine == {table.name for table in expected}


def _tables_of_models(labels: tuple[str, ...]) -> set[str]:
    return {
        model._meta.db_table
        for label in labels
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def test_content_types_and_permissions_exist_for_every_model(
    migrated_module_database: str,
) -> None:
    models = {(m._meta.app_label, m._meta.model_name) for m in apps.get_models()}
    assert set(ContentType.objects.values_list("app_label", "model")) == models
    expected = {
        (model._meta.app_label, f"{action}_{model._meta.model_name}")
        for model in apps.get_models()
        for action in model._meta.default_permissions
    }
    found = set(Permission.objects.values_list("content_type__app_label", "codename"))
    assert expected <= found


@pytest.mark.parametrize(
    "domain", ["hr", *(pytest.param(name, marks=SLOW) for name in ("inventory", "finance"))]
)
def test_zero_and_back_leaves_every_catalog_as_it_was(
    migrated_database: str, call: Call, domain: str
) -> None:
    execute(f"CREATE TABLE public.{_a_table(domain)} (id int CONSTRAINT decoy PRIMARY KEY)")
    before = snapshot()
    reverted = call("migrate_domain", domain, "zero")
    assert reverted.exit_status == 0, reverted.stderr
    between = snapshot()
    others = [schema for schema in before if schema != domain]
    assert {s: between[s] for s in others} == {s: before[s] for s in others}
    engine = {table.name for d in get_domains() if d.name == domain for table in d.engine_tables}
    assert tables(domain) <= engine
    assert histories()[domain] == []
    redone = call("migrate_domain", domain)
    assert redone.exit_status == 0, redone.stderr
    assert snapshot() == before


def _a_table(domain: str) -> str:
    return {"inventory": "drugs", "hr": "employees", "finance": "invoices"}[domain]


def test_domain_on_an_empty_database_names_core_and_changes_nothing(
    scratch_database: str, call: Call
) -> None:
    result = call("migrate_domain", "inventory")
    assert result.exit_status == 1
    assert 'The domain "inventory" needs' in result.stderr
    assert "manage.py migrate_domain core (or add --with-dependencies)" in result.stderr
    assert schemas() == ["public"]
    assert tables("public") == set()


def test_with_dependencies_brings_core_first(scratch_database: str, call: Call) -> None:
    result = call("migrate_domain", "inventory", "--with-dependencies", "--format", "json")
    assert result.exit_status == 0, result.stderr
    run = json.loads(result.stdout)
    assert [(d["domain"], d["status"]) for d in run["domains"]] == [
        ("core", "migrated"),
        ("inventory", "migrated"),
    ]
    assert schemas() == ["inventory", "public"]


@pytest.mark.parametrize("option", ["--plan", "--check"])
def test_plan_and_check_create_nothing(scratch_database: str, call: Call, option: str) -> None:
    result = call("migrate_domain", "--all", option)
    assert result.exit_status == (1 if option == "--check" else 0), result.stderr
    assert schemas() == ["public"]
    assert tables("public") == set()
    if option == "--plan":
        assert "Create model Drug" in result.stdout


def test_nothing_pending_is_nothing_to_do(migrated_module_database: str, call: Call) -> None:
    before = snapshot()
    journal = query("SELECT count(*) FROM hr.django_migrations_hr_journal")
    result = call("migrate_domain", "--all", "--format", "json")
    statuses = {d["domain"]: d["status"] for d in json.loads(result.stdout)["domains"]}
    assert statuses == dict.fromkeys(HISTORIES, "unchanged")
    assert snapshot() == before
    assert query("SELECT count(*) FROM hr.django_migrations_hr_journal") == journal


def test_up_to_date_run_imports_no_migration(
    migrated_module_database: str, manage: Callable[..., object], tmp_path: Path
) -> None:
    script = tmp_path / "settings_probe.py"
    script.write_text(
        "from config.settings import *\n"
        "import atexit, sys\n"
        "atexit.register(lambda: print('IMPORTED', sorted(\n"
        "    name for name in sys.modules if '.migrations.0' in name), file=sys.stderr))\n"
    )
    result = manage(
        "migrate_domain",
        "inventory",
        DJANGO_SETTINGS_MODULE="settings_probe",
        PYTHONPATH=str(tmp_path),
    )
    assert result.returncode == 0, result.stderr  # type: ignore[attr-defined]
    assert "IMPORTED []" in result.stderr  # type: ignore[attr-defined]


def test_json_has_every_key_of_the_contract(migrated_database: str, call: Call) -> None:
    result = call("migrate_domain", "hr", "zero", "--format", "json")
    run = json.loads(result.stdout)
    assert set(run) == {"format", "run", "database", "domains"}
    assert (run["format"], run["database"]) == (1, "default")
    (domain,) = run["domains"]
    assert set(domain) == {
        *("domain", "schema", "history_table", "status", "batch", "applied", "reverted"),
        *("pending", "unknown", "not_rehearsed", "error", "seconds"),
    }
    assert domain["history_table"] == "hr.django_migrations_hr"
    assert domain["reverted"][0].keys() == {"app", "name", "seconds"}
    assert [m["name"] for m in domain["reverted"]][-1] == "0001_initial"
    assert len(domain["pending"]) == len(domain["reverted"])


def test_rollback_reverts_the_last_batch(migrated_database: str, call: Call) -> None:
    last = sorted(migrations_on_disk(["hr"]))[-1]
    call("migrate_domain", "hr", "0005")
    before = snapshot()
    assert call("migrate_domain", "hr").exit_status == 0
    assert ("hr", last.name) in histories()["hr"]
    result = call("migrate_domain", "hr", "--rollback", "--format", "json")
    assert result.exit_status == 0, result.stderr
    assert histories()["hr"][-1][1].startswith("0005")
    assert snapshot() == before


def test_plan_of_several_domains_has_each_ones_steps_under_its_name(
    scratch_database: str, call: Call
) -> None:
    lines = call("migrate_domain", "--all", "--plan").stdout.splitlines()
    headings = [line for line in lines if line.startswith("Domain ")]
    assert headings == [
        "Domain core (schema public):",
        "Domain inventory (schema inventory):",
        "Domain hr (schema hr):",
        "Domain finance (schema finance):",
    ]
    assert lines[lines.index("Domain hr (schema hr):") + 1] == "  hr.0001_initial"
    assert lines[lines.index("Domain finance (schema finance):") - 1] == "hr: 13 pending"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("migrate_domain", "nosuch"), "unknown_domain"),
        (("migrate_domain", "nosuch", "--plan"), "unknown_domain"),
        (("seed_domain", "nosuch"), "unknown_domain"),
        (("show_domains", "nosuch"), None),
        (("migrate_domain", "hr", "--rollback", "--fake"), None),
    ],
)
def test_json_of_wrong_usage(
    migrated_module_database: str, call: Call, arguments: tuple[str, ...], code: str | None
) -> None:
    result = call(*arguments, "--format=json")
    found = json.loads(result.stdout) if result.stdout else {}
    (domain,) = found.get("domains", [found])
    assert (result.exit_status, domain["error"]["code"] if found else None) == (2, code)


def test_unknown_rows_are_a_warning(migrated_database: str, call: Call) -> None:
    execute(
        "INSERT INTO hr.django_migrations_hr (app, name, applied)"
        " VALUES ('hr', '0099_from_newer_code', now())"
    )
    result = call("migrate_domain", "hr")
    assert result.exit_status == 0
    assert (
        "Warning: hr.0099_from_newer_code is in hr.django_migrations_hr but not on disk."
        " Newer code may have applied it; it is ignored."
    ) in result.stderr
    strict = call("migrate_domain", "hr", "--strict", "--format", "json")
    assert strict.exit_status == 1
    (domain,) = json.loads(strict.stdout)["domains"]
    assert domain["status"] == "refused"
    assert domain["unknown"] == [{"app": "hr", "name": "0099_from_newer_code"}]


@pytest.mark.parametrize("arguments", [["0012"], ["zero"], ["--rollback"], ["0012", "--plan"]])
def test_unknown_rows_are_an_error_if_applied_after_the_migrations_to_revert(
    migrated_database: str, call: Call, arguments: list[str]
) -> None:
    execute(
        "INSERT INTO hr.django_migrations_hr (app, name, applied)"
        " VALUES ('hr', '0099_from_newer_code', now())"
    )
    before = snapshot(), histories()
    result = call("migrate_domain", "hr", *arguments, "--format=json")
    (domain,) = json.loads(result.stdout)["domains"]
    assert (result.exit_status, domain["status"]) == (1, "refused")
    assert domain["error"] == {
        "code": "unknown_target",
        "message": "hr.0099_from_newer_code, applied after what would be reverted, must be reverted"
        " first and is not on disk.",
        "hint": "Deploy the code that has it and run the command again; if it is lost,"
        " run: manage.py repair_domain hr --prune. Nothing was changed.",
        "sqlstate": None,
    }
    assert (snapshot(), histories()) == before


def test_unknown_rows_are_a_warning_if_applied_before_the_migrations_to_revert(
    migrated_database: str, call: Call
) -> None:
    execute(
        "INSERT INTO hr.django_migrations_hr (id, app, name, applied)"
        " VALUES (0, 'hr', '0001_before_the_squash', now())"
    )
    result = call("migrate_domain", "hr", "0012")
    assert result.exit_status == 0, result.stderr
    assert "hr.0001_before_the_squash is in hr.django_migrations_hr" in result.stderr


@pytest.mark.parametrize("arguments", [["0012"], ["--rollback"]])
def test_check_reports_migrations_to_revert(
    migrated_module_database: str, call: Call, arguments: list[str]
) -> None:
    result = call("migrate_domain", "hr", *arguments, "--check")
    assert result.exit_status == 1
    assert result.stdout.endswith("hr: something to revert\n")
    assert result.stderr == (
        'CommandError: The domain "hr" has migrations that would be reverted; see --plan.\n'
    )


def test_plan_counts_migrations_to_revert(migrated_module_database: str, call: Call) -> None:
    result = call("migrate_domain", "hr", "0012", "--plan")
    assert (result.exit_status, result.stdout.splitlines()[-1]) == (0, "hr: 1 to revert")


def test_core_zero_is_refused_while_domains_depend_on_it(
    migrated_module_database: str, call: Call
) -> None:
    before = snapshot()
    result = call("migrate_domain", "core", "zero")
    assert result.exit_status == 1
    others = ", ".join(name for name in HISTORIES if name != "core")
    assert f"core cannot be migrated to zero while domains depend on it: {others}." in result.stderr
    assert snapshot() == before


def test_row_in_public_does_not_count(scratch_database: str, call: Call) -> None:
    assert call("migrate_domain", "core").exit_status == 0
    execute(
        "INSERT INTO public.django_migrations (app, name, applied)"
        " VALUES ('hr', '0001_initial', now())"
    )
    result = call("migrate_domain", "hr")
    assert result.exit_status == 1
    assert "public.django_migrations records hr.0001_initial" in result.stderr
    assert "None of its tables exists. Restore the tables first" in result.stderr
    assert schemas() == ["public"]


def test_killed_before_post_migrate_is_completed_by_the_next_run(
    migrated_database: str, call: Call
) -> None:
    Permission.objects.filter(content_type__app_label="hr").delete()
    execute(
        "INSERT INTO hr.django_migrations_hr_journal (run, batch, app, name, direction, status,"
        " started, seconds, checksum, os_user, host, project_version, engine_version,"
        " django_version, footprint, details, error, sqlstate)"
        " SELECT run, batch, app, name, direction, 'running', now(), 0, '', '', '', '', '', '',"
        " '{}', '{}', '', '' FROM hr.django_migrations_hr_journal WHERE direction = 'run' LIMIT 1"
    )
    result = call("migrate_domain", "hr")
    assert result.exit_status == 0, result.stderr
    assert Permission.objects.filter(content_type__app_label="hr").exists()
    assert call("migrate_domain", "hr", "--format", "json").exit_status == 0
    ((status,),) = query(
        "SELECT status FROM hr.django_migrations_hr_journal WHERE direction = 'run'"
        " ORDER BY id DESC LIMIT 1"
    )
    assert status == "done"


def test_connections_are_left_as_they_were(migrated_database: str, call: Call) -> None:
    connection = connections["default"]
    call("migrate_domain", "hr", "zero")
    assert connections["default"] is connection
    assert connection.get_autocommit()
