"""The boundary guard on a cluster, where it reads without savepoints."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.citus.test_migrate import THINGS
from tests.support.catalog import execute, history, query
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("replayed")]

Call = Callable[..., Result]

OWN = "migrations.RunSQL('CREATE TABLE hr.{0} (id int PRIMARY KEY)', 'DROP TABLE hr.{0}')"
STEP = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [{operations}]
"""
FORBIDDEN = {
    "table in public": ("CREATE TABLE public.decoys (id int)", "public.decoys"),
    "column of core": ("ALTER TABLE public.users ADD decoy int", "public.users"),
    "function of core": (
        "CREATE FUNCTION public.decoy() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "public.decoy",
    ),
    "rows of core": ("UPDATE public.users SET is_staff = true", "public.users"),
}


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_violations_are_found_and_named(
    arguments: list[str], distributed_hr: TemporaryMigrations, call: Call
) -> None:
    for what, (statement, named) in FORBIDDEN.items():
        operations = f"{OWN.format('first')}, migrations.RunSQL({statement!r}, '')"
        operations += f", {OWN.format('third')}"
        steps = {"0001_things": THINGS, "0002_step": STEP.format(operations=operations)}
        with distributed_hr.release(steps):
            result = call("migrate_domain", "hr", *arguments)
        assert result.exit_status == 1, what
        assert "hr.0002_step is refused: its operation 2, RunSQL, " in result.stderr, what
        assert named in result.stderr, what
    rows = [] if arguments else [("hr", "0001_things")]
    found = query("SELECT to_regclass('hr.django_migrations_hr') IS NOT NULL")
    assert (history("hr.django_migrations_hr") if found == [(True,)] else []) == rows
    assert query("SELECT to_regclass('public.decoys'), to_regclass('hr.first')") == [(None, None)]


def test_nothing_is_left_of_the_reading__and_what_was_created_is_known(
    distributed_hr: TemporaryMigrations, call: Call
) -> None:
    execute("SELECT lo_create(0)")
    before = query("SELECT oid FROM pg_largeobject_metadata")
    operations = f"{OWN.format('first')}, {OWN.format('second')}"
    steps = {"0001_things": THINGS, "0002_step": STEP.format(operations=operations)}
    with distributed_hr.release(steps):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
    assert query("SELECT oid FROM pg_largeobject_metadata") == before
    created = query(
        "SELECT jsonb_array_elements_text(details->'created') FROM hr.django_migrations_hr_journal"
        " WHERE name = '0002_step' AND status = 'done'"
    )
    assert {"hr.first", "hr.second"} <= {name.split()[-1] for (name,) in created}
