"""The comparison of a live table with the table that its model describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from . import drift_ids as ids
from .expected import ExpectedTable
from .expressions import ExpressionNormalizer, cast
from .live_tables import Column, IndexOrConstraint, Table

KEY_TYPES = frozenset({"smallint", "integer", "bigint"})
SETTING_WORDS: dict[str, tuple[str, ...]] = {
    "has row security": ("row", "security"),
    "forces row security": ("force", "row", "security"),
    "is stored with": (),
    "is stored by": (),
    "has the replica identity": ("replica", "identity"),
    "is clustered": ("cluster",),
    "inherits": (),
    "has the storage": ("storage",),
    "has the compression": ("compression",),
    "has the statistics target": ("statistics",),
}
"""The beginning of a clause → the words of the statement that makes it; () for its name."""


class Difference(NamedTuple):
    """One difference between a live table and its model.

    Attributes:
        id: of the drift, or the number of what exists only in the database.
        words: for what exists only in the database, the words that a migration which makes it
            with SQL would contain; otherwise empty.
    """

    id: str
    object: str
    message: str
    words: tuple[str, ...] = ()


class ConstraintMatcher:
    """Pairs the expected constraints and indexes of a table with the live ones.

    What a model names is looked up by name. What Django names is looked up by definition, because
    its name stays the same when the table or a column is renamed.
    """

    def __init__(self, wanted: ExpectedTable, live: Table, normalize: ExpressionNormalizer) -> None:
        self.live, self.normalize = live, normalize
        self.named, self.unnamed = map(self._normalized, (wanted.named, wanted.unnamed))
        self.unmatched = self._normalized([*live.constraints, *live.indexes])
        self.found: list[Difference] = []

    def differences(self) -> list[Difference]:
        """Return the differences of all pairs, and of whatever has no partner."""
        renamed = [item for item in self.named if not self._match_by_name(item)]
        changed = [item for item in self.unnamed if not self._match_equal(item)]
        for item in renamed:
            self._match_renamed(item)
        for item in changed:
            self._match_changed(item)
        for item in self.unmatched:
            number = ids.EXTRA_INDEX if item.definition.is_index else ids.EXTRA_CONSTRAINT
            self._add(number, item, f"exists only in the database: {item.definition}", item.name)
        return self.found

    def _match_by_name(self, wanted: IndexOrConstraint) -> bool:
        # A foreign key or check may have the name of an index.
        live = self._claim(
            lambda item: (
                item.name == wanted.name and item.definition.is_index == wanted.definition.is_index
            )
        ) or self._claim(
            lambda item: (
                item.name == wanted.name
                and item.definition.has_index
                and wanted.definition.has_index
            )
        )
        if live is not None:
            self._compare(wanted, live)
        return live is not None

    def _match_equal(self, wanted: IndexOrConstraint) -> bool:
        live = self._claim(
            lambda item: item.name == wanted.name and _is_equivalent(wanted, item)
        ) or self._claim(lambda item: _is_equivalent(wanted, item))
        return live is not None

    def _match_renamed(self, wanted: IndexOrConstraint) -> None:
        live = self._claim(lambda item: _is_equivalent(wanted, item))
        if live is None:
            self._add_missing(wanted)
        else:
            self._add(ids.RENAMED, wanted, f"is named {live.name} in the database")

    def _match_changed(self, wanted: IndexOrConstraint) -> None:
        """Pair an unnamed one without an equal: by name, or a constraint by its keys."""
        expected = wanted.definition
        live = self._claim(
            lambda item: (
                item.name == wanted.name
                or (
                    not expected.is_index
                    and (expected.head, expected.keys)
                    == (item.definition.head, item.definition.keys)
                )
            )
        )
        if live is None:
            self._add_missing(wanted)
        else:
            self._compare(wanted, live)

    def _claim(self, matches: Callable[[IndexOrConstraint], bool]) -> IndexOrConstraint | None:
        """Remove the first unmatched one that matches, and return it."""
        live = next(filter(matches, self.unmatched), None)
        if live is not None:
            self.unmatched.remove(live)
            if live.not_enforced:
                self._add(ids.NOT_ENFORCED, live, f"is not enforced: {live.not_enforced}")
        return live

    def _normalized(self, items: list[IndexOrConstraint]) -> list[IndexOrConstraint]:
        return [
            replace(item, definition=item.definition.rewritten(self.normalize)) for item in items
        ]

    def _compare(self, wanted: IndexOrConstraint, live: IndexOrConstraint) -> None:
        if wanted.definition != live.definition:
            number = ids.INDEX if wanted.definition.is_index else ids.CONSTRAINT
            clause = f"is {live.definition}; the migrations say {wanted.definition}"
            self._add(number, live, clause)

    def _add_missing(self, wanted: IndexOrConstraint) -> None:
        number = ids.MISSING_INDEX if wanted.definition.is_index else ids.MISSING_CONSTRAINT
        self._add(number, wanted, f"does not exist: {wanted.definition}")

    def _add(self, number: str, item: IndexOrConstraint, clause: str, *words: str) -> None:
        is_index = item.definition.is_index
        noun, owner = ("index", self.live.schema) if is_index else ("constraint", self.live.title)
        title = f"{owner}.{item.name}"
        self.found.append(Difference(number, title, f"The {noun} {title} {clause}.", words))


def _is_equivalent(wanted: IndexOrConstraint, live: IndexOrConstraint) -> bool:
    """Return whether they enforce the same; a unique index does what an unnamed UNIQUE does."""
    definition = live.definition
    if wanted.definition.head == "UNIQUE" and definition.head == "UNIQUE INDEX":
        definition = replace(definition, head="UNIQUE")
    return wanted.definition == definition


class TableComparison:
    """The comparison of a live table with the expected one."""

    def __init__(self, wanted: ExpectedTable, live: Table, normalize: ExpressionNormalizer) -> None:
        self.wanted, self.live, self.normalize = wanted, live, normalize
        self.title = wanted.title

    def differences(self) -> Iterator[Difference]:
        """Yield the differences of the table, its columns, constraints and indexes."""
        self.normalize.prepare(self.expressions())
        yield from self._of_table()
        for name, column in self.wanted.columns.items():
            title = f"{self.title}.{name}"
            if name in self.live.columns:
                yield from self._of_column(title, column, self.live.columns[name])
            else:
                yield Difference(ids.MISSING_COLUMN, title, f"The column {title} does not exist.")
        for name in self.live.columns.keys() - self.wanted.columns.keys():
            title = f"{self.title}.{name}"
            message = f"The column {title} exists only in the database."
            yield Difference(ids.EXTRA_COLUMN, title, message, (self.live.name, name))
        yield from ConstraintMatcher(self.wanted, self.live, self.normalize).differences()

    def _of_table(self) -> Iterator[Difference]:
        table, live = f"The table {self.title}", self.live
        if live.unlogged:
            yield Difference(ids.PERSISTENCE, self.title, f"{table} is unlogged.")
        yield from self._of_comment(self.title, "table", self.wanted.comment, live.comment)
        if live.lost_identity:
            message = (
                f"{table} has no replica identity: its index was dropped. Where the table is"
                " published, updates and deletes fail."
            )
            yield Difference(ids.REPLICA_IDENTITY, self.title, message)
        yield from _of_settings(table, self.title, live)

    def _of_column(self, title: str, wanted: Column, live: Column) -> Iterator[Difference]:
        kind = wanted.type
        is_key = self.wanted.is_automatic and bool(wanted.identity) and live.type in KEY_TYPES
        number = ids.AUTOMATIC_KEY if is_key else ids.TYPE
        yield from _of_value(number, title, "type", self._type(kind), self._type(live.type))
        if wanted.not_null != live.not_null:
            states = ("allows NULL", "NOT NULL") if wanted.not_null else ("is NOT NULL", "NULL")
            message = f"The column {title} {states[0]}; the migrations say {states[1]}."
            yield Difference(ids.NULLABILITY, title, message)
        default, live_default = self._default(wanted, kind), self._default(live, kind)
        if default is None and live_default is not None:
            message = f"The column {title} has a default only in the database: {live.default}."
            words = (self.live.name, live.name, "default")
            yield Difference(ids.EXTRA_DEFAULT, title, message, words)
        else:
            yield from _of_value(ids.DEFAULT, title, "default", default, live_default)
        generated = (self._generated(wanted, kind), self._generated(live, kind))
        yield from _of_value(ids.GENERATED, title, "generated value", *generated)
        yield from _of_value(ids.IDENTITY, title, "identity", _identity(wanted), _identity(live))
        if wanted.identity and wanted.sequence != live.sequence:
            message = f"The sequence of the column {title} {live.sequence or 'is a plain one'}"
            wanted_sequence = wanted.sequence and f"that it {wanted.sequence}"
            message = f"{message}; the migrations say {wanted_sequence or 'a plain one'}."
            yield Difference(ids.IDENTITY, title, message)
        collations = (_unqualified(wanted.collation), _unqualified(live.collation))
        yield from _of_value(ids.COLLATION, title, "collation", *collations)
        yield from self._of_comment(title, "column", wanted.comment, live.comment)
        yield from _of_settings(f"The column {title}", title, live)

    def _of_comment(self, title: str, kind: str, wanted: str, live: str) -> Iterator[Difference]:
        if live and not wanted:
            message = f"The {kind} {title} has a comment only in the database: {live!r}."
            words = (title.rpartition(".")[2], "comment")
            yield Difference(ids.EXTRA_COMMENT, title, message, words)
        elif wanted != live:
            found = repr(live) if live else "missing"
            message = (
                f"The comment on the {kind} {title} is {found}; the migrations say {wanted!r}."
            )
            yield Difference(ids.COMMENT, title, message)

    def _type(self, kind: str) -> str:
        return self.normalize(_null(kind)).removeprefix("NULL::")

    def _default(self, column: Column, kind: str) -> str | None:
        return None if column.default is None else self.normalize(cast(column.default, kind))

    def _generated(self, column: Column, kind: str) -> str | None:
        if column.generated is None:
            return None
        storage = "virtual" if column.virtual else "stored"
        return f"{self.normalize(cast(column.generated, kind))}, {storage}"

    def expressions(self) -> Iterator[str]:
        """Yield the expressions that are compared."""
        for expected in self.wanted.columns.values():
            for column in (expected, self.live.columns.get(expected.name)):
                if column is not None:
                    yield _null(column.type)
                    for expression in (column.default, column.generated):
                        if expression is not None:
                            yield cast(expression, expected.type)
        wanted, live = self.wanted, self.live
        for item in (*wanted.named, *wanted.unnamed, *live.constraints, *live.indexes):
            yield from item.definition.expressions


def _of_value(
    number: str, title: str, noun: str, wanted: str | None, live: str | None
) -> Iterator[Difference]:
    if wanted != live:
        message = f"The {noun} of the column {title} is {live or 'missing'}"
        yield Difference(number, title, f"{message}; the migrations say {wanted or 'none'}.")


def _of_settings(noun: str, title: str, live: Table | Column) -> Iterator[Difference]:
    """Yield what no model determines, with the words of a statement that sets it."""
    for clause in live.settings:
        words = next(words for verb, words in SETTING_WORDS.items() if clause.startswith(verb))
        words = words or (clause.split(" ", 3)[-1].partition("=")[0],)
        yield Difference(ids.EXTRA_SETTING, title, f"{noun} {clause}.", (live.name, *words))


def _identity(column: Column) -> str:
    return column.identity and f"generated {column.identity}"


def _null(kind: str) -> str:
    return f"NULL::{kind}"


def _unqualified(collation: str | None) -> str | None:
    """Return a collation without its schema, which the catalog has and models do not."""
    return collation and collation.replace('"', "").rpartition(".")[2]
