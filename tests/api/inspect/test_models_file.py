"""Models that are written for a schema with everything in it."""

from __future__ import annotations

import datetime
import decimal
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.migrations import Migration, RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import RestrictedError
from django.forms import modelform_factory

from domain_migrations.api.inspect.models_file import ModelsSource, models_source
from domain_migrations.api.inspect.state_operations import StateOperations, operation_lines
from domain_migrations.domains import Domain
from domain_migrations.engine.catalog.drift import find_drift
from domain_migrations.engine.catalog.unmanaged import UnmanagedBaseline
from tests.api.inspect.written import assert_formatted, written_app
from tests.support.catalog import execute

HERE = Path(__file__).parent
NOTED = {
    "warehouse.bins",
    "warehouse.items.123_digits",
    "warehouse.knex_migrations",
    "warehouse.knex_migrations_lock",
    "warehouse.names",
    "warehouse.readings",
    "warehouse.shipments.shipments_order_id_line_fkey",
    "warehouse.stock",
    "warehouse.totals",
}
"""What Django cannot express in the schema."""


@pytest.fixture(scope="module")
def source(module_database: str) -> ModelsSource:
    execute((HERE / "warehouse.sql").read_text())
    return models_source(connection, "warehouse", app_label="inventory")


@pytest.fixture(scope="module")
def app(source: ModelsSource) -> Iterator[SimpleNamespace]:
    """The classes of the module, and the registry that they are in."""
    with written_app(source.text) as app:
        yield app


@pytest.fixture
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def item(app: SimpleNamespace, rolled_back: None) -> Any:
    category = app.Category.objects.create(name="Drugs", slug="drugs")
    return app.Item.objects.create(category=category, name="Aspirin")


def test_the_models_pass_djangos_checks(app):
    found = [
        message
        for model in app.apps.get_models()
        for message in model.check(databases=["default"])
        if message.level >= checks.WARNING
    ]
    assert found == []


def test_verify_finds_no_difference(app):
    domain = Domain("inventory", "warehouse", ("inventory",))
    found = find_drift(connection, domain, ProjectState.from_apps(app.apps))
    assert [(item.id, item.object) for item in found if not item.is_unmanaged] == [
        ("D101", "warehouse.knex_migrations"),
        ("D101", "warehouse.knex_migrations_lock"),
    ]


def test_a_migration_that_creates_an_inherited_table_declares_it(app):
    domain = Domain("inventory", "warehouse", ("inventory",))
    migration = Migration("0001_initial", "inventory")
    migration.operations = [RunSQL((HERE / "warehouse.sql").read_text())]
    state = ProjectState.from_apps(app.apps)
    found = find_drift(connection, domain, state, migrations=[migration])
    assert [item.id for item in found if item.object == "warehouse.companies"] == ["U107"]


def test_a_history_that_was_left_in_place_is_not_in_the_snapshot(app):
    domain = Domain("inventory", "warehouse", ("inventory",))
    found = find_drift(
        connection,
        domain,
        ProjectState.from_apps(app.apps),
        histories={"knex_migrations": "Knex"},
        reference=UnmanagedBaseline({}),
    )
    ids = {item.object: item.id for item in found}
    assert ids["warehouse.knex_migrations"] == "U101"
    assert ids["warehouse.knex_migrations_lock"] == "D101"


def test_the_module_is_formatted(source, tmp_path):
    assert_formatted(source.text, tmp_path)


def test_the_state_of_the_migration_is_that_of_the_models(source, app):
    operations = StateOperations("inventory", source.models, source.imports)
    sources = ["\n".join(operation_lines(code, 1)).lstrip() for code in operations.codes()]
    lines = [*operations.imports.lines(), f"found = [{', '.join(sources)}]"]
    module: dict[str, Any] = {}
    exec("\n".join(lines), module)  # noqa: S102 (what the engine has written)
    state = ProjectState()
    for operation in module["found"]:
        operation.state_forwards("inventory", state)
    states = [ModelState.from_model(model) for model in app.apps.get_models()]
    assert len(states) == 20

    assert [_parts(item) for item in state.models.values()] == [_parts(item) for item in states]


def _parts(state: ModelState) -> tuple[Any, ...]:
    """What the autodetector compares of a model."""
    detector = MigrationAutodetector(ProjectState(), ProjectState())
    fields = {name: detector.deep_deconstruct(field) for name, field in state.fields.items()}
    return state.name, fields, state.options, state.bases


def test_everything_without_a_model_is_noted(source):
    assert {note.object for note in source.notes} == NOTED
    options = [model.options for model in source.models]
    tables = {item["db_table"].value: item.get("managed") for item in options}
    assert [table for table, managed in sorted(tables.items()) if managed == "False"] == [
        '"warehouse"."readings"',
        '"warehouse"."stock"',
        '"warehouse"."totals"',
    ]
    names = {table.split('"')[-2] for table in tables}
    assert {"items", "companies", "movements"} <= names
    assert not {"bins", "names", "movements_2025", "knex_migrations"} & names
    note = next(note for note in source.notes if note.object == "warehouse.bins")
    assert str(note) == (
        "warehouse.bins: This table has no primary key, which Django needs, and no column that is"
        " unique and NOT NULL: it has no model. Add a primary key, or use SQL."
    )


@pytest.mark.usefixtures("rolled_back")
def test_defaults_are_the_databases(app):
    supplier = app.Supplier.objects.create(code="AB", email="a@b")
    supplier.refresh_from_db()
    assert supplier.active is True
    assert supplier.settings == {"a": {"b": "%"}}
    assert supplier.tags == []
    assert supplier.created_at.tzinfo is not None
    assert supplier.updated_at.tzinfo is None
    assert supplier.score == 0.5


@pytest.mark.usefixtures("rolled_back")
def test_a_new_form_has_the_defaults_of_the_database(app):
    form_class = modelform_factory(app.Supplier, fields="__all__")
    assert not {"created_at", "updated_at"} & set(form_class.base_fields)
    shown = {name: form_class()[name].value() for name in form_class.base_fields}
    assert (shown["active"], shown["score"], shown["balance"]) == (True, 0.5, "$0.00")
    form = form_class({"code": "AB", "email": "a@b", "settings": "[1]", "active": "on"})
    supplier = form.save()
    supplier.refresh_from_db()
    assert supplier.created_at.tzinfo is not None
    assert supplier.updated_at is not None


VALUES = {
    "status": "sold-out",
    "state": "paid",
    "qty": 3,
    "price": decimal.Decimal("1.50"),
    "weight": decimal.Decimal("0.123456789"),
    "minimum": 5,
    "budget": decimal.Decimal("10.25"),
    "short": "abc",
    "codes": ["a", "b"],
    "counts": [1, 2],
    "flags": "010",
    "mask": "10",
    "country": "TH",
    "letter": "x",
    "host": "10.0.0.1",
    "shelf_life": datetime.timedelta(days=3),
    "pause": datetime.timedelta(hours=2),
    "opens": datetime.time(8, 30),
    "closes": datetime.time(17, 0, tzinfo=datetime.UTC),
    "owner_oid": 16384,
    "owner_name": "postgres",
    "ราคา": decimal.Decimal("2.00"),
    "german": "Öl",
    "order": 4,
}
"""Values of columns of unusual types, as they are written, filtered and read."""


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_written_filtered_and_read(app, item, name):
    setattr(item, name, VALUES[name])
    item.save()
    (found,) = app.Item.objects.filter(**{name: VALUES[name]})
    assert getattr(found, name) == VALUES[name]


def test_values_that_psycopg_converts(app, item):
    item.mac, item.net = "08:00:2b:01:02:03", "10.0.0.0/8"
    item.during, item.spot, item.home = "[2025-01-01,2025-02-01)", "(1,2)", "(Main,Town)"
    item.photo = b"\x00\xff"
    item.save()
    item.refresh_from_db()
    assert item.mac == "08:00:2b:01:02:03"
    assert ipaddress.ip_network(item.net) == ipaddress.ip_network("10.0.0.0/8")
    assert (item.spot, item.home) == ("(1,2)", "(Main,Town)")
    assert bytes(item.photo) == b"\x00\xff"
    assert app.Item.objects.filter(during=item.during).exists()


@pytest.mark.usefixtures("rolled_back")
def test_arrays_of_enums_and_json(app):
    supplier = app.Supplier.objects.create(
        code="AB", email="a@b", statuses=["draft", "1st", None], raw={"a": [1, "x"]}
    )
    supplier.refresh_from_db()
    assert supplier.statuses == ["draft", "1st", None]
    assert supplier.raw == {"a": [1, "x"]}
    assert app.Supplier.objects.filter(statuses__contains=["1st"]).exists()
    assert not app.Supplier.objects.filter(statuses__contains=["été"]).exists()


@pytest.mark.usefixtures("rolled_back")
def test_a_timestamp_has_no_time_zone(app, settings):
    moment = datetime.datetime(2025, 3, 1, 23, 30)
    supplier = app.Supplier.objects.create(code="AB", email="a@b", updated_at=moment)
    supplier.refresh_from_db()
    assert supplier.updated_at == moment
    with_zone = moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=7)))
    found = app.Supplier.objects.filter
    assert not found(updated_at=with_zone).exists()
    assert found(updated_at=moment.replace(tzinfo=datetime.UTC)).exists()
    settings.TIME_ZONE = "Asia/Bangkok"
    assert found(updated_at__date=moment.date(), updated_at__hour=23).exists()
    form = modelform_factory(app.Supplier, fields=["checked"])(
        {"checked": "2025-03-01 23:30"}, instance=supplier
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data["checked"] == moment


def test_counters_and_generated_columns_come_back(app, item):
    assert item.counter >= 1
    assert item.tick >= 1000
    item.qty, item.price = 2, decimal.Decimal("4.50")
    item.full_clean()
    item.save()
    item.refresh_from_db()
    assert (item.total, item.label) == (decimal.Decimal("9.00"), "ASPIRIN")
    first, second = (app.Order.objects.create(number=str(number)) for number in range(2))
    assert second.pk - first.pk == 5


def test_relations(app, item):
    app.ItemDetail.objects.create(item=item, note="x")
    order = app.Order.objects.create(number="7")
    line = app.OrderLine.objects.create(order=order, line=1, item=item)
    assert line.pk == (order.pk, 1)
    with pytest.raises(RestrictedError):
        item.delete()
    app.Shipment.objects.create(order_id=order.pk, line=1, order_number=order)
    app.Shipment.objects.all().delete()
    order.delete()
    item.delete()
    assert not app.ItemDetail.objects.exists()


def test_constraints_are_validated_in_forms(app, item):
    supplier = app.Supplier(code="a1", email="a@b")
    with pytest.raises(ValidationError, match="suppliers_code_format"):
        supplier.full_clean()
    supplier.code, supplier.rating = "AB", 6.0
    with pytest.raises(ValidationError, match="suppliers_rating_check"):
        supplier.full_clean()
    supplier.rating = 5.0
    supplier.full_clean()
    with pytest.raises(ValidationError, match="categories_lower_name"):
        app.Category(name="DRUGS", slug="other").full_clean()
    app.Category(name="Devices", slug="other").full_clean()


def test_enums_are_choices(app, item):
    form = modelform_factory(app.Item, fields=["status", "kind", "size"])(instance=item)
    values = [value for value, _ in form.fields["status"].choices]
    assert values == ["draft", "in stock", "sold-out", "1st", "été"]
    assert ("device", "Device") in form.fields["kind"].choices
    assert ("S", "S") in form.fields["size"].choices


def test_a_form_of_every_column_saves_what_it_shows(app, item):
    for name, value in VALUES.items():
        setattr(item, name, value)
    item.save()
    form_class = modelform_factory(app.Item, fields="__all__")
    shown = form_class(instance=item)
    sent = {name: shown[name].value() for name in shown.fields}
    data = {
        name: ",".join(map(str, value)) if isinstance(value, list) else value
        for name, value in sent.items()
        if value is not None
    }
    form = form_class(data, instance=app.Item.objects.get(pk=item.pk))
    assert form.is_valid(), form.errors
    form.save()
    found = app.Item.objects.get(pk=item.pk)
    assert {name: getattr(found, name) for name in VALUES} == VALUES
    assert "counter" not in shown.fields
