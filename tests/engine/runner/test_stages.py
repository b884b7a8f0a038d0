"""Stages: the migrations of a plan that run before the new code, and those after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.migration import Migration
from django.test import override_settings

from domain_migrations.domains import Domain
from domain_migrations.engine.runner.planner import plan_for_stage
from domain_migrations.engine.sources import stages
from domain_migrations.exceptions import DependencyNotApplied
from tests.support.catalog import execute, history, query, schemas
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

Call = Callable[..., Result]
LAB = Domain(name="lab", schema="lab", app_labels=("lab", "lab_parts"))
CORE = Domain(name="core", schema="public", app_labels=("auth",))


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations that are in no file."""
    monkeypatch.setattr(stages, "migration_file", lambda key: None)


def plan_of(shape: Mapping[str, tuple[str, list[str]]], *, applied: set[str]) -> tuple:
    """A plan and its loader, of `{"app.name": (stage, [what it depends on])}`."""
    graph, plan = MigrationGraph(), []
    for name, (stage, _) in shape.items():
        label, _, rest = name.partition(".")
        migration = type("Migration", (Migration,), {"stage": stage})(rest, label)
        graph.add_node((label, rest), migration)
    for name, (_, parents) in shape.items():
        key = tuple(name.split(".", 1))
        for parent in parents:
            graph.add_dependency(graph.nodes[key], key, tuple(parent.split(".", 1)))
    for leaf in graph.leaf_nodes():
        for key in graph.forwards_plan(leaf):
            step = (graph.nodes[key], False)
            if ".".join(key) not in applied and step not in plan:
                plan.append(step)
    owners = {label: domain for domain in (CORE, LAB) for label in domain.app_labels}
    return plan, SimpleNamespace(graph=graph, owners=owners)


def names(plan: list[tuple[Migration, bool]]) -> list[str]:
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


CASES = {
    "a line": (
        {"lab.1": ("before", []), "lab.2": ("before", ["lab.1"]), "lab.3": ("after", ["lab.2"])},
        ["lab.1", "lab.2"],
    ),
    "a line of afters": (
        {"lab.1": ("after", []), "lab.2": ("after", ["lab.1"])},
        [],
    ),
    "another app goes on past an after": (
        {"lab.1": ("after", []), "lab_parts.1": ("before", [])},
        ["lab_parts.1"],
    ),
    "core's before, needed by one of ours": (
        {"auth.1": ("before", []), "lab.1": ("before", ["auth.1"])},
        ["auth.1", "lab.1"],
    ),
    "core's before, needed by an after only": (
        {"auth.1": ("before", []), "lab.1": ("after", ["auth.1"])},
        [],
    ),
    "core's after, needed by an after only": (
        {"auth.1": ("after", []), "lab.1": ("before", []), "lab.2": ("after", ["auth.1", "lab.1"])},
        ["lab.1"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_before(no_files: None, case: str) -> None:
    shape, expected = CASES[case]
    plan, loader = plan_of(shape, applied=set())
    assert names(plan_for_stage(plan, loader, LAB, "before")) == expected


IMPOSSIBLE = {
    "a line": (
        {"lab.1": ("before", []), "lab.2": ("after", ["lab.1"]), "lab.3": ("before", ["lab.2"])},
        "lab.3",
        "lab.2",
        "lab",
    ),
    "much later": (
        {
            "lab.1": ("after", []),
            "lab.2": ("after", ["lab.1"]),
            "lab_parts.1": ("before", ["lab.2"]),
            "lab_parts.2": ("before", ["lab_parts.1"]),
        },
        "lab_parts.1",
        "lab.2",
        "lab",
    ),
    "core's after": (
        {"auth.1": ("after", []), "lab.1": ("before", ["auth.1"])},
        "lab.1",
        "auth.1",
        "core",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_before__after_a_pending_after(no_files: None, case: str) -> None:
    shape, early, late, domain = IMPOSSIBLE[case]
    plan, loader = plan_of(shape, applied=set())
    with pytest.raises(DependencyNotApplied) as raised:
        plan_for_stage(plan, loader, LAB, "before")
    assert raised.value.message == (
        f'{early} is "before" and depends on {late}, which is "after" and not applied: no code can'
        " run between the two."
    )
    assert raised.value.hint == (
        f"If the code that {late} waits for is already running, first run: manage.py migrate_domain"
        f" {domain} --stage after; or, if no older code uses the database, omit --stage."
    )


def test_before__after_an_applied_after(no_files: None) -> None:
    shape = {"lab.1": ("after", []), "lab.2": ("before", ["lab.1"])}
    plan, loader = plan_of(shape, applied={"lab.1"})
    assert names(plan_for_stage(plan, loader, LAB, "before")) == ["lab.2"]


def test_after__applies_the_rest(no_files: None) -> None:
    shape = {
        "lab.1": ("before", []),
        "lab.2": ("after", ["lab.1"]),
        "lab.3": ("before", ["lab.2"]),
        "lab.4": ("after", ["lab.3"]),
    }
    plan, loader = plan_of(shape, applied={"lab.1"})
    assert names(plan_for_stage(plan, loader, LAB, "after")) == ["lab.2", "lab.3", "lab.4"]


def test_after__while_a_before_waits(no_files: None) -> None:
    shape = {
        "lab.1": ("before", []),
        "lab.2": ("before", ["lab.1"]),
        "lab.3": ("after", ["lab.2"]),
    }
    plan, loader = plan_of(shape, applied=set())
    with pytest.raises(DependencyNotApplied) as raised:
        plan_for_stage(plan, loader, LAB, "after")
    assert raised.value.message == (
        'lab.1 and 1 more have stage "before" and must be applied before the new code runs, not'
        " after it."
    )
    assert raised.value.hint == (
        "First run: manage.py migrate_domain lab --stage before; or, if no older code uses the"
        " database, omit --stage."
    )


CREATE = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("size", models.IntegerField(default=0)),
    ], options={"db_table": '"hr"."things"'})]
"""


def add(name: str, after: str) -> str:
    return f"""
class Migration(migrations.Migration):
    dependencies = [("hr", "{after}")]
    operations = [migrations.AddField("thing", "{name}", models.IntegerField(null=True))]
"""


def remove(after: str, stage: str) -> str:
    return f"""
class Migration(migrations.Migration):
    {stage}
    dependencies = [("hr", "{after}")]
    operations = [migrations.RemoveField("thing", "size")]
"""


RELEASE = {
    "0001_initial": CREATE,
    "0002_width": add("width", "0001_initial"),
    "0003_no_size": remove("0002_width", 'stage = "after"'),
}
LATER = {**RELEASE, "0004_depth": add("depth", "0003_no_size")}


def columns(table: str) -> set[str]:
    rows = query(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped",
        table,
    )
    return {name for (name,) in rows}


def migrate_json(call: Call, *arguments: str) -> dict:
    """What came of hr."""
    result = call("migrate_domain", "hr", *arguments, "--format", "json")
    (domain,) = json.loads(result.stdout)["domains"]
    failed = domain["error"] or domain["status"] == "pending"
    assert result.exit_status == (1 if failed else 0), result.stderr
    return domain


def named(keys: list[dict]) -> list[str]:
    return [key["name"] for key in keys]


def test_a_deploy_in_two_stages(hr_migrations: TemporaryMigrations, call: Call) -> None:
    execute("CREATE TABLE public.things (id int CONSTRAINT decoy PRIMARY KEY, size int, width int)")
    with hr_migrations.release(RELEASE):
        result = call("migrate_domain", "hr", "--stage", "before")
        assert result.exit_status == 0, result.stderr
        assert result.stdout.endswith("; 1 left for --stage after\n")
        assert columns("hr.things") == {"id", "size", "width"}

        journal = query("SELECT count(*) FROM hr.django_migrations_hr_journal")
        again = migrate_json(call, "--stage", "before")
        assert (again["status"], named(again["pending"])) == ("unchanged", ["0003_no_size"])
        assert query("SELECT count(*) FROM hr.django_migrations_hr_journal") == journal
        assert migrate_json(call, "--check", "--stage", "before")["status"] == "unchanged"
        assert migrate_json(call, "--check", "--stage", "after")["status"] == "pending"
        assert migrate_json(call, "--check")["status"] == "pending"

        after = migrate_json(call, "--stage", "after")
        assert named(after["applied"]) == ["0003_no_size"]
        assert columns("hr.things") == {"id", "width"}
        assert columns("public.things") == {"id", "size", "width"}


@pytest.mark.parametrize("look", ["--plan", "--dry-run", "--rehearse"])
def test_plan_and_check_of_a_stage(
    hr_migrations: TemporaryMigrations, call: Call, look: str
) -> None:
    with hr_migrations.release(RELEASE):
        planned = migrate_json(call, look, "--stage", "before")
        assert named(planned["steps"]) == ["0001_initial", "0002_width"]
        assert "hr" not in schemas()


def test_pending_migrations_show_their_stage(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(RELEASE):
        shown = call("show_domains", "hr").stdout
        assert "  [ ] hr.0002_width\n  [ ] hr.0003_no_size (after)\n" in shown
        planned = call("migrate_domain", "hr", "--plan").stdout
        assert "  hr.0002_width\n" in planned
        assert "  hr.0003_no_size (after)\n" in planned


def test_every_domain_in_its_stage(hr_migrations: TemporaryMigrations, call: Call) -> None:
    with hr_migrations.release(RELEASE):
        result = call("migrate_domain", "--all", "--stage", "before", "--format", "json")
        assert result.exit_status == 0, result.stderr
        assert {d["domain"]: d["status"] for d in json.loads(result.stdout)["domains"]} == {
            "core": "unchanged",
            "inventory": "unchanged",
            "hr": "migrated",
            "finance": "unchanged",
        }
        assert columns("hr.things") == {"id", "size", "width"}


@pytest.mark.parametrize("look", [[], ["--plan"], ["--check"]])
def test_a_before_migration_that_depends_on_an_after_is_refused(
    hr_migrations: TemporaryMigrations, call: Call, look: list[str]
) -> None:
    with hr_migrations.release(LATER):
        refused = migrate_json(call, "--stage", "before", *look)
        assert (refused["status"], refused["error"]["code"]) == (
            "refused",
            "dependency_not_applied",
        )
        assert (
            'hr.0004_depth is "before" and depends on hr.0003_no_size, which is "after"'
            in (refused["error"]["message"])
        )
        assert "hr" not in schemas()


UNDECLARED = {**RELEASE, "0003_no_size": remove("0002_width", "")}
REFUSED = (
    "hr.0003_no_size removes the field thing.size, and has no stage: code that is still running may"
    " use what it removes."
)


@override_settings(DOMAIN_MIGRATIONS={})
@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize("look", [(), ("--plan",), ("--check",), ("--dry-run",)])
def test_a_removal_without_a_stage_is_refused_in_a_staged_run(
    hr_migrations: TemporaryMigrations, call: Call, stage: str, look: tuple[str, ...]
) -> None:
    with hr_migrations.release(UNDECLARED):
        refused = migrate_json(call, "--stage", stage, *look)
        assert refused["error"]["message"] == REFUSED
        assert refused["error"]["hint"] == (
            'Write stage = "after" in its class Migration, or stage = "before" if no running code'
            " uses it. Nothing was changed."
        )
        assert ("things",) not in query("SELECT tablename FROM pg_tables")


def test_a_removal_without_a_stage_waits_for_the_stage_after(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with (
        hr_migrations.release(UNDECLARED),
        override_settings(DOMAIN_MIGRATIONS={"UNDECLARED_REMOVALS": "after"}),
    ):
        assert migrate_json(call, "--stage", "before", "--strict")["error"]["message"] == REFUSED
        assert named(migrate_json(call, "--stage", "before")["applied"]) == [
            "0001_initial",
            "0002_width",
        ]
        assert "size" in columns("hr.things")
        assert "[ ] hr.0003_no_size (after)" in call("show_domains", "hr").stdout
        assert named(migrate_json(call, "--stage", "after")["applied"]) == ["0003_no_size"]
        assert "size" not in columns("hr.things")


@pytest.mark.parametrize(
    "settings", [{"STAGES_REQUIRED_AFTER": {"hr": "0003"}}, {"UNDECLARED_REMOVALS": "after"}]
)
def test_a_removal_without_a_stage_runs_without_stages(
    hr_migrations: TemporaryMigrations, call: Call, settings: dict
) -> None:
    with hr_migrations.release(UNDECLARED), override_settings(DOMAIN_MIGRATIONS=settings):
        stage = ("--stage", "before") if "STAGES_REQUIRED_AFTER" in settings else ()
        assert len(migrate_json(call, *stage)["applied"]) == 3


def test_without_a_stage_everything_runs(hr_migrations: TemporaryMigrations, call: Call) -> None:
    with hr_migrations.release(LATER):
        assert migrate_json(call)["status"] == "migrated"
        assert columns("hr.things") == {"id", "width", "depth"}
        assert len(history("hr.django_migrations_hr")) == 4


SQUASHED = {
    **LATER,
    "0001_squashed": """
class Migration(migrations.Migration):
    initial = True
    replaces = [("hr", "0001_initial"), ("hr", "0002_width"), ("hr", "0003_no_size")]
    operations = [migrations.CreateModel("Thing", fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("width", models.IntegerField(null=True)),
    ], options={"db_table": '"hr"."things"'})]
""",
}


def test_a_squashed_migration_has_a_stage_of_its_own(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(SQUASHED):
        assert named(migrate_json(call, "--stage", "before")["applied"]) == [
            "0001_squashed",
            "0004_depth",
        ]
        assert columns("hr.things") == {"id", "width", "depth"}


def test_a_half_applied_squash_has_the_stages_of_its_parts(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release({name: LATER[name] for name in ("0001_initial", "0002_width")}):
        assert migrate_json(call)["status"] == "migrated"
    with hr_migrations.release(SQUASHED):
        assert migrate_json(call, "--stage", "before")["error"]["code"] == "dependency_not_applied"
        assert named(migrate_json(call, "--stage", "after")["applied"]) == [
            "0003_no_size",
            "0004_depth",
        ]
        assert columns("hr.things") == {"id", "width", "depth"}


def test_a_target_that_a_squash_has_replaced(
    hr_migrations: TemporaryMigrations, call: Call
) -> None:
    with hr_migrations.release(SQUASHED):
        assert migrate_json(call, "0002")["error"] == {
            "code": "unknown_target",
            "message": "hr.0002_width has been replaced by hr.0001_squashed, so the domain cannot"
            " be migrated to it.",
            "hint": "Name the squashed migration.",
            "sqlstate": None,
        }
        assert "hr" not in schemas()


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (
            'stage = "later"',
            "The stage of hr.0003_no_size is 'later', which is neither before nor after.",
        ),
        (
            'stage = "".join(["aft", "er"])',
            'The stage of hr.0003_no_size is "after", but 0003_no_size.py alone does not say so.',
        ),
    ],
)
def test_a_stage_that_is_none_is_refused(
    hr_migrations: TemporaryMigrations, call: Call, stage: str, message: str
) -> None:
    with hr_migrations.release({**RELEASE, "0003_no_size": remove("0002_width", stage)}):
        assert migrate_json(call)["error"] == {
            "code": "invalid_configuration",
            "message": message,
            "hint": 'Write stage = "before" or stage = "after" in its class Migration, as it stands'
            " here.",
            "sqlstate": None,
        }
        assert "hr" not in schemas()
