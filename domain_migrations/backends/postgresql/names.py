"""What a table's name in Django says: a schema and a name, or a name alone.

Django has no word for a schema; ``db_table = '"inventory"."drugs"'`` works because a name that
is quoted already is not quoted again. The name of an automatic many-to-many table is derived
from that without its outer quotes: ``inventory"."drugs_tags``. Both mean what
``connection.ops.quote_name()`` makes of them, and that is what is parsed here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer identifiers, at the last whole character."""

_QUOTED = r'"((?:[^"]|"")+)"'
_SPELLING = re.compile(rf"(?:{_QUOTED}\.)?{_QUOTED}", re.DOTALL)


class TableName(NamedTuple):
    """The parts of a table's name as the catalog has them: nothing escaped, nothing quoted."""

    schema: str | None
    name: str


def parse_table_name(db_table: str) -> TableName:
    """Return the parts of ``"s"."t"``, ``s"."t``, ``"t"`` or ``t``; ``""`` is a quote in a name.

    Raises ValueError for what would not be an identifier in SQL either.
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
    """Return ``"schema"."name"``, or the plain name when there is no schema.

    A plain name that holds a quote is quoted too, or it would be taken for something else.
    """
    if schema is None:
        return quote(name) if '"' in name else name
    return f"{quote(schema)}.{quote(name)}"


def quote(name: str) -> str:
    """Return the name as an identifier in SQL."""
    return '"{}"'.format(name.replace('"', '""'))


def truncate(name: str, room: int = 0) -> str:
    """Return as much of the name as PostgreSQL keeps, less room for some more bytes."""
    return name.encode()[: MAX_NAME_BYTES - room].decode(errors="ignore")
