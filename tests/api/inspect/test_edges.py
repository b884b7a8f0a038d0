"""Models for unusual names, keys, constraints and expressions."""

from __future__ import annotations

import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks
from django.db import connection, models
from django.db.migrations.state import ProjectState

from domain_migrations.api.inspect.models_file import ModelsSource, models_source
from domain_migrations.domains import Domain
from domain_migrations.engine.catalog.drift import find_drift
from tests.api.inspect.written import assert_formatted, written_app
from tests.support.catalog import execute, query

HERE = Path(__file__).parent
NOTED = {
    "lager.chk.ni": "a NO INHERIT constraint",
    "lager.chk.shared": "another model has a constraint of this name",
    "lager.chk2.shared": "another model has a constraint of this name",
    "lager.counting.counting_a_id_fkey": "Its column has values of its own",
    "lager.counting.counting_id_fkey": "Its column has values of its own",
    "lager.cyc.cyc_parent_fkey": "Its two columns have different collations",
    "lager.deferred": "Its primary key is deferrable",
    "lager.empty": "it has no model",
    "lager.including": "Its primary key includes other columns",
    "lager.kunden.kunden_thing_id_fkey": "drop the constraint and use DomainReference",
    "lager.kunden.kunden_unknown_id_fkey": "No installed model has the column public.unknown.id",
    "lager.mv": "its model takes a, b",
    "lager.no_key": "its model takes code",
    "lager.per%cent": "Django cannot use a name with a per cent sign",
    'lager.c"d': "a column with a quote",
    'lager.quoted.i "j"': "a name with a quote",
    'lager.quoted.q"r': "a name with a quote",
    "lager.quoted.quoted_gist": "the value of the storage parameter buffering",
    "lager.uq.uq_a_b_key": "a constraint, not an index, with INCLUDE",
    "lager.uq.uq_b_excl": "an exclusion constraint of the method btree",
    "lager.uq_child.uq_child_id_fkey": "uq.a is not just UNIQUE",
    "lager.v": "its model takes id",
}
"""What Django cannot express → words of the reason."""
VIRTUAL = """
    CREATE TABLE lager.virtual (
        id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL,
        c int NOT NULL GENERATED ALWAYS AS (a + 1) VIRTUAL,
        d text COLLATE "C" GENERATED ALWAYS AS (lower(a::text)) VIRTUAL,
        CONSTRAINT later CHECK (a > 0) NOT ENFORCED);
    CREATE TABLE lager.periods (
        a int4range, period daterange, PRIMARY KEY (a, period WITHOUT OVERLAPS));
"""
LATER = {
    "lager.virtual.later": "it is NOT ENFORCED",
    "lager.periods": "Its primary key is WITHOUT OVERLAPS",
}


EXTENDED = {"lager.labels.labels_siglen": "an operator class has parameters"}


def _has_extensions() -> bool:
    """Whether the server has the contrib modules, which the embedded one has not."""
    return bool(query("SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'"))


@pytest.fixture(scope="module")
def source(module_database: str) -> ModelsSource:
    execute((HERE / "edges.sql").read_text())
    if connection.pg_version >= 180000:
        execute(VIRTUAL)
    if _has_extensions():
        execute((HERE / "extensions.sql").read_text())
    return models_source(connection, "lager", app_label="inventory")


@pytest.fixture(scope="module")
def app(source: ModelsSource) -> Any:
    with written_app(source.text) as app:
        yield app


def test_the_models_pass_djangos_checks(app: SimpleNamespace):
    found = [
        message
        for model in app.apps.get_models()
        for message in model.check(databases=["default"])
        if message.level >= checks.WARNING
    ]
    assert found == []


def test_verify_finds_no_difference(app: SimpleNamespace):
    domain = Domain("inventory", "lager", ("inventory",))
    found = find_drift(connection, domain, ProjectState.from_apps(app.apps))
    assert [(item.id, item.object) for item in found if not item.is_unmanaged] == []


def test_the_module_is_formatted(source: ModelsSource, tmp_path: Path):
    assert_formatted(source.text, tmp_path)


def test_what_django_cannot_express_is_noted(source: ModelsSource):
    expected = NOTED | (LATER if connection.pg_version >= 180000 else {})
    expected |= EXTENDED if _has_extensions() else {}
    notes = {note.object: note.why for note in source.notes}
    assert notes.keys() == expected.keys()
    assert [name for name, words in expected.items() if words not in notes[name]] == []


@pytest.mark.usefixtures("source")
def test_keys_to_core_are_relations():
    found = models_source(connection, "kern", app_label="inventory")
    assert found.notes == ()
    lines = [line.strip() for line in found.text.splitlines()]
    user, owner = lines.index("user = TypedForeignKey("), lines.index("owner = models.ForeignKey(")
    assert lines[user + 1 : user + 4] == ['"bigint",', '"core.User",', "models.CASCADE,"]
    assert lines[owner + 1 : owner + 4] == [
        '"core.User",',
        "models.RESTRICT,",
        'to_field="username",',
    ]
    assert "db_constraint=False," in lines[user:owner]
    assert "db_constraint=False," not in lines[owner:]


def test_names_that_django_or_python_refuse(app: SimpleNamespace):
    fields = {field.column: field.name for field in app.Preis._meta.fields}
    assert fields == {
        "id": "id",
        "from": "from_field",
        "import": "import_field",
        "None": "none",
        "select": "select",
        "delete": "delete_field",
        "x y": "x_y",
        "x-y": "x_y_2",
        "X_Y": "x_y_3",
        "ä": "ä",
        "_hidden": "hidden",
        "hidden_": "hidden_2",
        "😀": "field",
        "{a}": "a",
    }
    assert {app.Kunden._meta.db_table, app.Kunden2._meta.db_table} == {
        '"lager"."Kunden"',
        '"lager"."kunden"',
    }
    assert app.Kelas._meta.db_table == '"lager"."kelas"'
    fields = {field.column: field.name for field in app.Twice._meta.fields}
    assert (fields["twice_id"], fields["twice"]) == ("twice_id", "twice")
    assert app.AB._meta.db_table == '"lager"."a""b"'


def test_names_that_the_source_itself_uses(app: SimpleNamespace):
    fields = {field.column: field for field in app.Hidden._meta.fields}
    assert {column: field.name for column, field in fields.items()} == {
        "id": "id",
        "models": "models_field",
        "list": "list_field",
        "dict": "dict_field",
        "data": "data",
        "worte": "worte",
        "l": "l",
    }
    assert (fields["data"].default, fields["worte"].default) == (dict, list)
    assert {field.name for field in app.Wahl._meta.fields} >= {"liste", "text"}


@pytest.mark.usefixtures("source")
def test_nothing_is_imported_that_is_not_used(tmp_path: Path):
    found = models_source(connection, "klein", app_label="inventory")
    assert "SQL" not in found.text
    assert_formatted(found.text, tmp_path)


def test_ambiguous_names_are_allowed(source: ModelsSource):
    assert "# ruff: noqa: DJ001, DJ008, E741, E742, S105\n" in source.text


def test_a_counter_that_is_always_generated_in_a_composite_key(app: SimpleNamespace):
    row = app.Counted.objects.create(at=datetime.date(2026, 1, 2), note="new")
    assert row.pk == (1, datetime.date(2026, 1, 2))
    row.note = "changed"
    row.save()
    assert list(app.Counted.objects.values_list("id", "note")) == [(1, "changed")]


def test_defaults_that_use_a_sequence_of_the_column(app: SimpleNamespace):
    defaults = {
        field.name: getattr(field.db_default, "template", None) for field in app.Tens._meta.fields
    }
    assert defaults == {
        "id": "nextval('lager.tens_id_seq'::regclass)",
        "a": "(nextval('lager.tens_a_seq'::regclass) * 10)",
        "b": None,
    }


def test_relations_of_unusual_keys(app: SimpleNamespace):
    assert app.Chain1._meta.pk.name == "wide"
    assert app.Chain2._meta.pk.remote_field.model is app.Chain1
    assert app.Chain2._meta.get_field("other").db_type(connection) == "bigint"
    actions = {
        field.name: field.remote_field.on_delete.__name__
        for field in app.Actions._meta.fields
        if field.remote_field
    }
    assert actions == {
        "w": "DO_NOTHING",
        "d": "DO_NOTHING",
        "n": "RESTRICT",
        "x": "RESTRICT",
        "y": "RESTRICT",
    }
    defaults = {field.name: (field.default, field.db_default) for field in app.Actions._meta.fields}
    assert defaults["d"] == (0, 0)
    constraints = {
        field.name: field.db_constraint for field in app.Actions._meta.fields if field.remote_field
    }
    assert [name for name, is_djangos in constraints.items() if is_djangos] == ["y"]


def test_choices_have_the_type_of_their_column(app: SimpleNamespace):
    fields = {field.name: field for field in app.Wahl._meta.fields}
    choices = {name: field.choices for name, field in fields.items() if field.choices}
    assert choices == {
        "meta": [("a", "a"), ("b", "b")],
        "stufe": [(1, "1"), (2, "2")],
        "note": [(1, "1"), (2, "2")],
        "sorte": [("x", "x"), ("y]", "y]")],
    }
    conditions = [item.condition for item in app.Wahl._meta.constraints]
    assert models.Q(sorte__in=["x", "y]"]) in conditions
    assert app.Wahl.MetaChoices.B == "b"


def test_defaults_and_names_as_people_write_them(source: ModelsSource, app: SimpleNamespace):
    body = source.text.partition("class Wahl(")[2].partition("class Meta:")[0]
    assert "    ชื่อผู้ป่วย = models.TextField(null=True, blank=True)\n" in body
    for line in (
        "menge = models.DecimalField(max_digits=8, decimal_places=2, default=0, db_default=0)",
        'satz = TypedDecimalField("numeric", default=Decimal("0.50"), db_default=Decimal("0.50"))',
        "druck = models.FloatField(null=True, blank=True, default=-1.5, db_default=-1.5)",
        'text = models.TextField(blank=True, db_default="")',
        "zahl = models.BigIntegerField(null=True, blank=True, default=7, db_default=7)",
    ):
        assert f"    {line}\n" in body
    new = app.Wahl(id=1)
    new.full_clean()
    assert (new.daten, new.liste, new.worte) == ({}, [], [])
    assert str(app.Wahl(wahl_name="x", andere_nr="1")) == "x"


def test_a_view_has_a_key_of_several_columns(app: SimpleNamespace):
    execute("INSERT INTO lager.wahl (id) VALUES (7)")
    execute("REFRESH MATERIALIZED VIEW lager.mv")
    assert [item.pk for item in app.Mv.objects.all()] == [(7, 7)]
