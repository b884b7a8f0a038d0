"""Queries over several tables of the same name in different schemas."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .names import parse_table_name

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler as Compiler
else:
    Compiler = object


class SameTableNameMixin(Compiler):
    """Gives tables an alias where their names would not tell them apart.

    With ``departments`` and ``"inventory"."departments"`` in one query PostgreSQL refuses
    ``"departments"."id"`` as ambiguous. And ``FOR UPDATE OF`` takes names without schemas: the
    rows of the first table of that name are locked, whichever was meant.
    """

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        statement = super().as_sql(*args, **kwargs)
        # Only now all tables are known: those of select_related() are joined on the way.
        if len(self.query.alias_map) > 1 and (ambiguous := self._ambiguous_tables()):
            self._rename(ambiguous)
            return super().as_sql(*args, **kwargs)
        return statement

    def _ambiguous_tables(self) -> list[str]:
        tables: dict[str, list[str]] = {}
        for alias, table in self.query.alias_map.items():
            if alias == table.table_name:
                tables.setdefault(_bare_name(alias), []).append(alias)
        return [
            alias
            for homonyms in tables.values()
            if len(homonyms) > 1
            for alias in homonyms
            if self.query.select_for_update_of or '"' not in alias
        ]

    def _rename(self, aliases: list[str]) -> None:
        """Go on with a copy of the query in which these tables have aliases."""
        self.query = query = self.query.clone()
        new: dict[str | None, str] = {alias: f"L{number}" for number, alias in enumerate(aliases)}
        # Tables are joined in the order of this map, and renaming moves them to its end.
        order = [new.get(alias, alias) for alias in query.alias_map]
        query.change_aliases(new)
        # The tables that are joined to a renamed one keep its old name until now.
        query.alias_map = {alias: query.alias_map[alias].relabeled_clone(new) for alias in order}
        query.__dict__.pop("base_table", None)


@functools.lru_cache(maxsize=4096)
def _bare_name(db_table: str) -> str:
    return parse_table_name(db_table).name


@functools.cache
def with_same_table_names(compiler: type[Compiler]) -> type[Compiler]:
    """Return the compiler extended by the mixin, the same class for the same compiler."""
    return type(compiler.__name__, (SameTableNameMixin, compiler), {"__module__": __name__})
