"""The description of a migration tool whose history can be brought into a journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import LiteralString


@dataclass(frozen=True, kw_only=True)
class HistoryTool:
    """A migration tool and the table in which it keeps its history.

    The texts that read a row are SQL expressions over the columns of the table. They have to be
    immutable: nothing in them may depend on the session's time zone or search path.

    Attributes:
        key: the tool's name on the command line and in declarations.
        title: its name in sentences.
        table: the table's usual name; any other can be named.
        columns: the columns by which it is recognised, and without which it is not read.
        has_other_columns: whether the tool's table may have more; other tools' tables do.
        schema: where the tool always has its table; "" where the application decides.
        companions: further tables of the tool → their columns; ``{table}`` is the history's name.
        rows: what is read, as a FROM item; ``{table}`` is the history, qualified and quoted.
        order: what the rows are ordered by: the order in which the tool ran them.
        identity: what tells a row from all others as long as it exists.
        name: the migration's name as the tool has it.
        time: when it was run. A ``timestamptz`` is exact; a ``timestamp`` is a local time, which
            has no meaning until somebody names its zone; "" if the tool does not record it. The
            type is taken from the database: an altered column is not misread.
        utc_offset: how far the local time is from UTC, as an interval; "" or NULL where the table
            does not tell.
        group: what the rows of several applications in one table differ by; "" if nothing.
        batch: the number of the tool's own batch; "" if it has none.
        left_out: why a row is not an applied migration, in a few words (``it failed``); NULL or ''
            if it is one.
        details: anything else worth keeping, as jsonb.
        unknown: what the table does not tell, a sentence each; shown to people.
    """

    key: str
    title: str
    table: str
    columns: Collection[str]
    has_other_columns: bool = True
    schema: str = ""
    companions: Mapping[str, Collection[str]] = field(default_factory=dict)
    rows: LiteralString = "{table}"
    order: LiteralString
    identity: LiteralString
    name: LiteralString
    time: LiteralString = ""
    utc_offset: LiteralString = ""
    group: LiteralString = ""
    batch: LiteralString = ""
    left_out: LiteralString = ""
    details: LiteralString = ""
    unknown: tuple[str, ...] = ()

    def tables(self, name: str = "") -> dict[str, Collection[str]]:
        """Return the tool's tables → the columns by which each is recognised.

        Arguments:
            name: of the history, if it is not the usual one.
        """
        table = name or self.table
        others = {other.format(table=table): names for other, names in self.companions.items()}
        return {table: self.columns, **others}
