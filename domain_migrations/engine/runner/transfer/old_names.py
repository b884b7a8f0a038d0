"""Views that a transfer leaves under the old names of its tables, for older code."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

from ....backends.postgresql.names import quote
from ....domains import QualifiedName
from ...catalog.compat_views import (
    CompatView,
    comment_statement,
    is_past,
    read_compat_views,
)
from ...sessions.connection import fetch_all
from ..adoption.objects import MovedObject
from ..adoption.view_statements import view_statements

# Without the privilege to create something in the schema, nobody can be given a view there.
SELECT_TABLES = """
SELECT c.oid, r.rolname, c.relrowsecurity, w.rolname, w.rolname = current_user,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        OR has_schema_privilege(w.oid, c.relnamespace, 'CREATE')
FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
JOIN unnest(%(oids)s::oid[], %(owners)s::text[]) AS n (oid, name) ON n.oid = c.oid
JOIN pg_roles w ON w.rolname = coalesce(n.name, r.rolname)
"""


@dataclass(frozen=True)
class OldNames:
    """The views under the old names of transferred tables.

    A view belongs to the owner of its table, whose privileges it passes on to those who may use it,
    and not to the domain that has the name: so nobody needs privileges in the schema where the
    table is, and there are none to take back when the view goes. Where the table has row security,
    the view runs with the privileges of whoever uses it, because it would bypass the policies.

    Attributes:
        model: the label of the model before the transfer.
        tables: each old name → the new one.
        until: the last day of the views; None for no views.
    """

    model: str
    tables: Mapping[QualifiedName, QualifiedName]
    until: datetime.date | None

    @property
    def is_late(self) -> bool:
        """Whether there are no views because their last day is over."""
        return self.until is not None and is_past(self.until)

    def present(self, connection: BaseDatabaseWrapper) -> list[CompatView]:
        """Return the views that an earlier run has left."""
        schemas = {table.schema for table in self.tables}
        return [
            view
            for schema in sorted(schemas)
            for view in read_compat_views(connection, within=schema)
            if view.name in self.tables
        ]

    def statements(
        self,
        connection: BaseDatabaseWrapper,
        tables: list[MovedObject],
        new_owners: Mapping[int, str],
    ) -> Iterator[str]:
        """Yield the statements that create the views, once the tables have moved.

        Arguments:
            tables: what moves, which is still where it was.
            new_owners: the oid of each table that gets another owner → the owner.
        """
        if self.until is None or self.is_late:
            return
        replaced = {item.oid: item for item in tables if item.old in self.tables}
        params = {"oids": list(replaced), "owners": [new_owners.get(oid) for oid in replaced]}
        for oid, before, has_policies, owner, is_login, may_own in fetch_all(
            connection, SELECT_TABLES, params
        ):
            item = replaced[oid]
            yield from view_statements(
                connection, oid, item.old, item.new, security_invoker=has_policies
            )
            yield comment_statement(item.old, item.new, self.until, self.model)
            if before != owner:
                yield (
                    f"GRANT SELECT, INSERT, UPDATE, DELETE ON {item.old.db_table}"
                    f" TO {quote(before)}"
                )
            if may_own and not is_login:
                yield f"ALTER VIEW {item.old.db_table} OWNER TO {quote(owner)}"
