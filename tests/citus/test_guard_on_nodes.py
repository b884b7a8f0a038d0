"""The boundary guard and what a migration does on nodes: as on plain PostgreSQL, in its words."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from tests.citus.test_migrate import THINGS
from tests.engine.runner.test_statement_counts import sent
from tests.support import cluster as clusters
from tests.support.catalog import history, query
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.extra_migrations import pending
from tests.support.temporary_migrations import TemporaryMigrations

__all__ = ["sent"]

pytestmark = [pytest.mark.citus, pytest.mark.usefixtures("replayed")]

Call = Callable[..., Result]

STEP = """
class Migration(migrations.Migration):
    dependencies = [("hr", "0001_things")]
    writes_core = {writes_core}
    operations = [{operations}]
"""
NEIGHBOUR = (
    "CREATE TABLE inventory.drugs (id int PRIMARY KEY, size int,"
    " by uuid CONSTRAINT drugs_by REFERENCES public.users (id) ON DELETE CASCADE)",
    "INSERT INTO inventory.drugs SELECT 1, 1, id FROM public.users",
    "UPDATE hr.things SET other_id = NULL WHERE id = 1",
    "CREATE TABLE public.drugs AS SELECT 1 AS id, 1 AS size",
    "CREATE TABLE public.things AS SELECT 1 AS id, 1 AS other_id",
)
TOUCH = (
    "CREATE FUNCTION hr.touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {}; RETURN new; END$$"
)
ON_UPDATE = (
    "CREATE TRIGGER touch BEFORE UPDATE ON hr.things FOR EACH ROW EXECUTE FUNCTION hr.touch()"
)
AT_COMMIT = (
    "CREATE CONSTRAINT TRIGGER touch AFTER UPDATE ON hr.things DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION hr.touch()"
)
SIZES = (
    "CREATE FUNCTION hr.sizes(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$"
    "BEGIN RETURN (SELECT sum(size) FROM inventory.drugs); END$$"
)
REMOVED = (
    "DROP TRIGGER IF EXISTS touch ON hr.things",
    "DROP FUNCTION IF EXISTS hr.touch()",
    "DROP FUNCTION IF EXISTS hr.sizes(bigint)",
)
UPDATE = "migrations.RunSQL('UPDATE hr.things SET other_id = 2', '')"
NOTHING = "migrations.RunSQL('SELECT 1', 'SELECT 1')"
ORM = (
    "migrations.RunPython(lambda apps, _: apps.get_model('hr', 'thing').objects"
    ".update(other=None), migrations.RunPython.noop)"
)


@dataclass(frozen=True)
class Case:
    """What a domain has, what its migration does, and the end of the refusal."""

    has: tuple[str, ...]
    operations: tuple[str, ...]
    refused: str = ""
    writes_core: bool = False


WRITES = TOUCH.format("UPDATE inventory.drugs SET size = 7")
CASES = {
    "trigger that writes": Case(
        (WRITES, ON_UPDATE),
        (NOTHING, UPDATE, NOTHING),
        "operation 2, RunSQL, took RowExclusiveLock on inventory.drugs",
    ),
    "deferred trigger that writes": Case(
        (WRITES, AT_COMMIT),
        (NOTHING, UPDATE),
        "operation 2, RunSQL, took RowExclusiveLock on inventory.drugs",
    ),
    "trigger that reads": Case(
        (TOUCH.format("PERFORM FROM inventory.drugs"), ON_UPDATE),
        (ORM,),
        "operation 1, RunPython, took AccessShareLock on inventory.drugs",
    ),
    "function of a check": Case(
        (SIZES,),
        ("migrations.RunSQL('ALTER TABLE hr.things ADD CHECK (hr.sizes(id) > 0)', '')",),
        "operation 1, RunSQL, took AccessShareLock on inventory.drugs",
    ),
    "key of another domain that cascades": Case(
        (),
        ("migrations.RunSQL('DELETE FROM public.users', '')",),
        "operation 1, RunSQL, took RowExclusiveLock on inventory.drugs",
        writes_core=True,
    ),
    "write of the schema editor": Case(
        (WRITES, ON_UPDATE),
        (
            "migrations.AlterField('Thing', 'other', models.ForeignKey('hr.Other', models.CASCADE,"
            " default=1))",
        ),
        "operation 1, AlterField, took RowExclusiveLock on inventory.drugs",
    ),
    "trigger that writes its own domain and reads core": Case(
        (
            TOUCH.format(
                "UPDATE hr.others SET id = id; PERFORM FROM public.users; PERFORM FROM hr.others"
            ),
            ON_UPDATE,
        ),
        (UPDATE, ORM),
    ),
}
ARGUMENTS: tuple[tuple[str, ...], ...] = (("--dry-run",), ("--rehearse",), ())
UNCHANGED = (
    "SELECT size FROM inventory.drugs",
    "SELECT size FROM public.drugs",
    "SELECT username FROM public.users",
    "SELECT DISTINCT other_id FROM hr.things ORDER BY 1",
    "SELECT tgname FROM pg_trigger WHERE tgrelid = 'hr.things'::regclass AND NOT tgisinternal",
)


def run(*statements: str) -> None:
    """Run each by itself, with triggers on distributed tables."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        for statement in ("SET citus.enable_unsafe_triggers = on", *statements):
            cursor.execute(statement)


def prepare(call: Call, migrations: TemporaryMigrations) -> None:
    """Migrate hr, and make tables of inventory beside it."""
    with migrations.release({"0001_things": THINGS}):
        result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
    run("DROP SCHEMA IF EXISTS inventory CASCADE", "CREATE SCHEMA inventory")
    get_user_model().objects.create(username="nurse")


def move_to_node_of_hr() -> None:
    run(
        "SELECT citus_schema_move('inventory', nodename, nodeport, 'block_writes')"
        " FROM citus_shards WHERE table_name = 'hr.things'::regclass"
        " AND (nodename, nodeport) NOT IN (SELECT nodename, nodeport FROM citus_shards"
        " WHERE table_name = 'inventory.drugs'::regclass)"
    )


def refusals(call: Call, migrations: TemporaryMigrations) -> list[str]:
    """What the command says of each case, which changes nothing."""
    said = []
    for (name, case), arguments in itertools.product(CASES.items(), ARGUMENTS):
        run(*REMOVED, *case.has)
        step = STEP.format(operations=", ".join(case.operations), writes_core=case.writes_core)
        before = [query(statement) for statement in UNCHANGED]
        with migrations.release({"0001_things": THINGS, "0002_step": step}):
            result = call("migrate_domain", "hr", *arguments)
        assert result.exit_status == bool(case.refused), (name, result.stderr)
        if case.refused:
            ending = f'its {case.refused}, which belongs to the domain "inventory".'
            assert f"hr.0002_step is refused: {ending}" in result.stderr, name
        if case.refused or arguments:
            assert [query(statement) for statement in UNCHANGED] == before, name
            assert history("hr.django_migrations_hr") == [("hr", "0001_things")], name
        said.append(result.stderr)
    return said


def test_refused_as_on_plain_postgresql(
    hr_migrations: TemporaryMigrations,
    citus_cluster: CitusServers,
    django_db_blocker: Any,
    call: Call,
) -> None:
    prepare(call, hr_migrations)
    run(*NEIGHBOUR)
    plain = refusals(call, hr_migrations)
    with clusters.connected(citus_cluster, django_db_blocker, template=clusters.EMPTY_HR):
        prepare(call, hr_migrations)
        run("SELECT citus_schema_distribute('inventory')", *NEIGHBOUR)
        move_to_node_of_hr()
        assert refusals(call, hr_migrations) == plain


@pytest.fixture
def beside_inventory(distributed_hr: TemporaryMigrations, call: Call) -> TemporaryMigrations:
    """The distributed hr, on the node of inventory, which a trigger of its things writes."""
    prepare(call, distributed_hr)
    run("SELECT citus_schema_distribute('inventory')", *NEIGHBOUR)
    move_to_node_of_hr()
    run(WRITES, ON_UPDATE)
    return distributed_hr


def refused(call: Call, migrations: TemporaryMigrations, source: str, *arguments: str) -> str:
    """What the command says of a migration that changes nothing."""
    before = [query(statement) for statement in UNCHANGED]
    with migrations.release({"0001_things": THINGS, "0002_step": source}):
        result = call("migrate_domain", "hr", *arguments, "--noinput")
    assert result.exit_status == 1, result.stdout
    assert [query(statement) for statement in UNCHANGED] == before
    return result.stderr


def step(*operations: str) -> str:
    return STEP.format(operations=", ".join(operations), writes_core=False)


LOOP = (
    "migrations.RunPython(lambda apps, editor: [editor.execute("
    "'UPDATE hr.things SET other_id = %s', [n]) for n in (1, 2, 3)])"
)
PAST_DJANGO = (
    "migrations.RunPython(lambda apps, editor:"
    " editor.connection.connection.execute('UPDATE hr.things SET other_id = 2'))"
)
FIRST = "its operation 1, {}, took RowExclusiveLock on inventory.drugs, which belongs to"


def test_refused_without_transaction__past_django__and_on_the_way_back(
    beside_inventory: TemporaryMigrations, call: Call
) -> None:
    assert FIRST.format("RunPython") in refused(call, beside_inventory, step(PAST_DJANGO))

    back = step("migrations.RunSQL('SELECT 1', 'UPDATE hr.things SET other_id = 2')")
    with beside_inventory.release({"0001_things": THINGS, "0002_step": back}):
        assert call("migrate_domain", "hr").exit_status == 0
    for arguments in (["0001_things"], ["--rollback", "1"], ["0001_things", "--dry-run"]):
        assert FIRST.format("RunSQL") in refused(call, beside_inventory, back, *arguments)
    assert history("hr.django_migrations_hr") == [("hr", "0001_things"), ("hr", "0002_step")]

    with beside_inventory.release({"0001_things": THINGS, "0002_step": back}):
        run("DROP TRIGGER touch ON hr.things")
        assert call("migrate_domain", "hr", "0001_things", "--noinput").exit_status == 0
    run(ON_UPDATE)
    not_atomic = step(LOOP).replace("operations", "atomic = False\n    operations", 1)
    assert FIRST.format("RunPython") in refused(call, beside_inventory, not_atomic)


def test_a_node_is_asked_once_for_each_operation_that_may_write__and_not_for_new_tables(
    distributed_hr: TemporaryMigrations, call: Call, sent: list[str]
) -> None:
    def asked(migrations: dict[str, str]) -> int:
        sent.clear()
        with distributed_hr.release(migrations):
            result = call("migrate_domain", "hr")
        assert result.exit_status == 0, result.stderr
        return len([text for text in sent if "citus_run_local_command" in text])

    tables = {"0001_things": THINGS[: THINGS.index("migrations.RunSQL")] + "]"}
    assert asked(tables) == 0
    for name, operations, count in (
        ("0002_column", ["migrations.AddField('Thing', 'n', models.IntegerField(null=True))"], 0),
        ("0003_rows", [UPDATE], 1),
        ("0004_python", [ORM], 1),
        ("0005_nothing", [NOTHING], 1),
        ("0006_both", [UPDATE, ORM], 2),
        ("0007_gone", ["migrations.RemoveField('Thing', 'n')"], 1),
    ):
        before = max(tables)
        tables[name] = step(*operations).replace("0001_things", before)
        assert asked(tables) == count, name


def test_core_deletes_rows_that_domains_may_reference(
    distributed_hr: TemporaryMigrations, call: Call, tmp_path: Path
) -> None:
    def delete(name: str) -> str:
        return (
            f"""operations = [migrations.RunSQL("DELETE FROM users WHERE username = '{name}'")]"""
        )

    key = "ALTER TABLE hr.items ADD CONSTRAINT items_by FOREIGN KEY (by) REFERENCES public.users"
    for name in ("nurse", "free"):
        get_user_model().objects.create(username=name)
    run("CREATE TABLE hr.items (id int PRIMARY KEY, by uuid)", f"{key} (id)")
    run("INSERT INTO hr.items SELECT 1, id FROM public.users WHERE username = 'nurse'")
    with pending(tmp_path, "core", {"0900_free": delete("free")}):
        result = call("migrate_domain", "core")
        assert result.exit_status == 0, result.stderr
    assert query("SELECT username FROM public.users") == [("nurse",)]

    run("ALTER TABLE hr.items DROP CONSTRAINT items_by", f"{key} (id) ON DELETE CASCADE")
    with pending(tmp_path, "core", {"0900_free": delete("free"), "0901_nurse": delete("nurse")}):
        for arguments in (["--dry-run"], []):
            result = call("migrate_domain", "core", *arguments)
            assert result.exit_status == 1
            assert (
                "core.0901_nurse is refused: its operation 1, RunSQL, took RowExclusiveLock on"
                ' hr.items, which belongs to the domain "hr".' in result.stderr
            )
    assert query("SELECT username FROM public.users") == [("nurse",)]
    assert query("SELECT id FROM hr.items") == [(1,)]
