"""The queries of the catalog, with decoys in `public`, quoted names and deferred statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections, models, transaction
from django.db.migrations import AddField
from django.db.models import Q

from domain_migrations.domains import QualifiedName
from domain_migrations.operations import has_column, has_constraint, has_index, has_table
from tests.operations.conftest import APP, Lab
from tests.support.catalog import execute


@pytest.fixture
def editor(lab: Lab) -> Iterator[Any]:
    with connections[DEFAULT_DB_ALIAS].schema_editor() as editor:
        yield editor


THINGS = '"lab"."things"'


@pytest.mark.parametrize("table", [THINGS, 'lab"."things', "lab.things", ("lab", "things")])
def test_one_table_however_it_is_named(editor: Any, table: Any) -> None:
    assert has_table(editor, table)
    assert has_column(editor, table, "code")
    assert not has_column(editor, table, "note")  # public.things has
    assert not has_column(editor, table, "ctid")
    assert has_index(editor, table, "things_pkey")
    assert not has_index(editor, table, "things_code_idx")  # public.things has
    assert has_constraint(editor, table, "things_pkey")
    assert not has_constraint(editor, table, "things_qty_check")  # public.things has


def test_a_model_and_a_bare_name(editor: Any, lab: Lab) -> None:
    assert has_column(editor, lab.state.apps.get_model("lab", "Thing"), "code")
    assert has_column(editor, "things", "note")  # public.things
    assert has_column(editor, "Things", "note")  # public."Things"
    assert not has_column(editor, "Things", "code")
    assert not has_table(editor, '"lab"."Things"')
    assert not has_table(editor, QualifiedName("nowhere", "things"))


def test_names_with_anything_in_them(editor: Any) -> None:
    execute('CREATE TABLE lab."a ""b"".c" ("x ""y" integer CONSTRAINT "k ""1" CHECK (true))')
    execute('CREATE TABLE public."lab.things" (only_here integer)')
    place = QualifiedName("lab", 'a "b".c')
    assert has_column(editor, place, 'x "y')
    assert has_column(editor, place.db_table, 'x "y')
    assert has_constraint(editor, place, 'k "1')
    assert not has_column(editor, "lab.things", "only_here")
    assert has_column(editor, '"lab.things"', "only_here")
    execute(f"CREATE TABLE lab.{'t' * 70} ({'c' * 70} integer)")
    assert has_column(editor, ("lab", "t" * 70), "c" * 70)


def test_other_kinds(editor: Any) -> None:
    execute(
        "CREATE VIEW lab.seen AS SELECT 1 AS one; CREATE TABLE lab.split (at date)"
        " PARTITION BY RANGE (at); CREATE UNIQUE INDEX one_idx ON lab.things (code)"
        " WHERE code > 'a'; CREATE INDEX many ON lab.things (code)"
    )
    assert not has_table(editor, "lab.seen")
    assert not has_column(editor, "lab.seen", "one")
    assert has_column(editor, "lab.split", "at")
    assert has_constraint(editor, "lab.things", "one_idx")
    assert not has_constraint(editor, "lab.things", "many")
    assert not has_index(editor, "lab.wards", "many")


def test_within_the_transaction(lab: Lab) -> None:
    """Nothing is remembered: not what was there, not what was missing."""
    with transaction.atomic(), connections["default"].schema_editor() as editor:
        assert not has_column(editor, THINGS, "note")
        execute("ALTER TABLE lab.things ADD note text")
        assert has_column(editor, THINGS, "note")
        execute("ALTER TABLE lab.things DROP note")
        assert not has_column(editor, THINGS, "note")
        execute("DROP TABLE lab.things")
        assert not has_table(editor, THINGS)
        transaction.set_rollback(True)
    with connections["default"].schema_editor() as editor:
        assert has_table(editor, THINGS)


def test_objects_of_deferred_statements_count_as_existing(lab: Lab) -> None:
    field = models.ForeignKey("lab.Ward", models.CASCADE, null=True)
    with connections["default"].schema_editor() as editor:
        add = AddField("Thing", "ward", field)
        after = lab.run_state(add)
        add.database_forwards(APP, editor, lab.state, after)
        names = [str(statement.parts["name"]).strip('"') for statement in editor.deferred_sql]
        assert names
        assert all(has_index(editor, THINGS, name) for name in names)
        assert not any(has_index(editor, "things", name) for name in names)
        assert not any(has_constraint(editor, THINGS, name) for name in names)
        constraint = models.UniqueConstraint(fields=["code"], condition=Q(id=1), name="one_key")
        model = after.apps.get_model(APP, "Thing")
        editor.deferred_sql.append(constraint.create_sql(model, editor))
        assert has_constraint(editor, THINGS, "one_key")
        assert not has_constraint(editor, "lab.wards", "one_key")


def test_another_database_is_refused(editor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editor.connection, "vendor", "sqlite", raising=False)
    with pytest.raises(NotSupportedError, match='require PostgreSQL; the database "default" is'):
        has_table(editor, "things")
