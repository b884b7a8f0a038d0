"""Database operations for qualified names."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.dispatch import Signal
from django.utils.functional import cached_property

from .names import parse_table_name, quote

if TYPE_CHECKING:
    from django.db.backends.postgresql.operations import DatabaseOperations as Operations
    from django.db.models import Model
    from django.db.models.sql.compiler import SQLCompiler
else:
    Operations = object


_DERIVED = re.compile(
    r'(?P<prefix>[^"]*)"(?P<schema>(?:[^"]|"")+)"\."(?P<name>(?:[^"]|"")+)"(?P<suffix>[^"]*)'
)
"""A qualified name with something before or after it."""

DERIVES_INDEX_NAMES = "django.core.management.commands.createcachetable"
"""The module of Django that quotes the derived name of an index, which takes no schema.

It has no seam: it puts the name straight into ``CREATE INDEX``.
"""

RESET_SEQUENCE = """
DO $reset$
DECLARE
    own bigint := CASE WHEN to_regclass('pg_catalog.pg_dist_node') IS NULL
        THEN 9223372036854775807 ELSE 281474976710656 END;
    highest bigint;
BEGIN
    SELECT max({column}) INTO highest FROM {table} WHERE {column} <= own;
    PERFORM setval(
        pg_get_serial_sequence({table_text}, {column_text}),
        coalesce(highest, 1), highest IS NOT NULL);
END $reset$;
"""
"""Sets a sequence after the highest value of its column.

Django's own query is run by a worker of a Citus cluster, on the sequence there, which has a range
of its own. What workers have drawn, above 2^48, is not the coordinator's.
"""

flushed = Signal()
"""Sent with ``connection`` and ``statements``, in the transaction in which they empty tables."""


class QualifiedOperationsMixin(Operations):
    """Operations for tables in schemas."""

    def compiler(self, compiler_name: str) -> type[SQLCompiler]:
        """Extend the compiler of ordinary queries for tables of the same name."""
        if compiler_name == "SQLCompiler":
            return self._query_compiler
        return super().compiler(compiler_name)

    @cached_property
    def _query_compiler(self) -> type[SQLCompiler]:
        # Django also imports its compilers for the first query.
        from .compiler import with_same_table_names

        compiler = super().compiler("SQLCompiler")
        return with_same_table_names(compiler)  # type: ignore[arg-type]  # classes are hashable

    def execute_sql_flush(self, sql_list: Iterable[str]) -> None:
        """Empty the tables, and send the signal ``flushed``.

        ``flush`` and ``TransactionTestCase`` call this method; Django has no signal for it.
        """
        statements = list(sql_list)
        with transaction.atomic(using=self.connection.alias):
            super().execute_sql_flush(statements)
            flushed.send(type(self), connection=self.connection, statements=statements)

    def sequence_reset_sql(self, style: Any, model_list: Iterable[type[Model]]) -> list[str]:
        """Return statements that also set the sequences of distributed tables."""
        from django.db.models import AutoField

        statements = []
        for model in model_list:
            for field in model._meta.local_fields:
                if isinstance(field, AutoField):
                    table, column = self.quote_name(model._meta.db_table), str(field.column)
                    statements.append(
                        RESET_SEQUENCE.strip().format(
                            table=table,
                            column=self.quote_name(column),
                            table_text=_literal(table),
                            column_text=_literal(column),
                        )
                    )
        return statements

    def for_update_sql(
        self,
        nowait: bool = False,
        skip_locked: bool = False,
        of: Iterable[str] = (),
        no_key: bool = False,
    ) -> str:
        """Remove the schemas from the tables of ``FOR UPDATE OF``, as PostgreSQL requires."""
        of = tuple(quote(parse_table_name(name).name) if '"' in name else name for name in of)
        return super().for_update_sql(nowait, skip_locked, of, no_key)

    def quote_name(self, name: str) -> str:
        """Quote a name, also one derived from a qualified name: ``"inventory"."cache"_expires``.

        Packages derive names of tables this way, and without their schema these would be in
        ``public``. The rest repeats Django's method, because every query quotes many names.
        """
        if '"' not in name:
            return f'"{name}"'
        if name.startswith('"') and name.endswith('"'):
            return super().quote_name(name)
        if derived := _DERIVED.fullmatch(name):
            bare = f'"{derived["prefix"]}{derived["name"]}{derived["suffix"]}"'
            caller = sys._getframe(1).f_globals.get("__name__")
            return bare if caller == DERIVES_INDEX_NAMES else f'"{derived["schema"]}".{bare}'
        return super().quote_name(name)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
