"""One table compared with what its model wants."""

from __future__ import annotations

from collections.abc import Iterator

from . import findings
from .canonical import Canonical, cast
from .expected import ExpectedTable
from .live import Column, Table
from .pairing import ConstraintPairing, Report


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
        canonical: Canonical,
        *,
        differs: Report,
        unexpected: Report,
    ) -> None:
        self.wanted, self.live, self.canonical = wanted, live, canonical
        self.differs, self.unexpected = differs, unexpected
        self.title = wanted.title

    def run(self) -> None:
        self.canonical.learn(self._expressions())
        self._table()
        for name, column in self.wanted.columns.items():
            if name in self.live.columns:
                self._column(column, self.live.columns[name])
            else:
                self.differs(
                    findings.MISSING_COLUMN,
                    f"{self.title}.{name}",
                    f"The column {self.title}.{name} does not exist.",
                )
        for name in self.live.columns.keys() - self.wanted.columns.keys():
            self.unexpected(
                findings.EXTRA_COLUMN,
                f"{self.title}.{name}",
                f"The column {self.title}.{name} is in the database only.",
                (self.live.name, name),
            )
        ConstraintPairing(
            self.wanted,
            self.live,
            self.canonical,
            differs=self.differs,
            unexpected=self.unexpected,
        ).run()

    def _table(self) -> None:
        if self.live.unlogged:
            self.differs(findings.PERSISTENCE, self.title, f"The table {self.title} is unlogged.")
        self._comment(self.title, f"table {self.title}", self.wanted.comment, self.live.comment)
        if self.live.row_security:
            self.unexpected(
                findings.EXTRA_SETTING,
                self.title,
                f"The table {self.title} has row security.",
                (self.live.name, "row", "security"),
            )
        if self.live.options:
            self.unexpected(
                findings.EXTRA_SETTING,
                self.title,
                f"The table {self.title} is stored with {self.live.options}.",
                (self.live.name, self.live.options.partition("=")[0]),
            )

    def _column(self, wanted: Column, live: Column) -> None:
        title = f"{self.title}.{live.name}"
        self._value(
            findings.TYPE,
            title,
            f"The type of the column {title}",
            self._type(wanted.type),
            self._type(live.type),
        )
        if wanted.not_null != live.not_null:
            words = ("allows NULL", "NOT NULL") if wanted.not_null else ("is NOT NULL", "NULL")
            self.differs(
                findings.NULLABILITY,
                title,
                f"The column {title} {words[0]}; the migrations say {words[1]}.",
            )
        default, live_default = self._default(wanted, wanted.type), self._default(live, wanted.type)
        if default is None and live_default is not None:
            self.unexpected(
                findings.EXTRA_DEFAULT,
                title,
                f"The column {title} has a default in the database only: {live.default}.",
                (self.live.name, live.name, "default"),
            )
        else:
            self._value(
                findings.DEFAULT, title, f"The default of the column {title}", default, live_default
            )
        self._value(
            findings.GENERATED,
            title,
            f"The generated value of the column {title}",
            self._generated(wanted, wanted.type),
            self._generated(live, wanted.type),
        )
        self._value(
            findings.IDENTITY,
            title,
            f"The identity of the column {title}",
            wanted.identity and f"generated {wanted.identity}",
            live.identity and f"generated {live.identity}",
        )
        if wanted.identity and live.sequence:
            self.differs(
                findings.IDENTITY,
                title,
                f"The sequence of the column {title} {live.sequence}; the migrations say a plain"
                " one.",
            )
        self._value(
            findings.COLLATION,
            title,
            f"The collation of the column {title}",
            _bare_collation(wanted.collation),
            _bare_collation(live.collation),
        )
        self._comment(title, f"column {title}", wanted.comment, live.comment)

    def _comment(self, title: str, what: str, wanted: str, live: str) -> None:
        if live and not wanted:
            self.unexpected(
                findings.EXTRA_COMMENT,
                title,
                f"The {what} has a comment in the database only: {live!r}.",
                (title.rpartition(".")[2], "comment"),
            )
        else:
            self._value(
                findings.COMMENT,
                title,
                f"The comment on the {what}",
                repr(wanted) if wanted else None,
                repr(live) if live else None,
            )

    def _value(
        self, number: str, title: str, what: str, wanted: str | None, live: str | None
    ) -> None:
        if wanted != live:
            self.differs(
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
