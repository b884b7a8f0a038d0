"""The statements of a migration that grant privileges, and that take them back.

Roles are the server's: another server may lack some of them. So what a role is granted is granted
only where it exists, and the rest of the migration does not depend on it. PUBLIC exists everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from ...backends.postgresql.names import quote
from ...engine.sql.literals import quote_literal
from .schema_grants import Privilege
from .statement_groups import StatementGroup


def privilege_groups(privileges: Iterable[Privilege]) -> Iterator[StatementGroup]:
    """Yield the statements, one group for PUBLIC and one for each role."""
    for role, found in groupby(privileges, key=lambda item: item.role):
        items = list(found)
        forwards = _where_roles_exist(role, [(item.by, item.statement) for item in items])
        undone = [(item.by, item.undo) for item in reversed(items) if item.outlives]
        yield StatementGroup("", list(forwards), list(_where_roles_exist(role, undone)))


def privilege_changes(before: Iterable[Privilege], after: Iterable[Privilege]) -> list[str]:
    """Return the statements that turn the privileges on the same objects into others.

    What is revoked on a table is revoked on its columns, too, where it may have been granted.
    """
    old, new = set(before), set(after)
    about = {(item.role, item.on) for item in old - new}
    again = {item for item in new if (item.role, item.on) in about}
    revoked = [(item.role, item.by, item.undo) for item in sorted(old - new)]
    granted = [(item.role, item.by, item.statement) for item in sorted((new - old) | again)]
    return [
        statement
        for changes in (revoked, granted)
        for role, found in groupby(changes, key=lambda change: change[0])
        for statement in _where_roles_exist(role, [change[1:] for change in found])
    ]


def _where_roles_exist(role: str, statements: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the statements in blocks that do nothing where a role is missing.

    Arguments:
        statements: each with the role whose default privileges it changes, or "".
    """
    for by, found in groupby(statements, key=lambda item: item[0]):
        texts = [text for _, text in found]
        needed = []
        if role:
            needed.append(f"to_regrole({quote_literal(quote(role))}) IS NOT NULL")
        if by:
            # Only a member of a role may change its default privileges.
            needed.append(f"pg_has_role(to_regrole({quote_literal(by)}), 'MEMBER')")
        if not needed:
            yield from texts
            continue
        body = "".join(f"        {text}\n" for text in texts)
        condition = " AND ".join(needed)
        tag = "$grants$" if "$grants$" not in body else "$privileges$"
        yield (f"DO {tag}\nBEGIN\n    IF {condition} THEN\n{body}    END IF;\nEND\n{tag};")
