"""Migrations of core's tables while every node has a copy of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import override_settings

from domain_migrations.engine.cluster.reference_tables import create_missing_reference_tables
from tests.support import cluster
from tests.support.catalog import execute, histories, query
from tests.support.cluster import CitusServers
from tests.support.commands import Result
from tests.support.extra_migrations import pending

pytestmark = pytest.mark.citus

Call = Callable[..., Result]

CREATED = 'migrations.CreateModel("Place", [("id", models.BigAutoField(primary_key=True)), {}], {})'
KINDS = {
    "create": CREATED.format(
        '("name", models.CharField(max_length=20, unique=True)),'
        ' ("rank", models.PositiveIntegerField(default=1)),'
        ' ("size", models.PositiveIntegerField(default=1))',
        'options={"db_table": "places"}',
    ),
    "rows": "migrations.RunSQL("
    '"INSERT INTO public.places (name, rank, size) SELECT g, g, g FROM generate_series(1, 9) g",'
    ' "DELETE FROM public.places")',
    "null": 'migrations.AddField("place", "note", models.TextField(null=True))',
    "default": 'migrations.AddField("place", "kind", models.CharField(max_length=5, default="x"))',
    "check": 'migrations.AddField("place", "depth", models.PositiveIntegerField(default=3))',
    "unique": 'migrations.AddField("place", "code", models.TextField(null=True, unique=True))',
    "itself": 'migrations.AddField("place", "parent",'
    ' models.ForeignKey("core.place", null=True, on_delete=models.CASCADE))',
    "one": 'migrations.AddField("place", "chief",'
    ' models.OneToOneField("core.user", null=True, on_delete=models.CASCADE))',
    "many": 'migrations.AddField("place", "roles", models.ManyToManyField("core.role"))',
    "longer": 'migrations.AlterField("place", "name",'
    " models.CharField(max_length=40, unique=True))",
    "type": 'migrations.AlterField("place", "rank", models.BigIntegerField(default=1))',
    "not_null": 'migrations.AlterField("place", "note", models.TextField(default="n"))',
    "index": 'migrations.AddIndex("place", models.Index(fields=["size"], name="place_size"))',
    "rename_index": 'migrations.RenameIndex("place", old_name="place_size", new_name="by_size")',
    "constraint": 'migrations.AddConstraint("place", models.CheckConstraint('
    'condition=models.Q(size__gte=0), name="place_size_ok"))',
    "together": 'migrations.AlterUniqueTogether("place", {("name", "kind")})',
    "rename_field": 'migrations.RenameField("place", "rank", "level")',
    "rename": 'migrations.RenameModel("Place", "Spot")',
    "table": 'migrations.AlterModelTable("spot", "spots")',
    "python": 'migrations.RunPython(lambda apps, _: apps.get_model("core", "spot").objects'
    '.filter(level__lt=5).update(kind="z"), migrations.RunPython.noop)',
    "remove": 'migrations.RemoveField("spot", "note")',
    "remove_many": 'migrations.RemoveField("spot", "roles")',
}
MIGRATIONS = {
    f"09{number:02}_{kind}": f"operations = [{operation}]"
    for number, (kind, operation) in enumerate(KINDS.items())
}

COLUMNS = """
SELECT DISTINCT result FROM run_command_on_placements('public.spots', $$
    SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull), ', '
        ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped $$)
"""
ROWS = """
SELECT result, count(*) FROM run_command_on_placements('public.spots', $$
    SELECT count(*) || ' ' || sum(level) || ' ' || max(kind) FROM %s $$) GROUP BY 1
"""
ALTERS_KEY = """
import domain_migrations.operations as ours
operations = [ours.AlterReferencedKey({!r}, "id", {})]
"""
KEY_TYPES = """
SELECT DISTINCT result FROM run_command_on_placements('public.users', $$
    SELECT format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = '%s'::regclass AND attname = 'id' $$)
"""
LEFT = """
SELECT result FROM run_command_on_all_nodes($$
    SELECT string_agg(relname, ' ') FROM pg_class WHERE relname ~ 'spot|place_|places' $$)
"""
UNREACHABLE = "UPDATE pg_dist_node SET nodeport = 1 WHERE groupid = 2"


@pytest.fixture
def distributed_core(
    citus_cluster: CitusServers, django_db_blocker: Any, call: Call
) -> Iterator[str]:
    """A database in which core is migrated, and on every node."""
    with cluster.connected(citus_cluster, django_db_blocker, template=cluster.CORE) as name:
        with transaction.atomic():
            create_missing_reference_tables(connections["default"])
        yield name


def test_every_kind_reaches_every_node(distributed_core: str, call: Call, tmp_path: Path) -> None:
    with pending(tmp_path, "core", MIGRATIONS):
        done = call("migrate_domain", "core")
        assert done.stderr == ""
        assert query(
            "SELECT repmodel FROM pg_dist_partition WHERE logicalrelid = 'spots'::regclass"
        )
        assert query(COLUMNS) == [
            (
                "id bigint t, name character varying(40) t, level bigint t, size integer t,"
                " kind character varying(5) t, depth integer t, code text f, parent_id bigint f,"
                " chief_id uuid f",
            )
        ]
        assert query(ROWS) == [("9 45 z", 3)]
        done = call("migrate_domain", "core", rollback=1, interactive=False)
        assert done.stderr == ""
    assert query(LEFT) == [("",)] * 3


@pytest.mark.parametrize("mode", [[], ["--plan"]])
def test_key_that_a_sequence_fills_is_refused_before_anything_runs(
    distributed_core: str, call: Call, tmp_path: Path, mode: list[str]
) -> None:
    before = histories()["core"]
    migrations = {
        "0900_first": "operations = []",
        "0901_key": ALTERS_KEY.format("costcentre", "models.AutoField(primary_key=True)"),
    }

    with pending(tmp_path, "core", migrations):
        done = call("migrate_domain", "core", *mode)

    assert done.exit_status == 1
    assert (
        "Migration core.0901_key is refused: AlterReferencedKey changes public.cost_centres.id,"
        " which a sequence fills, from bigint to integer. Citus changes the type of no such column"
    ) in done.stderr
    assert "Remove the migration." in done.stderr
    assert histories()["core"] == before


def test_key_that_nothing_fills_gets_another_type(
    distributed_core: str, call: Call, tmp_path: Path
) -> None:
    key = "models.CharField(max_length=36, primary_key=True)"

    with pending(tmp_path, "core", {"0900_key": ALTERS_KEY.format("user", key)}):
        done = call("migrate_domain", "core")

    assert done.stderr == ""
    assert query(KEY_TYPES) == [("character varying(36)",)]


@pytest.mark.parametrize(
    "operation",
    [
        KINDS["create"],
        'migrations.AddField("role", "note", models.TextField(null=True))',
        'migrations.RunSQL("UPDATE public.roles SET is_active = true", "")',
    ],
    ids=["new table", "column", "rows"],
)
def test_node_that_does_not_answer(
    operation: str, distributed_core: str, call: Call, tmp_path: Path
) -> None:
    first = 'operations = [migrations.RunSQL("CREATE TABLE public.half_done (id int)", "")]'
    both = f"operations = [{first.partition('[')[2][:-1]}, {operation}]"
    before = histories()["core"]
    execute(UNREACHABLE)

    with (
        pending(tmp_path, "core", {"0900_both": both}),
        override_settings(DOMAIN_MIGRATIONS={"RETRIES": 0}),
    ):
        done = call("migrate_domain", "core")

    assert done.exit_status == 75
    assert ":1 does not answer" in done.stderr
    assert "It was rolled back." in done.stderr
    assert histories()["core"] == before
    assert query("SELECT to_regclass('public.half_done'), to_regclass('public.places')") == [
        (None, None)
    ]
