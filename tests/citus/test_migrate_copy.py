"""Migrations on a cluster that write rows past Django's cursors, as by a COPY."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.models import User
from tests.citus.test_migrate import THINGS
from tests.support.catalog import query
from tests.support.commands import Result
from tests.support.temporary_migrations import TemporaryMigrations

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("replayed")]

Call = Callable[..., Result]

COPY = """
def run(apps, editor):
    with editor.connection.cursor() as cursor:
        with cursor.copy("COPY {} FROM STDIN") as copy:
            copy.write_row({})
"""
MIGRATION = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    operations = [migrations.RunPython(run, migrations.RunPython.noop)]
    writes_core = True
"""
TWICE = """
from core.models import User
def run(apps, editor):
    User.objects.create(username="first")
"""


@pytest.fixture
def migrate(distributed_hr: TemporaryMigrations, call: Call) -> Callable[..., Result]:
    """`migrate(source, *options)`: the second migration of a distributed domain."""

    def run(code: str, *options: str) -> Result:
        steps = {"0001_things": THINGS, "0002_rows": code + MIGRATION}
        with distributed_hr.release(steps):
            return call("migrate_domain", "hr", *options)

    with distributed_hr.release({"0001_things": THINGS}):
        assert call("migrate_domain", "hr").exit_status == 0
    return run


def test_rows(migrate: Callable[..., Result]) -> None:
    result = migrate(COPY.format("hr.things (other_id)", [2]))
    assert result.exit_status == 0, result.stderr
    assert query("SELECT max(id), count(*) FROM hr.things") == [(4, 4)]


def test_trial_tells_what_the_run_would_refuse_at_its_end(migrate: Callable[..., Result]) -> None:
    code = COPY.format("hr.things (other_id)", [77])
    for options in (["--dry-run"], []):
        result = migrate(code, *options)
        assert result.exit_status == 1
        assert (
            'failed at the deferred constraints: insert or update on table "things" violates'
            " foreign key constraint" in result.stderr
        )
    assert query("SELECT count(*) FROM hr.things") == [(3,)]


def test_refusal_has_no_number_of_a_shard(migrate: Callable[..., Result]) -> None:
    User.objects.create(username="first")
    for code, said in (
        (COPY.format("hr.things (id)", [1]), 'violates unique constraint "things_pkey"'),
        (COPY.format("public.users (username)", ["x"]), 'of relation "users" violates'),
        (TWICE, 'violates unique constraint "users_username_key"'),
    ):
        result = migrate(code)
        assert result.exit_status == 1
        assert said in result.stderr
