"""Rows for every model, to test pages with long lists."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction

from domain_migrations.fields import DomainReference

SELECT_RULES = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)
FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
WHERE contype IN ('u', 'c', 'x') AND c.relnamespace::regnamespace::text = ANY(%s)
UNION ALL
SELECT format('DROP INDEX %%s', indexrelid::regclass)
FROM pg_index JOIN pg_class c ON c.oid = indrelid
WHERE indisunique AND NOT indisprimary AND c.relnamespace::regnamespace::text = ANY(%s)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
SCHEMAS = ["public", "inventory", "hr", "finance"]
VALUES: Mapping[type[models.Field[Any, Any]], Any] = {
    models.BooleanField: lambda number: bool(number % 2),
    models.CharField: lambda number: f"x{number}",
    models.TextField: lambda number: f"text {number}",
    models.UUIDField: lambda number: uuid.uuid4(),
    models.DateTimeField: lambda number: datetime.datetime(2026, 1, 1, number, tzinfo=datetime.UTC),
    models.DateField: lambda number: datetime.date(2026, 1, 1 + number),
    models.DecimalField: lambda number: number,
    models.IntegerField: lambda number: number,
}


@contextmanager
def without_rules() -> Iterator[None]:
    """A transaction that is rolled back, in which any row can be inserted into any table."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SELECT_RULES, [SCHEMAS, SCHEMAS])
            for (statement,) in cursor.fetchall():
                cursor.execute(statement)
            cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        transaction.set_rollback(True)


def fill(model: type[models.Model], count: int, **fixed: Any) -> list[Any]:
    """Put `count` rows into the model's table, and what they refer to into the others'."""
    if not model._meta.managed:
        return []
    rows = [model(**fixed) for _ in range(count)]
    for field in model._meta.local_concrete_fields:
        if field.name in fixed or field.generated or isinstance(field, models.AutoField):
            continue
        for row, value in zip(rows, _values(field, count), strict=True):
            setattr(row, field.attname, value)
    for row in rows:
        row.save_base(raw=True, force_insert=True)
    return rows


def _values(field: Any, count: int) -> list[Any]:
    if field.remote_field:
        if field.remote_field.model is field.model:
            return [None] * count
        return [row.pk for row in fill(field.remote_field.model, count)]
    if isinstance(field, DomainReference):
        target = field.target()
        assert target is not None, f"{field} refers to a domain that is not installed"
        return [row.pk for row in fill(target, count)]
    if field.choices:
        return [field.flatchoices[0][0]] * count
    make = next(make for kind, make in VALUES.items() if isinstance(field, kind))
    return [make(number) for number in range(count)]
