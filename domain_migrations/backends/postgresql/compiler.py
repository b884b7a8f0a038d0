"""Queries that lock rows of one of several tables of the same name."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any

from .names import parse_table_name

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler as Compiler
else:
    Compiler = object


class UnambiguousLocksMixin(Compiler):
    """Gives tables of the same name aliases where ``FOR UPDATE OF`` must tell them apart.

    The clause takes names without schemas, and PostgreSQL takes the first table of that name:
    with ``"inventory"."departments"`` and ``departments`` joined it may lock the wrong rows.
    """

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        statement = super().as_sql(*args, **kwargs)
        # Only now all tables are known: those of select_related() are joined on the way.
        if self.query.select_for_update_of and self._has_homonyms():
            # All of them are renamed, because they are joined in the order of this map.
            self.query.change_aliases(
                {alias: f"L{number}" for number, alias in enumerate(self.query.alias_map)}
            )
            self.query.__dict__.pop("base_table", None)
            return super().as_sql(*args, **kwargs)
        return statement

    def _has_homonyms(self) -> bool:
        names = Counter(
            parse_table_name(alias).name
            for alias, table in self.query.alias_map.items()
            if alias == table.table_name
        )
        return any(number > 1 for number in names.values())


@functools.cache
def with_unambiguous_locks(compiler: type[Compiler]) -> type[Compiler]:
    """Return the compiler extended by the mixin, the same class for the same compiler."""
    return type(compiler.__name__, (UnambiguousLocksMixin, compiler), {"__module__": __name__})
