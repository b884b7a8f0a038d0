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
    """Gives tables an alias if their names would be ambiguous.

    With ``departments`` and ``"inventory"."departments"`` in one query PostgreSQL refuses
    ``"departments"."id"`` as ambiguous. ``FOR UPDATE OF`` accepts only names without schemas, and
    would lock the rows of the first table of that name.
    """

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        statement = super().as_sql(*args, **kwargs)
        # All tables are known only now, because compiling joins those of select_related().
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
        """Replace the query with a copy in which these tables have aliases."""
        self.query = query = self.query.clone()
        new: dict[str | None, str] = {alias: f"L{number}" for number, alias in enumerate(aliases)}
        # Tables are joined in the order of this map, and renaming moves them to the end.
        order = [new.get(alias, alias) for alias in query.alias_map]
        query.change_aliases(new)
        # Tables that are joined to a renamed one still refer to it by its old name.
        query.alias_map = {alias: query.alias_map[alias].relabeled_clone(new) for alias in order}
        query.__dict__.pop("base_table", None)


@functools.lru_cache(maxsize=4096)
def _bare_name(db_table: str) -> str:
    return parse_table_name(db_table).name


@functools.cache
def with_same_table_names(compiler: type[Compiler]) -> type[Compiler]:
    """Return the compiler extended by the mixin, the same class for the same compiler."""
    return type(compiler.__name__, (SameTableNameMixin, compiler), {"__module__": __name__})
