"""Queries over tables of the same name in several schemas: joins and row locks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, models, transaction
from django.test.utils import isolate_apps

from tests.support.catalog import query


@pytest.fixture
def departments(empty_schemas: None) -> Iterator[dict[str, Any]]:
    """Three tables called `departments`, in a row, and one row in each."""
    with isolate_apps("tests"):

        class Core(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "tests"
                db_table = "departments"

        class Hr(models.Model):  # noqa: DJ008
            core = models.ForeignKey(Core, models.CASCADE)

            class Meta:
                app_label = "tests"
                db_table = '"hr"."departments"'

        class Inventory(models.Model):  # noqa: DJ008
            hr = models.ForeignKey(Hr, models.CASCADE)
            second = models.ForeignKey(Hr, models.CASCADE, related_name="+", null=True)

            class Meta:
                app_label = "tests"
                db_table = '"inventory"."departments"'

        with connections["default"].schema_editor() as editor:
            for model in (Core, Hr, Inventory):
                editor.create_model(model)
        other = Hr.objects.create(core=Core.objects.create())
        Inventory.objects.create(hr=Hr.objects.create(core=Core.objects.create()), second=other)
        yield {"core": Core, "hr": Hr, "inventory": Inventory}


def locked() -> dict[str, list[int]]:
    """Schema → keys of the rows that this transaction has locked."""
    found = {}
    for schema in ("public", "hr", "inventory"):
        rows = query(
            f"SELECT id FROM {schema}.departments"
            " WHERE xmax <> 0 AND xmax = pg_current_xact_id_if_assigned()::xid ORDER BY id"
        )
        if rows:
            found[schema] = [key for (key,) in rows]
    return found


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ((), {"public": [2], "hr": [2], "inventory": [1]}),
        (("self",), {"inventory": [1]}),
        (("hr",), {"hr": [2]}),
        (("hr__core",), {"public": [2]}),
        (("self", "hr__core"), {"public": [2], "inventory": [1]}),
    ],
)
def test_of_tables_with_one_name(
    of: tuple[str, ...], expected: dict[str, list[int]], departments: dict[str, Any]
) -> None:
    rows = departments["inventory"].objects.select_related("hr__core")
    with transaction.atomic():
        (row,) = rows.select_for_update(of=of)
        assert (row.pk, row.hr.pk, row.hr.core.pk) == (1, 2, 2)
        assert locked() == expected


def test_of_one_of_two_joins_to_a_table(departments: dict[str, Any]) -> None:
    rows = departments["inventory"].objects.select_related("hr", "second").filter(second__gt=0)
    with transaction.atomic():
        (row,) = rows.exclude(second=None).select_for_update(of=("second",), skip_locked=True)
        assert row.second_id == 1
        assert locked() == {"hr": [1]}


def test_of_with_conditions_order_and_annotations(departments: dict[str, Any]) -> None:
    rows = (
        departments["inventory"]
        .objects.annotate(above=models.F("hr__core_id") + 1)
        .filter(hr__core__gt=0, above__gt=0)
        .filter(models.Exists(departments["hr"].objects.filter(core=models.OuterRef("hr__core"))))
        .select_related("hr__core")
        .order_by("hr__core_id", "-above")
        .select_for_update(of=("self",), no_key=True)
    )
    with transaction.atomic():
        assert [(row.pk, row.above) for row in rows] == [(1, 3)]
        # The same query again, and one that was made from it.
        assert rows.count() == 1
        assert [row.pk for row in rows.filter(hr__gt=1)] == [1]
        assert locked() == {"inventory": [1]}


def test_of_tables_with_different_names_is_the_sql_of_stock(departments: dict[str, Any]) -> None:
    class Shelf(models.Model):  # noqa: DJ008
        department = models.ForeignKey(departments["hr"], models.CASCADE)

        class Meta:
            app_label = "tests"
            db_table = '"inventory"."shelves"'

    rows = Shelf.objects.select_related("department").select_for_update(of=("department",))
    with transaction.atomic():
        statement = str(rows.query)
    assert statement == (
        'SELECT "inventory"."shelves"."id", "inventory"."shelves"."department_id",'
        ' "hr"."departments"."id", "hr"."departments"."core_id" FROM "inventory"."shelves"'
        ' INNER JOIN "hr"."departments"'
        ' ON ("inventory"."shelves"."department_id" = "hr"."departments"."id")'
        ' FOR UPDATE OF "departments"'
    )


def test_join_of_a_plain_table_and_its_homonym(departments: dict[str, Any]) -> None:
    """Without an alias PostgreSQL says: table reference "departments" is ambiguous."""
    core, hr, inventory = (departments[name].objects for name in ("core", "hr", "inventory"))
    rows = inventory.select_related("hr__core").order_by("hr__core__pk")
    assert str(rows.query) == str(rows.query)
    (row,) = rows
    assert row.hr.core.pk == 2
    assert [row.pk for row in hr.filter(core__pk__gt=1).order_by("-core")] == [2]
    assert core.filter(hr__inventory__pk=1).count() == 1
    assert list(core.values_list("pk", models.Count("hr__inventory")).order_by("pk")) == [
        (1, 0),
        (2, 1),
    ]
    assert list(
        hr.annotate(used=models.Exists(inventory.filter(hr__core=models.OuterRef("core"))))
        .filter(core__pk__gt=0)
        .order_by("pk")
        .values_list("used", "core__pk")
    ) == [(False, 1), (True, 2)]
    assert hr.filter(core__in=core.filter(hr__inventory__isnull=False)).count() == 1
    assert inventory.filter(hr__core__pk=2, second__core__pk=1).update(second=None) == 1
    assert hr.filter(core__pk__gt=1).values("pk").union(inventory.values("hr")).count() == 1
    assert core.filter(hr__inventory__isnull=False).exists()
    assert inventory.filter(hr__core__pk=2).delete()[0] == 1


def test_prefetch_of_a_table_and_its_homonym(departments: dict[str, Any]) -> None:
    """Django names the table between them in SQL of its own."""

    target = departments["hr"]

    class Shelf(models.Model):  # noqa: DJ008
        departments = models.ManyToManyField(target, related_name="shelves")

        class Meta:
            app_label = "tests"
            db_table = '"inventory"."shelves"'

    with connections["default"].schema_editor() as editor:
        editor.create_model(Shelf)
    shelf = Shelf.objects.create()
    shelf.departments.set(departments["hr"].objects.filter(pk=2))
    related = departments["hr"].objects.select_related("core")
    (found,) = Shelf.objects.prefetch_related(models.Prefetch("departments", related))
    assert [department.core.pk for department in found.departments.all()] == [2]
    assert shelf.departments.filter(core__pk=2).count() == 1
