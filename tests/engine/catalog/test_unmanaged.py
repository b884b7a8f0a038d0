"""Objects without a model, compared with those that the migrations make."""

from __future__ import annotations

import pytest

from domain_migrations.domains import Domain
from domain_migrations.engine.catalog.fingerprint import CatalogObject
from domain_migrations.engine.catalog.unmanaged import (
    UnmanagedBaseline,
    UnmanagedObjects,
    digest,
    title_of,
)
from domain_migrations.engine.messages import Finding

PARTITIONS = (
    CatalogObject("table", "lab.days", "inherits lab.years\npartition DEFAULT", "days"),
    CatalogObject("table", "lab.years", 'inherits lab."runs, old"\npartition DEFAULT', "years"),
)
OLD = CatalogObject("column", "lab.days.id", "integer", "days")
NEW = CatalogObject("column", "lab.days.note", "text", "days")
MESSAGE = "The table lab.days exists only in the database."
FINDING = Finding("U101", "drift", "lab", "lab.days", MESSAGE, "")


@pytest.mark.parametrize(("changed", "expected"), [("runs, old", []), ("other", ["D108", "D051"])])
def test_a_partition_changes_with_its_parents(changed: str, expected: list[str]) -> None:
    unmanaged = UnmanagedObjects([*PARTITIONS, NEW])
    unmanaged.add(FINDING)
    known = {title_of(item): digest(item) for item in (*PARTITIONS, OLD)}
    baseline = UnmanagedBaseline(known, lambda name, relation: changed in (name, relation))

    found = baseline.compare(Domain("lab", "lab", ("lab",)), [FINDING], unmanaged)

    assert {(item.id, item.object) for item in found if item != FINDING} == set(
        zip(expected, ("lab.days.note", "lab.days.id"), strict=False)
    )
