"""Objects of a database that name a table that moves, and the statements that mend them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, QualifiedName, get_domains
from ...engine.boundary.recorded_references import RecordedReference, crossings_after
from ...engine.boundary.rule import may_depend_on, violation_clause
from ...engine.boundary.schema_owners import SchemaOwners
from ...engine.messages import shortened
from ...engine.runner.adoption.function_text import FunctionText, written
from ...engine.runner.adoption.functions import (
    FunctionTexts,
    find_function_texts,
    redefinitions,
    renamed_objects,
    text_defaults,
)
from ...engine.runner.adoption.moves import existing_relations
from ...engine.runner.transfer.distributed_schemas import check_not_distributed
from ...engine.runner.transfer.table_transfer import TableTransfer
from ...engine.runner.transfer.transferred_objects import (
    ReadingView,
    TransferredObjects,
    all_views_over,
    find_objects,
    keys_of,
)
from ...engine.sessions.connection import fetch_all, session_settings
from ...engine.sql.lexer import tokens
from ...exceptions import InvalidConfiguration
from .key_conversions import KeyConversion, illegal_keys
from .model_move import ModelMove

SELECT_SCHEMA = "SELECT to_regnamespace(quote_ident(%s))::oid::bigint"

SELECT_KEY_COLUMNS = """
SELECT n.nspname, c.relname, a.attname
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)
WHERE k.contype = 'f' AND k.conrelid = %s AND quote_ident(k.conname) = %s
"""

SELECT_TABLE = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %s
"""

SELECT_VIEW = "SELECT pg_get_viewdef(%s::oid)"

SELECT_PUBLICATIONS = """
SELECT quote_ident(t.pubname) FROM pg_publication_tables t
JOIN pg_class c ON c.relname = t.tablename AND c.relnamespace = to_regnamespace(
    quote_ident(t.schemaname))
WHERE c.oid = %s ORDER BY 1
"""

TEXT_ARGUMENT = re.compile(r"\(?('(?:[^']|'')*')::text\)?(?:::regclass)?")

VIEWS = ("B002", "B003")
KEY = "B001"


@dataclass(frozen=True)
class LiveObject:
    """An object that uses a table that moves, or that the table uses.

    Attributes:
        kind: as in ``function``.
        name: as PostgreSQL writes it.
        message: who uses what, and what follows from that, as a sentence.
        before: the statements for a migration before the pair.
        after: those for a migration after it.
        blocks: whether the transfer is refused while it is as it is.
    """

    kind: str
    name: str
    message: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    blocks: bool = False

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "before": list(self.before), "after": list(self.after)}


@dataclass(frozen=True)
class LiveObjects:
    """What a database has that code does not show.

    Attributes:
        is_present: whether the tables exist in it; nothing else is known otherwise.
        followers: what goes along with the tables: its kind and its name.
        objects: those that need something to be done.
    """

    database: str
    is_present: bool
    followers: tuple[tuple[str, str], ...] = ()
    objects: tuple[LiveObject, ...] = ()

    @property
    def blocking(self) -> tuple[LiveObject, ...]:
        return tuple(each for each in self.objects if each.blocks)

    def as_json(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "present": self.is_present,
            "followers": [{"kind": kind, "name": name} for kind, name in self.followers],
            "objects": [each.as_json() for each in self.objects],
        }


def read_live_objects(
    connection: BaseDatabaseWrapper,
    move: ModelMove,
    awaited: Mapping[QualifiedName, QualifiedName] | None = None,
) -> LiveObjects:
    """Return the objects of a database that the transfer of a model's tables concerns.

    Nothing is written, and nothing is locked.

    Arguments:
        awaited: tables that other transfers move before, as ``awaited_tables()`` returns them.
    """
    tables = {QualifiedName.of(old): QualifiedName.of(new) for old, new in move.tables.items()}
    if not existing_relations(connection, list(tables)):
        return LiveObjects(connection.alias, is_present=False)
    transfer = TableTransfer(
        source=move.source_domain,
        target=move.target_domain,
        old_app=move.source.label,
        new_app=move.target.label,
        model=move.model.__name__,
        tables=tables,
    )
    try:
        check_not_distributed(connection, str(transfer), transfer.source, transfer.target)
        found = find_objects(connection, tables, transfer.source.schema, transfer.target.schema)
    except InvalidConfiguration as exc:
        names = shortened(list(tables))
        problem = LiveObject("table", names, f"{exc.message} {exc.hint}", blocks=True)
        return LiveObjects(connection.alias, is_present=True, objects=(problem,))
    with session_settings(connection, {"search_path": ""}):
        reader = _Reader(connection, transfer, found, illegal_keys(move), awaited or {})
        objects = tuple(reader.objects())
    followers = tuple(
        (item.kind.lower(), str(item)) for item in found.moved if item not in found.tables
    )
    return LiveObjects(connection.alias, True, followers, objects)


@dataclass
class _Reader:
    """Reads the catalog with an empty search path, so that all names have their schema."""

    connection: BaseDatabaseWrapper
    transfer: TableTransfer
    found: TransferredObjects
    conversions: Sequence[KeyConversion]
    awaited: Mapping[QualifiedName, QualifiedName]

    def objects(self) -> Iterator[LiveObject]:
        yield from self._crossings()
        yield from self._functions()
        yield from self._publications()

    @cached_property
    def owners(self) -> SchemaOwners:
        owners = SchemaOwners(get_domains()[0])
        owners.read(self.connection)
        return owners

    def _crossings(self) -> Iterator[LiveObject]:
        [(source,)] = fetch_all(self.connection, SELECT_SCHEMA, [self.transfer.source.schema])
        moved = keys_of(self.connection, self.found)
        views = dict[int, ReadingView]()
        seen = set[tuple[str, str]]()
        for crossing in crossings_after(
            self.connection, self.owners, moved, source, self.transfer.target
        ):
            reference = crossing.reference
            if reference.id in VIEWS:
                for view in self._views(reference):
                    views.setdefault(view.oid, view)
                continue
            if (reference.kind, reference.title) in seen:
                continue
            seen.add((reference.kind, reference.title))
            if reference.id == KEY and self._is_awaited(reference, reference.object in moved):
                continue
            clause = violation_clause(crossing.user, crossing.used)
            yield self._crossing(reference, f"{reference.sentence}: {clause} then")
        for view in views.values():
            yield self._view(view)

    def _crossing(self, reference: RecordedReference, message: str) -> LiveObject:
        if reference.id == KEY and (known := self._conversion_of(reference)):
            return LiveObject(
                reference.kind,
                reference.title,
                f"{message}. The conversion of {known} drops it.",
            )
        before = (reference.statement,) if reference.statement else ()
        unknown = ", and no model knows it" if reference.id == KEY else ""
        advice = "" if before else f" {reference.removal}"
        return LiveObject(
            reference.kind,
            reference.title,
            f"{message}{unknown}.{advice}",
            before=before,
            blocks=True,
        )

    def _conversion_of(self, reference: RecordedReference) -> KeyConversion | None:
        _, table = reference.object
        rows = fetch_all(self.connection, SELECT_KEY_COLUMNS, [table, reference.name])
        places = [(self._place(schema, name), column) for schema, name, column in rows]
        for conversion in self.conversions:
            options = conversion.model._meta
            field: Any = options.get_field(conversion.field)
            name = QualifiedName.of(field.model._meta.db_table)
            if places == [(name, field.column)]:
                return conversion
        return None

    def _is_awaited(self, key: RecordedReference, leaves: bool) -> bool:
        """Return whether a foreign key is within the rule once its other table has moved, too."""
        _, oid = key.used_object if leaves else key.object
        [(schema, name)] = fetch_all(self.connection, SELECT_TABLE, [oid])
        place, target = self._place(schema, name), self.transfer.target
        if place == QualifiedName(schema, name):
            return False
        other = self._owner(place.schema)
        return may_depend_on(target, other) if leaves else may_depend_on(other, target)

    def _place(self, schema: str, name: str) -> QualifiedName:
        """Return where a table is once the transfers that are written have run."""
        table = QualifiedName(schema, name)
        return self.awaited.get(table, table)

    def _views(self, reference: RecordedReference) -> list[ReadingView]:
        """Return a view with those that read it, in the order to drop them."""
        _, oid = reference.object
        kind = reference.kind.upper()
        name = QualifiedName(*(token.text for token in tokens(reference.place) if token.is_name))
        return [*all_views_over(self.connection, oid), ReadingView(oid, kind, name)]

    def _view(self, view: ReadingView) -> LiveObject:
        [(query,)] = fetch_all(self.connection, SELECT_VIEW, [view.oid])
        text = FunctionText(
            query, renamed_objects(self.connection, self.transfer, self.found.moved), False
        )
        kind, name, target = view.kind, written(view.name), self.transfer.target
        new = written(QualifiedName(target.schema, view.name.name))
        clause = violation_clause(self._owner(view.name.schema), target)
        return LiveObject(
            kind.lower(),
            name,
            f"The {kind.lower()} {name} reads the table, or a view that does: {clause} then. Drop"
            f' it before, and create it again in "{target.name}" if that needs it.',
            before=(f"DROP {kind} {name};",),
            after=(f"CREATE {kind} {new} AS\n{text.replaced().strip()}",),
            blocks=True,
        )

    def _owner(self, schema: str) -> Domain:
        return self.owners.domains.get(schema) or get_domains()[0]

    def _functions(self) -> Iterator[LiveObject]:
        """Yield what names the tables in a text, which PostgreSQL looks up when it is executed."""
        texts: FunctionTexts = find_function_texts(self.connection, self.transfer, self.found.moved)
        for function, identity, statement in redefinitions(self.connection, texts.changed):
            yield LiveObject(
                "function",
                function.identity,
                f"The function {function.identity} names what moves in its text, and fails"
                f" afterwards.{self._forbidden(identity)}",
                after=(f"{statement.rstrip()};",),
            )
        for each in texts.uncertain:
            yield LiveObject(
                "function",
                each.identity,
                f"The function {each} may name what moves: if it does, create it again with the"
                f" new name.{self._forbidden(each.identity)}",
            )
        names = renamed_objects(self.connection, self.transfer, self.found.moved)
        for column, expression in text_defaults(self.connection, names).items():
            yield _text_default(column, expression)

    def _publications(self) -> Iterator[LiveObject]:
        for item in self.found.tables:
            rows = fetch_all(self.connection, SELECT_PUBLICATIONS, [item.oid])
            for (name,) in rows:
                yield LiveObject(
                    "publication",
                    name,
                    f"The publication {name} has the table {written(item.old)}: a subscriber gets"
                    f" its rows as {written(item.new)} then, and stops unless it has that table.",
                )

    def _forbidden(self, identity: str) -> str:
        """Return a sentence if a function's domain may not use the table where it will be."""
        schema = next(token.text for token in tokens(identity) if token.is_name)
        user, used = self._owner(schema), self.transfer.target
        if may_depend_on(user, used):
            return ""
        clause = violation_clause(user, used)
        return f" verify_domain will report it, because {clause}: move it, or do without it."


def _text_default(column: str, expression: str) -> LiveObject:
    place = [token for token in tokens(column) if token.is_name][-1].start
    table, name = column[: place - 1], column[place:]
    mended = TEXT_ARGUMENT.sub(r"\1::regclass", expression)
    return LiveObject(
        "default of",
        column,
        f"The default of {column} names a sequence as a text, which is not found afterwards.",
        before=(f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {mended};",),
        blocks=True,
    )
