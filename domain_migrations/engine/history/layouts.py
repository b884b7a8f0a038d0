"""The layout of the engine's own tables: its version, and the steps from each to the next.

A table's comment says which layout the table has; without one it has the first. The histories are
left out: they have the columns of Django's own table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from ... import __version__
from ...domains import QualifiedName
from ...exceptions import NewerTables
from ..sessions.connection import execute, fetch_one

Kind = Literal["journal", "seeds", "seed_rows"]

LAYOUT = 1
"""The layout that this version reads and writes."""

UPGRADES: Mapping[int, Mapping[Kind, Sequence[str]]] = {}
"""Layout → the statements that make it of the one before, each with ``{table}``."""

MARK = "domain_migrations layout "
COMMENT = "SELECT obj_description(to_regclass(%s), 'pg_class')"


def layout_of(comment: str | None) -> int:
    """Return the layout that a table's comment names; 1 unless it names one."""
    found = re.match(rf"{MARK}([0-9]{{1,9}})\b", comment or "")
    return int(found[1]) if found else 1


def check_layout(table: QualifiedName, comment: str | None) -> None:
    """Refuse a table that a newer version has made, or has upgraded.

    Raises:
        NewerTables: this version may read it wrongly, and write what the newer one cannot read.
    """
    layout = layout_of(comment)
    if layout > LAYOUT:
        raise NewerTables(
            f"{table} has the layout {layout} of a newer version of domain_migrations; version"
            f" {__version__}, which runs here, knows those up to {LAYOUT}.",
            hint="Install the version with which the database was migrated last; the column"
            " engine_version of the journal has it.",
        )


def ensure_layout(
    connection: BaseDatabaseWrapper, table: QualifiedName, kind: Kind, *, is_new: bool = False
) -> None:
    """Bring a table to this version's layout, in one transaction.

    The caller has the domain's lock, and the table exists.

    Arguments:
        is_new: it was created in this layout, which is left to be noted.

    Raises:
        NewerTables: it has a newer layout.
    """
    if LAYOUT == 1:
        return  # No older layout exists.
    (comment,) = fetch_one(connection, COMMENT, [table.db_table])
    check_layout(table, comment)
    layout = LAYOUT if is_new else layout_of(comment)
    if layout_of(comment) == LAYOUT:
        return
    name = sql.Identifier(*table)
    with transaction.atomic(using=connection.alias):
        for step in range(layout + 1, LAYOUT + 1):
            for statement in UPGRADES[step].get(kind, ()):
                execute(connection, sql.SQL(statement).format(table=name))
        note = sql.SQL("COMMENT ON TABLE {} IS {}").format(name, sql.Literal(f"{MARK}{LAYOUT}"))
        execute(connection, note)
