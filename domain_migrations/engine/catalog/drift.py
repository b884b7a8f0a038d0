"""Drift: how a domain's live schema differs from the state that its migrations describe.

Nothing is written, not even to be rolled back, and no table needs to be readable: expectations
come from Django's schema editor, which is asked and not run. So it works with a read-only role
and on a standby.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from ...domains import Domain
from ..messages import Finding
from . import drift_ids as ids
from .comparison import TableComparison
from .expected import ExpectedTables
from .expressions import ExpressionNormalizer
from .fingerprint import read_objects
from .live_tables import Table, read_tables
from .unmanaged import ReferencedNames, UnmanagedBaseline, UnmanagedObjects

TABLE_KINDS = frozenset({"column", "constraint", "index", "schema", "extension"})
"""Kinds that are compared with the models, or that a schema does not own."""


def find_drift(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    project_state: ProjectState,
    *,
    migrations: Iterable[Migration] | None = None,
    reference: UnmanagedBaseline | None = None,
) -> tuple[Finding, ...]:
    """Return the differences between the live schema and the state, by object.

    Arguments:
        project_state: the state after the domain's applied migrations, with core's.
        migrations: the domain's applied migrations. With them, what no model manages counts as
            unmanaged only if one of them mentions it in SQL or Python of its own, and as drift
            if none does. Without them it always counts as unmanaged.
        reference: what no model manages, as the migrations make it. With it, that is compared:
            what is equal is not returned, and what differs is drift.
    """
    search = DriftDetector(connection, domain, project_state, migrations)
    found = search.run()
    if reference is not None:
        found = reference.compare(domain, found, search.unmanaged)
    return tuple(sorted(found, key=lambda item: (item.object, item.id, item.message)))


def unmanaged_objects(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    project_state: ProjectState,
    migrations: Iterable[Migration],
) -> Mapping[str, str]:
    """Return title → digest of what is there and no model manages.

    Arguments:
        project_state, migrations: as :func:`find_drift` has them.
    """
    search = DriftDetector(connection, domain, project_state, migrations)
    search.run()
    return search.unmanaged.digests()


class DriftDetector:
    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        domain: Domain,
        project_state: ProjectState,
        migrations: Iterable[Migration] | None,
    ) -> None:
        self.connection = connection
        self.domain = domain
        self.state = project_state
        self.mentions = None if migrations is None else ReferencedNames(migrations)
        self.found: list[Finding] = []
        self.declared: set[tuple[str, str]] = set()
        own = [table.name for table in domain.engine_tables]
        self.objects = read_objects(connection, domain.schema, exclude=own)
        self.unmanaged = UnmanagedObjects(self.objects)

    def run(self) -> set[Finding]:
        live, classes = read_tables(self.connection, [self.domain.schema])
        expectations = ExpectedTables(self.connection, classes)
        wanted = expectations.of_domain(self.domain, self.state)
        self.declared = expectations.unmanaged(self.domain, self.state)
        elsewhere = {schema for schema, _ in wanted} - {self.domain.schema}
        if elsewhere:
            live.update(read_tables(self.connection, sorted(elsewhere))[0])
        for place, table in wanted.items():
            found = live.get(place)
            if found is None:
                self._report_drift(
                    ids.MISSING_TABLE,
                    table.title,
                    f"The table {table.title} does not exist.",
                )
            elif found.kind != "table":
                self._report_drift(
                    ids.NOT_A_TABLE,
                    table.title,
                    f"{table.title} is a {found.kind}; the migrations say a table.",
                )
            else:
                types = {name: column.type for name, column in found.columns.items()}
                TableComparison(
                    table,
                    found,
                    ExpressionNormalizer(self.connection, types),
                    differs=self._report_drift,
                    unexpected=self._report_extra,
                ).run()
        own = {tuple(table) for table in self.domain.engine_tables}
        known = wanted.keys() | own
        self._extra_tables(live[place] for place in live.keys() - known)
        self._extra_objects({name for schema, name in known if schema == self.domain.schema})
        return set(self.found)

    def _extra_tables(self, tables: Iterable[Table]) -> None:
        for table in tables:
            if table.kind == "table" and table.schema == self.domain.schema:
                self._report_extra(
                    ids.EXTRA_TABLE,
                    table.title,
                    f"The table {table.title} is in the database only.",
                    (table.name,),
                )

    def _extra_objects(self, known: set[str]) -> None:
        for item in self.objects:
            short = item.name.partition("(")[0].rpartition(".")[2]
            of_another = item.relation is not None and item.relation != short.strip('"')
            if item.kind in TABLE_KINDS or item.kind == "table":
                continue
            if item.relation == short.strip('"') and item.relation in known:
                # Where a table should be: said already.
                continue
            if of_another and (item.relation not in known or item.kind == "sequence"):
                continue
            self._report_extra(
                ids.EXTRA_OBJECT,
                item.name,
                f"The {item.title} is in the database only.",
                (short,),
            )

    def _report_drift(self, number: str, title: str, message: str) -> None:
        self.found.append(
            Finding(number, "drift", self.domain.name, title, message, ids.HINT_REPAIR)
        )

    def _report_extra(self, number: str, title: str, message: str, words: tuple[str, ...]) -> None:
        schema, _, name = title.partition(".")
        if (schema, name) in self.declared or self.mentions is None:
            letter, hint = "U", ids.HINT_UNMANAGED
        elif self.mentions.contains(*words):
            letter, hint = "U", ids.HINT_DECLARED
        else:
            letter, hint = "D", ids.HINT_REMOVE
        finding = Finding(letter + number, "drift", self.domain.name, title, message, hint)
        self.found.append(finding)
        self.unmanaged.add(finding)
