"""Names of tables as Django spells them, with or without a schema.

Django does not support schemas; ``db_table = '"inventory"."drugs"'`` works because Django does
not quote a quoted name again. The name of an automatic many-to-many table is derived without the
outer quotes: ``inventory"."drugs_tags``. The parser accepts both, and interprets them as
``connection.ops.quote_name()`` does.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_NAME_BYTES = 63
"""PostgreSQL truncates longer identifiers after the last complete character."""

_QUOTED = r'"((?:[^"]|"")+)"'
_SPELLING = re.compile(rf"(?:{_QUOTED}\.)?{_QUOTED}", re.DOTALL)


class TableName(NamedTuple):
    """The parts of a table's name, unquoted and unescaped as in the catalog."""

    schema: str | None
    name: str


def parse_table_name(db_table: str) -> TableName:
    """Return the parts of ``"s"."t"``, ``s"."t``, ``"t"`` or ``t``; ``""`` is a quote in a name.

    Raises:
        ValueError: the name would not be a valid identifier in SQL.
    """
    if '"' not in db_table and db_table:
        return TableName(None, db_table)
    quoted = db_table.startswith('"') and db_table.endswith('"')
    match = _SPELLING.fullmatch(db_table if quoted else f'"{db_table}"')
    if match is None:
        raise ValueError(
            f'{db_table!r} is not a table\'s name: write "schema"."table" with both parts in'
            " double quotes, or the table alone without any."
        )
    schema, name = match.groups()
    return TableName(schema and schema.replace('""', '"'), name.replace('""', '"'))


def format_table_name(schema: str | None, name: str) -> str:
    """Return ``"schema"."name"``, or the plain name if there is no schema.

    A plain name that contains a quote is quoted, so that it is not taken for a qualified one.
    """
    if schema is None:
        return quote(name) if '"' in name else name
    return f"{quote(schema)}.{quote(name)}"


def quote(name: str) -> str:
    """Return the name as an identifier in SQL."""
    return '"{}"'.format(name.replace('"', '""'))


def truncate(name: str, room: int = 0) -> str:
    """Return the name as PostgreSQL truncates it, leaving room for some more bytes."""
    return name.encode()[: MAX_NAME_BYTES - room].decode(errors="ignore")
