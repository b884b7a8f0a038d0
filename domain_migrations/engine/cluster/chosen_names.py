"""The names that PostgreSQL gives to constraints which have none.

They mirror ``makeObjectName`` and ``ChooseConstraintName`` of PostgreSQL, so that a constraint
which is named here has the same name as on a server without Citus.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass

LONGEST_NAME = 63
"""In bytes; ``NAMEDATALEN - 1``."""


@dataclass(frozen=True)
class TakenNames:
    """What a schema and a table of it have already.

    Attributes:
        relations: the names of the schema's tables, indexes and so on.
        constraints: the names of the constraints in the schema.
        columns: the columns of the table.
    """

    relations: Collection[str] = ()
    constraints: Collection[str] = ()
    columns: Collection[str] = ()


def chosen_name(table: str, columns: str, label: str, taken: Collection[str]) -> str:
    """Return the first name of the form ``table_columns_label`` that is not taken.

    Arguments:
        columns: the columns' names, joined; empty for none.
        label: ``check``, ``key``, ``fkey``, ``pkey`` or ``excl``.
    """
    for number in itertools.count():
        name = object_name(table, columns, f"{label}{number or ''}")
        if name not in taken:
            break
    return name


def object_name(table: str, columns: str, label: str) -> str:
    """Return the parts joined; the longer of the first two is shortened until the name fits."""
    first, second = table.encode(), columns.encode()
    left = LONGEST_NAME - len(label.encode()) - 1 - (1 if columns else 0)
    one, two = len(first), len(second)
    while one + two > left:
        if one > two:
            one -= 1
        else:
            two -= 1
    parts = first[:one].decode(errors="ignore"), second[:two].decode(errors="ignore"), label
    return "_".join(part for part in parts if part)
