"""One table compared with what its model wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from . import drift_ids as ids
from .expected import ExpectedTable
from .expressions import ExpressionNormalizer, cast
from .live_tables import Column, IndexOrConstraint, Table

Report = Callable[..., None]
"""Called with an id, the object, a message and, for what only the database has, the words that
a migration which makes it by itself would mention."""


class ConstraintMatcher:
    """Pairs the constraints and indexes of a table, and reports what has no equal partner.

    What a model names is looked for by name. What Django names is looked for by definition,
    because a name outlives the renaming of its table and columns.
    """

    def __init__(
        self,
        wanted: ExpectedTable,
        live: Table,
        canonical: ExpressionNormalizer,
        *,
        differs: Report,
        unexpected: Report,
    ) -> None:
        self.wanted, self.live, self.canonical = wanted, live, canonical
        self.on_drift, self.on_extra = differs, unexpected
        self.unmatched = [self._rewritten(item) for item in (*live.constraints, *live.indexes)]

    def run(self) -> None:
        named = [self._rewritten(item) for item in self.wanted.named]
        lost = [item for item in named if not self._pair_by_name(item)]
        unnamed = [self._rewritten(item) for item in self.wanted.unnamed]
        vague = [item for item in unnamed if not self._claim(self._equal(item))]
        for item in lost:
            self._pair_renamed(item)
        for item in vague:
            self._pair_similar(item)
        for item in self.unmatched:
            self._extra(item)

    def _pair_by_name(self, wanted: IndexOrConstraint) -> bool:
        live = self._claim(
            next((item for item in self.unmatched if item.name == wanted.name), None)
        )
        if live is not None:
            self._differing(wanted, live)
        return live is not None

    def _pair_renamed(self, wanted: IndexOrConstraint) -> None:
        live = self._claim(next((item for item in self.unmatched if _same(wanted, item)), None))
        if live is None:
            self._missing(wanted)
        else:
            self.on_drift(
                ids.RENAMED,
                self._title(wanted),
                f"The {_noun(wanted)} {self._title(wanted)} is named {live.name} in the database.",
            )

    def _pair_similar(self, wanted: IndexOrConstraint) -> None:
        """Report an unnamed one that has no equal: changed if one is alike, else missing."""
        live = self._claim(
            next(
                (
                    item
                    for item in self.unmatched
                    if item.name == wanted.name
                    or (
                        wanted.definition.head == item.definition.head == "FOREIGN KEY"
                        and wanted.definition.keys == item.definition.keys
                    )
                ),
                None,
            )
        )
        if live is None:
            self._missing(wanted)
        else:
            self._differing(wanted, live)

    def _equal(self, wanted: IndexOrConstraint) -> IndexOrConstraint | None:
        equals = [item for item in self.unmatched if _same(wanted, item)]
        equals.sort(key=lambda item: item.name != wanted.name)
        return equals[0] if equals else None

    def _claim(self, live: IndexOrConstraint | None) -> IndexOrConstraint | None:
        if live is not None:
            self.unmatched.remove(live)
            if not live.enforced:
                self.on_drift(
                    ids.NOT_ENFORCED,
                    self._title(live),
                    f"The {_noun(live)} {self._title(live)} is not enforced: its triggers are"
                    " disabled.",
                )
        return live

    def _rewritten(self, item: IndexOrConstraint) -> IndexOrConstraint:
        return replace(item, definition=item.definition.rewritten(self.canonical))

    def _differing(self, wanted: IndexOrConstraint, live: IndexOrConstraint) -> None:
        if wanted.definition != live.definition:
            self.on_drift(
                ids.INDEX if "INDEX" in wanted.definition.head else ids.CONSTRAINT,
                self._title(live),
                f"The {_noun(live)} {self._title(live)} is {live.definition}; the migrations say"
                f" {wanted.definition}.",
            )

    def _missing(self, wanted: IndexOrConstraint) -> None:
        is_index = "INDEX" in wanted.definition.head
        self.on_drift(
            ids.MISSING_INDEX if is_index else ids.MISSING_CONSTRAINT,
            self._title(wanted),
            f"The {_noun(wanted)} {self._title(wanted)} does not exist: {wanted.definition}.",
        )

    def _extra(self, live: IndexOrConstraint) -> None:
        is_index = "INDEX" in live.definition.head
        self.on_extra(
            ids.EXTRA_INDEX if is_index else ids.EXTRA_CONSTRAINT,
            self._title(live),
            f"The {_noun(live)} {self._title(live)} is in the database only: {live.definition}.",
            (live.name,),
        )

    def _title(self, item: IndexOrConstraint) -> str:
        is_index = "INDEX" in item.definition.head
        return f"{self.live.schema if is_index else self.live.title}.{item.name}"


def _same(wanted: IndexOrConstraint, live: IndexOrConstraint) -> bool:
    """Whether they do the same; a plain unique index does what an unnamed UNIQUE asks for."""
    if wanted.definition == live.definition:
        return True
    return wanted.definition.head == "UNIQUE" and (
        replace(live.definition, head="UNIQUE") == wanted.definition
        and live.definition.head == "UNIQUE INDEX"
    )


def _noun(item: IndexOrConstraint) -> str:
    return "index" if "INDEX" in item.definition.head else "constraint"


class TableComparison:
    """Finds how a live table differs from the expected one.

    Arguments:
        differs: called with id, object and message for drift.
        unexpected: called with number, object, message and the words that a migration which makes
            it by itself would mention, for what only the database has.
    """

    def __init__(
        self,
        wanted: ExpectedTable,
        live: Table,
        canonical: ExpressionNormalizer,
        *,
        differs: Report,
        unexpected: Report,
    ) -> None:
        self.wanted, self.live, self.canonical = wanted, live, canonical
        self.on_drift, self.on_extra = differs, unexpected
        self.title = wanted.title

    def run(self) -> None:
        self.canonical.prepare(self._expressions())
        self._table()
        for name, column in self.wanted.columns.items():
            if name in self.live.columns:
                self._column(column, self.live.columns[name])
            else:
                self.on_drift(
                    ids.MISSING_COLUMN,
                    f"{self.title}.{name}",
                    f"The column {self.title}.{name} does not exist.",
                )
        for name in self.live.columns.keys() - self.wanted.columns.keys():
            self.on_extra(
                ids.EXTRA_COLUMN,
                f"{self.title}.{name}",
                f"The column {self.title}.{name} is in the database only.",
                (self.live.name, name),
            )
        ConstraintMatcher(
            self.wanted,
            self.live,
            self.canonical,
            differs=self.on_drift,
            unexpected=self.on_extra,
        ).run()

    def _table(self) -> None:
        if self.live.unlogged:
            self.on_drift(ids.PERSISTENCE, self.title, f"The table {self.title} is unlogged.")
        self._comment(self.title, f"table {self.title}", self.wanted.comment, self.live.comment)
        if self.live.row_security:
            self.on_extra(
                ids.EXTRA_SETTING,
                self.title,
                f"The table {self.title} has row security.",
                (self.live.name, "row", "security"),
            )
        if self.live.options:
            self.on_extra(
                ids.EXTRA_SETTING,
                self.title,
                f"The table {self.title} is stored with {self.live.options}.",
                (self.live.name, self.live.options.partition("=")[0]),
            )

    def _column(self, wanted: Column, live: Column) -> None:
        title = f"{self.title}.{live.name}"
        self._compare_value(
            ids.TYPE,
            title,
            f"The type of the column {title}",
            self._type(wanted.type),
            self._type(live.type),
        )
        if wanted.not_null != live.not_null:
            words = ("allows NULL", "NOT NULL") if wanted.not_null else ("is NOT NULL", "NULL")
            self.on_drift(
                ids.NULLABILITY,
                title,
                f"The column {title} {words[0]}; the migrations say {words[1]}.",
            )
        default, live_default = self._default(wanted, wanted.type), self._default(live, wanted.type)
        if default is None and live_default is not None:
            self.on_extra(
                ids.EXTRA_DEFAULT,
                title,
                f"The column {title} has a default in the database only: {live.default}.",
                (self.live.name, live.name, "default"),
            )
        else:
            self._compare_value(
                ids.DEFAULT, title, f"The default of the column {title}", default, live_default
            )
        self._compare_value(
            ids.GENERATED,
            title,
            f"The generated value of the column {title}",
            self._generated(wanted, wanted.type),
            self._generated(live, wanted.type),
        )
        self._compare_value(
            ids.IDENTITY,
            title,
            f"The identity of the column {title}",
            wanted.identity and f"generated {wanted.identity}",
            live.identity and f"generated {live.identity}",
        )
        if wanted.identity and live.sequence:
            self.on_drift(
                ids.IDENTITY,
                title,
                f"The sequence of the column {title} {live.sequence}; the migrations say a plain"
                " one.",
            )
        self._compare_value(
            ids.COLLATION,
            title,
            f"The collation of the column {title}",
            _bare_collation(wanted.collation),
            _bare_collation(live.collation),
        )
        self._comment(title, f"column {title}", wanted.comment, live.comment)

    def _comment(self, title: str, what: str, wanted: str, live: str) -> None:
        if live and not wanted:
            self.on_extra(
                ids.EXTRA_COMMENT,
                title,
                f"The {what} has a comment in the database only: {live!r}.",
                (title.rpartition(".")[2], "comment"),
            )
        else:
            self._compare_value(
                ids.COMMENT,
                title,
                f"The comment on the {what}",
                repr(wanted) if wanted else None,
                repr(live) if live else None,
            )

    def _compare_value(
        self, number: str, title: str, what: str, wanted: str | None, live: str | None
    ) -> None:
        if wanted != live:
            self.on_drift(
                number,
                title,
                f"{what} is {live or 'missing'}; the migrations say {wanted or 'none'}.",
            )

    def _type(self, kind: str) -> str:
        return self.canonical(_null(kind)).removeprefix("NULL::")

    def _default(self, column: Column, kind: str) -> str | None:
        return None if column.default is None else self.canonical(cast(column.default, kind))

    def _generated(self, column: Column, kind: str) -> str | None:
        if column.generated is None:
            return None
        how = "virtual" if column.virtual else "stored"
        return f"{self.canonical(cast(column.generated, kind))}, {how}"

    def _expressions(self) -> Iterator[str]:
        for wanted in self.wanted.columns.values():
            for column in (wanted, self.live.columns.get(wanted.name)):
                if column is not None:
                    yield _null(column.type)
                    for expression in (column.default, column.generated):
                        if expression is not None:
                            yield cast(expression, wanted.type)
        for item in (
            *self.wanted.named,
            *self.wanted.unnamed,
            *self.live.constraints,
            *self.live.indexes,
        ):
            yield from item.definition.expressions


def _null(kind: str) -> str:
    return f"NULL::{kind}"


def _bare_collation(name: str | None) -> str | None:
    """A collation is named without its schema in models, with it in the catalog."""
    return name and name.replace('"', "").rpartition(".")[2]
