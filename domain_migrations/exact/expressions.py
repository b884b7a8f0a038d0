"""Expressions in the words of the database."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter
from typing import Any

from django.db import models
from django.db.models import Field
from django.db.models.expressions import Expression, F, Value


class SQL(Expression):
    """An expression in SQL, for defaults, conditions, generated columns and keys of indexes.

    Arguments:
        template: the SQL, with ``{name}`` for the field of that name; ``{{`` is a brace.

    ``CheckConstraint(condition=SQL("{qty} >= 0"), name=…)`` is validated in forms as well, because
    Django puts the values of the form in place of the fields.
    """

    allowed_default = True
    conditional = True

    def __init__(self, template: str, output_field: Field[Any, Any] | None = None) -> None:
        super().__init__(output_field=output_field or models.Field())
        self.template = template
        self.parts = list(Formatter().parse(template))
        self.sources: list[Any] = [F(name) for _, name, _, _ in self.parts if name is not None]

    def __repr__(self) -> str:
        return f"SQL({self.template!r})"

    def get_source_expressions(self) -> list[Any]:
        return self.sources

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.sources = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql = ""
        params: list[Any] = []
        sources = iter(self.sources)
        for text, name, _, _ in self.parts:
            sql += text.replace("%", "%%")
            if name is not None:
                source = next(sources)
                part, values = compiler.compile(source)
                sql += _cast(source, part, connection)
                params += values
        return f"({sql})", params


def _cast(source: Any, sql: str, connection: Any) -> str:
    """Return the SQL of a value with its type, which only a column has."""
    field = getattr(source, "_output_field_or_none", None) if isinstance(source, Value) else None
    kind = field.cast_db_type(connection) if field is not None else None
    return sql if kind is None else f"({sql})::{kind}"
