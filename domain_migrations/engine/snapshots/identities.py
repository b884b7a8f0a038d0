"""Identity columns in the statements of a dump.

``pg_dump`` makes a column an identity in a statement of its own, which Citus does not support in a
distributed schema. In ``CREATE TABLE`` it does, with the same result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..sql.lexer import tokens
from .not_null import elements_of

NAME = r"(?:\"(?:[^\"]|\"\")*\"|[^\s\"])+"
ADD_IDENTITY = re.compile(
    rf"ALTER TABLE (?:ONLY )?({NAME}) ALTER COLUMN ({NAME}) ADD (GENERATED .*);", re.DOTALL
)
CREATE_TABLE = re.compile(rf"CREATE (?:UNLOGGED )?TABLE ({NAME}) \(")


def with_inline_identities(statements: Sequence[str]) -> list[str]:
    """Return the statements, with each identity in the statement that creates its table.

    One of a column that is not in the statement, as if it is inherited, stays where it is.
    """
    written: list[str] = []
    created: dict[str, int] = {}
    for statement in statements:
        table = CREATE_TABLE.match(statement)
        if table:
            created[table[1]] = len(written)
        identity = ADD_IDENTITY.fullmatch(statement)
        place = created.get(identity[1]) if identity else None
        if identity and place is not None:
            with_it = _with_identity(written[place], identity[2], identity[3])
            if with_it is not None:
                written[place] = with_it
                continue
        written.append(statement)
    return written


def _with_identity(statement: str, column: str, identity: str) -> str | None:
    parts = list(tokens(statement))
    opening = next(i for i, part in enumerate(parts) if part.raw == "(")
    elements, _ = elements_of(parts, opening)
    for element in elements:
        own = [part for part in element if not part.is_blank]
        if own and own[0].raw == column:
            end = own[-1].end
            return f"{statement[:end]} {identity}{statement[end:]}"
    return None
