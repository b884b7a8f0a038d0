"""Moves every model to the schema ``moved``, while Django's tests keep using bare names.

Two halves, kept apart on purpose. The engine sees only plain, qualified strings: whatever is
assigned to ``Options.db_table`` is qualified at once. Django's test files, and only they, may go on
using bare names: what they pass to the backend is re-aimed, what they get back compares equal to
the bare name too. Re-aiming for anybody else would let a backend pass that has lost the schema.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

SCHEMA = "moved"

#: Bare names of all tables that a model has had so far; only these are re-aimed.
moved_names: set[str] = set()

#: Names that are never moved.
_stay: frozenset[str] = frozenset()

_tests_directory = ""


def split(name: str) -> tuple[str | None, str]:
    """Split ``"s"."t"``, ``s"."t`` and ``t``. Written apart from the backend's own parser."""
    schema, separator, table = name.partition('"."')
    if not separator:
        return None, name.removeprefix('"').removesuffix('"')
    return schema.removeprefix('"'), table.removesuffix('"')


def moved(name: str) -> str:
    """Return the qualified spelling of a bare name, and remember the name."""
    if not name:
        return name
    schema, table = split(name)
    if schema == SCHEMA:  # an automatic many-to-many table, named after a moved one
        moved_names.add(table)
    if schema is not None or name in _stay:
        return name
    moved_names.add(table)
    return f'"{SCHEMA}"."{table}"'


def re_aimed(name: Any) -> Any:
    """Return what a bare name written in a test file means, if a model has that table."""
    if isinstance(name, Seen):
        return str(name)
    return moved(name) if isinstance(name, str) and name in moved_names else name


class Seen(str):
    """A moved table's qualified name as a test file sees it: also equal to the bare name."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str.__eq__(self, re_aimed(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)

    def startswith(self, prefix: Any, *bounds: Any) -> bool:
        bare = split(prefix)[1] if isinstance(prefix, str) else prefix
        return split(self)[1].startswith(bare, *bounds)


def seen(name: str) -> str:
    """Return a name from the backend in the form in which a test file gets it.

    A table of ``public`` must not pass for the moved table of the same name.
    """
    schema, table = split(name)
    if schema == SCHEMA:
        return Seen(f'"{SCHEMA}"."{table}"')
    return f'"public"."{table}"' if schema is None and table in moved_names else name


_TABLE_IN_SQL = re.compile(
    r"""(?P<before>\b(?:FROM|INTO|TABLE|UPDATE|JOIN|ON|REFERENCES|EXISTS|ONLY)\s+)"""
    r"""(?P<quote>"?)(?P<name>\w+)(?P=quote)(?!["\w.])""",
    re.IGNORECASE,
)
_OTHER_NAME_IN_SQL = re.compile(
    r'((?:SET CONSTRAINTS|DROP INDEX|ALTER SEQUENCE) )("?\w+"?)(?![\w.])'
)
_RELNAME = re.compile(r"(\w+)\.relname = (?:%s|'\w+')")
_QUOTED_TWICE = re.compile(rf'"("{SCHEMA}"\."[^"]+")"')


def re_aimed_sql(sql: Any) -> Any:
    """Qualify the moved tables, and their constraints, indexes and sequences, in raw SQL."""

    def qualify(match: re.Match[str]) -> str:
        name = match["name"]
        return match["before"] + moved(name) if name in moved_names else match[0]

    if not isinstance(sql, str):
        return sql
    sql = _QUOTED_TWICE.sub(r"\1", _TABLE_IN_SQL.sub(qualify, sql))
    sql = _OTHER_NAME_IN_SQL.sub(rf'\1"{SCHEMA}".\2', sql)
    return _RELNAME.sub(rf"\1.relnamespace = '{SCHEMA}'::regnamespace AND \g<0>", sql)


def called_from_test(depth: int = 2) -> bool:
    """Tell whether the caller of the patched function is in one of Django's test files."""
    return sys._getframe(depth).f_code.co_filename.startswith(_tests_directory)


def _patch(owner: type, name: str, wrapper: Callable[[Callable[..., Any]], Any]) -> None:
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original)(wrapper(original)))


def _with_names(original: Callable[..., Any], seen_result: Callable[[Any], Any]) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not called_from_test():
            return original(self, *args, **kwargs)
        args = tuple(re_aimed(arg) for arg in args)
        kwargs = {key: re_aimed(value) for key, value in kwargs.items()}
        return seen_result(original(self, *args, **kwargs))

    return call


def _seen_constraints(constraints: dict[str, Any]) -> dict[str, Any]:
    for constraint in constraints.values():
        if constraint["foreign_key"]:
            table, column = constraint["foreign_key"]
            constraint["foreign_key"] = (seen(table), column)
    return constraints


def _ours(name: str) -> bool:
    """Whether a table is from same_table_names.sql, which Django's tests must not clean up."""
    return "homonym" in name


_SEEN_RESULTS: dict[str, Callable[[Any], Any]] = {
    "get_constraints": _seen_constraints,
    "get_primary_key_column": lambda result: result,
    "get_primary_key_columns": lambda result: result,
    "get_relations": lambda result: {
        column: (relation[0], seen(relation[1]), *relation[2:])
        for column, relation in result.items()
    },
    "get_sequences": lambda result: [
        {**row, "table": seen(row["table"]), "name": seen(moved(row["name"]))} for row in result
    ],
    "get_table_description": lambda result: result,
    "get_table_list": lambda result: [
        row._replace(name=seen(row.name)) for row in result if not _ours(row.name)
    ],
    "table_names": lambda result: [seen(name) for name in result if not _ours(name)],
}


def install(tests_directory: str, stay: frozenset[str] = frozenset()) -> None:
    """Move all models defined from now on, and let the files in ``tests_directory`` not notice."""
    global _stay, _tests_directory
    _stay = stay
    _tests_directory = tests_directory
    _move_models()


def _move_models() -> None:
    from django.db.models.options import Options

    def get(self: Options) -> str:
        return self.__dict__["db_table"]

    def set_(self: Options, name: str) -> None:
        self.__dict__["db_table"] = moved(name)

    def contribute(original: Callable[..., Any]) -> Any:
        def contribute_to_class(self: Options, cls: type, name: str) -> None:
            meta = self.meta
            original(self, cls, name)
            # What the user wrote stays what the user wrote: it goes to migration states.
            if "db_table" in self.original_attrs:
                self.original_attrs["db_table"] = meta.db_table

        return contribute_to_class

    Options.db_table = property(get, set_)
    _patch(Options, "contribute_to_class", contribute)


def re_aim(wrapper_class: type) -> None:
    """Let test files use bare names with connections of this class. Idempotent."""
    from django.core.management.commands import inspectdb
    from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
    from django.db.migrations.operations import RunSQL
    from django.db.models.sql.query import RawQuery

    if wrapper_class.__dict__.get("_django_suite_re_aimed"):
        return
    wrapper_class._django_suite_re_aimed = True
    for name, seen_result in _SEEN_RESULTS.items():
        _patch(
            wrapper_class.introspection_class,
            name,
            functools.partial(_with_names, seen_result=seen_result),
        )

    def with_sql(original: Callable[..., Any]) -> Any:
        def execute(self: Any, sql: Any, *args: Any, **kwargs: Any) -> Any:
            return original(self, re_aimed_sql(sql) if called_from_test() else sql, *args, **kwargs)

        return execute

    def alter_db_table(original: Callable[..., Any]) -> Any:
        def call(self: Any, model: Any, old: str, new: str) -> Any:
            if called_from_test():
                old, new = moved(old), moved(new)
            return original(self, model, old, new)

        return call

    def run_sql(original: Callable[..., Any]) -> Any:
        def call(self: Any, editor: Any, statements: Any) -> Any:
            # All of them are written in Django's tests: these migrations have no other author.
            if isinstance(statements, (list, tuple)):
                statements = [
                    (re_aimed_sql(each[0]), *each[1:])
                    if isinstance(each, (list, tuple))
                    else re_aimed_sql(each)
                    for each in statements
                ]
            return original(self, editor, re_aimed_sql(statements))

        return call

    def raw_query(original: Callable[..., Any]) -> Any:
        def init(self: Any, sql: Any, *args: Any, **kwargs: Any) -> None:
            original(self, re_aimed_sql(sql), *args, **kwargs)

        return init

    def inspection(original: Callable[..., Any]) -> Any:
        def call(self: Any, options: dict[str, Any]) -> Any:
            chosen = options.get("table_name_filter") or (lambda name: True)
            return original(
                self,
                {
                    **options,
                    "table": [re_aimed(name) for name in options["table"]],
                    "table_name_filter": lambda name: not _ours(name) and chosen(seen(name)),
                },
            )

        return call

    def normalize(original: Callable[..., Any]) -> Any:
        def call(self: Any, table_name: str) -> Any:
            schema, table = split(table_name)
            return original(self, table if schema == SCHEMA else table_name)

        return call

    editor = wrapper_class.SchemaEditorClass
    _patch(RunSQL, "_run_sql", run_sql)
    for cursor in (CursorWrapper, CursorDebugWrapper):
        _patch(cursor, "execute", with_sql)
        _patch(cursor, "executemany", with_sql)
    _patch(RawQuery, "__init__", raw_query)
    _patch(inspectdb.Command, "handle_inspection", inspection)
    _patch(inspectdb.Command, "normalize_table_name", normalize)
    _patch(editor, "execute", with_sql)
    _patch(editor, "alter_db_table", alter_db_table)
    _patch(editor, "quote_name", functools.partial(_with_names, seen_result=str))
    _patch(wrapper_class.ops_class, "quote_name", functools.partial(_with_names, seen_result=str))
