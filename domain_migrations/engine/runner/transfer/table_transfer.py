"""The move of a table to another domain's schema, with all that belongs to it; no row is copied."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from ....backends.postgresql.names import quote
from ....domains import CORE_SCHEMA, Domain, QualifiedName
from ....exceptions import InvalidConfiguration, MigrationFailed
from ...boundary.rule import may_depend_on
from ...catalog.compat_views import drop_statement
from ...history.seed_transfer import transfer_seed_records
from ...messages import shortened
from ...sessions.connection import fetch_all, fetch_one
from ...sessions.roles import domain_role
from ..adoption.adoption_run import FILES, move_statements
from ..adoption.foreign_keys import CrossingKey, crossing_keys
from ..adoption.objects import SELECT_TABLES
from ..adoption.schema_privileges import ON_SCHEMA, ROLES, USES_SCHEMA
from .content_types import rename_statements
from .named_sequences import check_defaults
from .new_crossings import check_crossings, names_in
from .old_names import OldNames
from .revocations import publication_end, remaining_revocations, usage_revocation
from .transferred_objects import Follower, TransferredObjects, find_objects, views_over

OWNERS = """
SELECT c.oid, r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
WHERE c.oid = ANY(%s)
"""

# What publishes a whole schema no longer publishes a table that leaves it.
SCHEMA_PUBLICATIONS = """
SELECT quote_ident(p.pubname) FROM pg_publication p
JOIN pg_publication_namespace s ON s.pnpubid = p.oid
WHERE s.pnnspid = to_regnamespace(quote_ident(%(source)s))
    AND NOT EXISTS (SELECT FROM pg_publication_namespace t
        WHERE t.pnpubid = p.oid AND t.pnnspid = to_regnamespace(quote_ident(%(target)s)))
    AND NOT EXISTS (SELECT FROM pg_publication_rel r
        WHERE r.prpubid = p.oid AND r.prrelid = %(table)s)
ORDER BY 1
"""

KEY_HINT = (
    "Convert it with ConvertToReference, which keeps the column and its data, in a migration on"
    " which one of the pair depends; see docs/how-to/transfer-a-model.md. Nothing was changed."
)


class TransferRecord(NamedTuple):
    """What a transfer has done that its undoing cannot see in the catalog.

    Attributes:
        revocations: the statements that take back what it has granted.
        followers: the types, functions and sequences that moved with the tables.
    """

    revocations: Sequence[str] = ()
    followers: Sequence[Follower] = ()


class NewPrivilege(NamedTuple):
    """Something granted for the tables in their new schema, and its end."""

    statement: str
    revocation: str


@dataclass(frozen=True)
class TableTransfer:
    """Moves the tables of one model from one domain to another.

    Attributes:
        old_app, new_app: the labels of the apps that have the model before and afterwards.
        tables: each table → its name afterwards.
        views_until: the last day of views under the old names; None for no views.
        backwards: whether an earlier transfer is undone.
    """

    source: Domain
    target: Domain
    old_app: str
    new_app: str
    model: str
    tables: Mapping[QualifiedName, QualifiedName]
    views_until: datetime.date | None = None
    backwards: bool = False

    def __str__(self) -> str:
        verb = "return" if self.backwards else "transfer"
        return f"The {verb} of {self.old_app}.{self.model} to {self.target.name}"

    @property
    def old_names(self) -> OldNames:
        """The names that the tables have before the transfer, and after it is undone."""
        if not self.backwards:
            return OldNames(f"{self.old_app}.{self.model}", self.tables, self.views_until)
        tables = {new: old for old, new in self.tables.items()}
        return OldNames(f"{self.new_app}.{self.model}", tables, None)

    def reversed(self) -> TableTransfer:
        """Return the transfer that undoes this one."""
        return replace(
            self,
            source=self.target,
            target=self.source,
            old_app=self.new_app,
            new_app=self.old_app,
            tables={new: old for old, new in self.tables.items()},
            backwards=not self.backwards,
        )

    def run(
        self, schema_editor: BaseDatabaseSchemaEditor, record: TransferRecord | None = None
    ) -> TransferRecord:
        """Move everything, in the transaction that is open; only collect the SQL if asked.

        Arguments:
            record: what the transfer that is undone has left.

        Returns:
            What has to be known to undo it.

        Raises:
            InvalidConfiguration: the boundary would be crossed afterwards, a table is missing, or
                a name is taken.
            MigrationFailed: a table was rewritten.
        """
        connection = schema_editor.connection
        before = record or TransferRecord()
        self._check_names()
        gone = self.old_names.present(connection) if self.backwards else []
        for view in gone:  # Before the tables are locked, as old code locks them after the view.
            schema_editor.execute(drop_statement(view), None)
        if not schema_editor.collect_sql:
            self._lock(schema_editor)
        found = find_objects(
            connection,
            self.tables,
            self.source.schema,
            self.target.schema,
            only=self._may_follow(record),
            free={view.name for view in gone},
        )
        self._check_boundary(connection, found)
        check_defaults(connection, self, found.moved)
        revocations = remaining_revocations(
            connection, before.revocations, self.source.schema, [item.oid for item in found.moved]
        )
        for statement in revocations:
            schema_editor.execute(statement, None)
        files, names = _files(connection, found), names_in(connection, self.source.schema)
        privileges = tuple(self._privileges(connection, found))
        owners = self._new_owners(connection, found)
        for statement in (
            *move_statements(connection, found.moved),
            *_owner_statements(found, owners),
            *(each.statement for each in privileges),
            *self.old_names.statements(connection, found.tables, owners),
            *self.rename_statements(connection),
        ):
            schema_editor.execute(statement, None)
        if not schema_editor.collect_sql and files != _files(connection, found):
            raise MigrationFailed(
                f"{self} has rewritten a table, which it must not do; everything was rolled back.",
                hint="Find the event trigger or extension that rewrites tables, and disable it.",
            )
        if not schema_editor.collect_sql:
            check_crossings(connection, str(self), names)
        return TransferRecord(tuple(each.revocation for each in privileges), found.followers)

    def _may_follow(self, record: TransferRecord | None) -> Collection[Follower] | None:
        """Return the types, functions and sequences that may move with the tables, None for any.

        What a table of core used before it came there stays; another domain had nothing of that.
        """
        if record is None or not (self.backwards and self.source.is_core):
            return None
        return record.followers

    def rename_statements(self, connection: BaseDatabaseWrapper) -> Iterator[str]:
        """Yield the statements that let the content type of the model belong to the other app."""
        schemas = (CORE_SCHEMA, self.source.schema, self.target.schema)
        yield from rename_statements(connection, self.old_app, self.new_app, self.model, schemas)

    def move_seed_records(self, connection: BaseDatabaseWrapper) -> None:
        """Let the ledger of the domain that has the table now have the records of its seeds."""
        apps = self.old_app, self.new_app
        transfer_seed_records(connection, self.source, self.target, self.tables, apps)

    def _check_names(self) -> None:
        """Check that the names in the migrations are in the schemas of the two domains."""
        wrong = [
            table
            for tables, domain in ((self.tables, self.source), (self.tables.values(), self.target))
            for table in tables
            if table.schema != domain.schema
        ]
        if wrong:
            raise InvalidConfiguration(
                f"{self} cannot begin: {shortened(wrong)} is in the schema of neither domain,"
                " where the migration has it.",
                hint=f"Name the tables in {self.source.schema} and in {self.target.schema} under"
                " tables in both migrations. Nothing was changed.",
            )

    def _lock(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        """Acquire the strongest lock on all tables, before they are looked at.

        A child that another schema has stays as it is.
        """
        schema, names = self.source.schema, [table.name for table in self.tables]
        rows = fetch_all(
            schema_editor.connection, SELECT_TABLES, {"schema": schema, "names": names}
        )
        tables = {
            name: f"ONLY {quote(schema)}.{identity}"
            for _, kind, name, identity in rows
            if kind == "TABLE"
        }
        if tables.keys() >= set(names):
            schema_editor.execute(
                f"LOCK TABLE {', '.join(tables.values())} IN ACCESS EXCLUSIVE MODE", None
            )

    def _check_boundary(self, connection: BaseDatabaseWrapper, found: TransferredObjects) -> None:
        """Refuse a transfer after which something would cross the boundary.

        Raises:
            InvalidConfiguration: with the foreign keys, the types and functions, or the views.
        """
        keys = [key for key in crossing_keys(connection, found.tables) if self._is_forbidden(key)]
        if keys:
            raise InvalidConfiguration(
                f"{self} cannot begin: the foreign key {shortened(keys)} would cross the boundary"
                f' of "{self.target.name}".',
                hint=KEY_HINT,
            )
        if found.left and not may_depend_on(self.target, self.source):
            names = [f"{item.kind.lower()} {item.old}" for item in found.left]
            raise InvalidConfiguration(
                f"{self} cannot begin: the tables need the {shortened(names)}, which others use,"
                " too.",
                hint="Give the tables a type or function of their own in a migration before, or"
                " create it in core, which every domain may use. Nothing was changed.",
            )
        if self.target.is_core:
            return
        views = [
            view
            for view in views_over(connection, [item.oid for item in found.tables])
            if view.name.schema != self.target.schema
        ]
        if views:
            drops = "; ".join(f"DROP {view.kind} {view.name.db_table}" for view in views)
            listed = shortened([view.name for view in views])
            raise InvalidConfiguration(
                f"{self} cannot begin: {listed} would read a table of the domain"
                f' "{self.target.name}".',
                hint=f"In a migration before: {drops}. Create it again in"
                f" {self.target.schema} afterwards, if that domain needs it. Nothing was changed.",
            )

    def _is_forbidden(self, key: CrossingKey) -> bool:
        if key.schema == self.target.schema:
            return False
        return not self.target.is_core if key.points_in else key.schema != CORE_SCHEMA

    def _new_owners(
        self, connection: BaseDatabaseWrapper, found: TransferredObjects
    ) -> dict[int, str]:
        """Return the oids of what a domain's role has → the role that gets it."""
        old, new = (domain_role(connection, domain) for domain in (self.source, self.target))
        if old is None and new is None:
            return {}
        (login,) = fetch_one(connection, "SELECT session_user")
        oids = [item.oid for item in found.moved if item.is_relation]
        owners = dict(fetch_all(connection, OWNERS, [oids]))
        changed: dict[int, str] = {}
        for item in found.moved:
            owner = owners.get(item.oid, old)
            wanted = new or (login if owner == old else owner)
            if wanted is not None and wanted != owner:
                changed[item.oid] = wanted
        return changed

    def _privileges(
        self, connection: BaseDatabaseWrapper, found: TransferredObjects
    ) -> Iterator[NewPrivilege]:
        """Yield what keeps the tables as accessible, and as published, as they were."""
        if self.backwards:
            return
        schema = quote(self.target.schema)
        known = {
            role
            for role, privilege in fetch_all(connection, ON_SCHEMA, [self.target.schema])
            if privilege == "USAGE"
        }
        own = {domain_role(connection, domain) for domain in (self.source, self.target)}
        source = {"schema": self.source.schema}
        users = {role for (role,) in fetch_all(connection, USES_SCHEMA, source)}
        oids = [item.oid for item in found.tables]
        for role, is_owner in fetch_all(connection, ROLES, {"oids": oids}):
            could = is_owner or role in users
            if could and "" not in known and role not in known and role not in own:
                grantee = quote(role) if role else "PUBLIC"
                yield NewPrivilege(
                    f"GRANT USAGE ON SCHEMA {schema} TO {grantee}",
                    usage_revocation(self.target.schema, role),
                )
        for item in found.tables:
            params = {
                "source": self.source.schema,
                "target": self.target.schema,
                "table": item.oid,
            }
            for (name,) in fetch_all(connection, SCHEMA_PUBLICATIONS, params):
                yield NewPrivilege(
                    f"ALTER PUBLICATION {name} ADD TABLE ONLY {item.new.db_table}",
                    publication_end(name, item.new),
                )


def _owner_statements(found: TransferredObjects, owners: Mapping[int, str]) -> Iterator[str]:
    """Yield the statements that give tables of a domain's role to the other domain's."""
    for item in found.moved:
        if item.oid in owners:
            name = item.identity if item.old.name == item.new.name else quote(item.new.name)
            owner = quote(owners[item.oid])
            yield f"ALTER {item.kind} {quote(item.new.schema)}.{name} OWNER TO {owner}"


def _files(connection: BaseDatabaseWrapper, found: TransferredObjects) -> list[Any]:
    oids = [item.oid for item in found.tables]
    return fetch_all(connection, FILES, {"oids": oids})
