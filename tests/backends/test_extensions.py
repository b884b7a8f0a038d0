"""PostgreSQL's extensions: the objects that they own, and the operations that create them."""

from __future__ import annotations

import pytest
from django.contrib.postgres import operations
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import connections, migrations, models
from django.db.migrations.state import ProjectState

from tests.backends.cases.sequence import table
from tests.backends.catalogs import catalog
from tests.backends.conftest import Place
from tests.support.catalog import execute, query
from tests.support.servers import TestServer

EXTENSIONS = {
    "bloom": operations.BloomExtension,
    "btree_gin": operations.BtreeGinExtension,
    "btree_gist": operations.BtreeGistExtension,
    "citext": operations.CITextExtension,
    "hstore": operations.HStoreExtension,
    "pg_trgm": operations.TrigramExtension,
    "pgcrypto": operations.CryptoExtension,
    "unaccent": operations.UnaccentExtension,
    "vector": lambda: operations.CreateExtension("vector"),
}


def available() -> set[str]:
    return {name for (name,) in query("SELECT name::text FROM pg_available_extensions")}


def installed() -> set[str]:
    return {name for (name,) in query("SELECT extname::text FROM pg_extension")} - {"plpgsql"}


def test_extension_operations(qualified: Place) -> None:
    names = sorted(EXTENSIONS.keys() & available())
    assert names, "no extension to try: neither contrib's nor vector"
    created = [EXTENSIONS[name]() for name in names]
    qualified.run(created, ProjectState())
    assert installed() == set(names)
    qualified.revert(created, ProjectState())
    assert installed() == set()


def test_exclusion_of_scalars(qualified: Place, plain: Place, postgres_server: TestServer) -> None:
    """The usual reason for btree_gist: no two leaves of one employee at the same time."""
    if "btree_gist" not in available():
        # The packaged server has no extensions of contrib; Debian's has them.
        assert postgres_server.kind == "embedded"
        return
    execute("CREATE EXTENSION btree_gist")
    fields = {"employee": models.IntegerField(), "period": DateTimeRangeField()}
    constraint = ExclusionConstraint(
        name="no_overlap",
        expressions=[("employee", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
    )
    for place in (plain, qualified):
        state = place.run([table(place.spell, "Leave", fields)], ProjectState())
        state = place.run([migrations.AddConstraint("Leave", constraint.clone())], state)
    expected = catalog(plain.connection, "public")
    assert ("index", "leave", "no_overlap") in [row[:3] for row in expected]
    assert catalog(qualified.connection, "inventory") == expected
    qualified.run([migrations.RemoveConstraint("Leave", "no_overlap")], state)
    assert catalog(plain.connection, "public") == expected
    assert query("SELECT count(*) FROM pg_constraint WHERE conname = 'no_overlap'") == [(1,)]


@pytest.mark.parametrize("binding", [False, True])
def test_introspection_with_either_kind_of_parameters(binding: bool, qualified: Place) -> None:
    """`server_side_binding` sends parameters apart from the statement, with types of their own."""
    state = qualified.run(
        [
            table(qualified.spell, "Unit"),
            table(
                qualified.spell,
                "Drug",
                {
                    "code": models.CharField(max_length=9, unique=True, db_collation="C"),
                    "unit": models.ForeignKey("Unit", models.CASCADE),
                },
            ),
        ],
        ProjectState(),
    )
    previous = connections["default"]
    options = {"server_side_binding": binding}
    connections.settings["default"]["OPTIONS"] = options
    try:
        connections["default"] = connections.create_connection("default")
        other = Place(qualified.schema, connections["default"], qualified.spell)
        other.run(
            [
                migrations.AlterField("Drug", "code", models.CharField(max_length=9)),
                migrations.AlterField("Drug", "unit", models.BigIntegerField(db_column="unit_id")),
                migrations.AlterModelTable("Drug", '"pharmacy"."drug"'),
            ],
            state,
        )
        introspection = connections["default"].introspection
        assert introspection.table_names() == ['"inventory"."unit"', '"pharmacy"."drug"']
        with connections["default"].cursor() as cursor:
            constraints = introspection.get_constraints(cursor, '"pharmacy"."drug"')
            assert introspection.get_relations(cursor, '"pharmacy"."drug"') == {}
        assert {name for name in constraints if not name.endswith("_not_null")} == {"drug_pkey"}
    finally:
        connections["default"].close()
        connections["default"] = previous
        connections.settings["default"]["OPTIONS"] = {}
