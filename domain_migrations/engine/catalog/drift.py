"""Drift: differences between a domain's live schema and the state of its migrations.

Nothing is written, not even to be rolled back, and no table needs to be readable: expectations
come from the SQL of Django's schema editor, which is not executed. So it works with a read-only
role and on a standby.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from ...domains import Domain, QualifiedName
from ..messages import Finding
from . import drift_ids as ids
from .comparison import Difference, TableComparison
from .compat_views import compat_view_names
from .expected import ExpectedTable, ExpectedTables
from .expressions import ExpressionNormalizer, prepare_all
from .fingerprint import CatalogObject, read_objects
from .live_tables import Table, read_tables
from .other_tools.tools import describe_history, history_of
from .unmanaged import CreatedObjects, ReferencedNames, UnmanagedBaseline, UnmanagedObjects

TABLE_KINDS = frozenset({"column", "constraint", "index", "schema", "extension"})
"""Kinds that are compared with the models, or that do not belong to a schema."""
FIRING_KINDS = frozenset({"trigger", "rule"})
DISABLED = frozenset({"disabled", "on replica only"})
AT_ONCE = 50
"""The number of tables whose expressions are planned with one message."""
DISABLED_TRIGGERS = frozenset(f"triggers {state}" for state in DISABLED)


def find_drift(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    project_state: ProjectState,
    *,
    migrations: Iterable[Migration] | None = None,
    reference: UnmanagedBaseline | None = None,
    created: Collection[str] = (),
    histories: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Return the differences between the live schema and the state, by object.

    Arguments:
        project_state: the state after the domain's applied migrations, with core's.
        migrations: the domain's applied migrations. With them, an object without a model counts
            as unmanaged only if one of them names it in custom SQL or Python, and as drift
            otherwise. Without them it always counts as unmanaged.
        reference: the objects without a model as the migrations make them. With it, equal objects
            are left out, and objects that differ are drift.
        created: what migrations created according to the journal, as
            ``journal_queries.created_objects`` has it. It counts as unmanaged.
        histories: tables of the schema that are known to be another tool's → the tool.
    """
    search = DriftDetector(connection, domain, project_state, migrations, created, histories)
    found = search.run()
    if reference is not None:
        found = reference.compare(domain, found, search.unmanaged)
    return tuple(sorted(found, key=lambda item: (item.object, item.id, item.message)))


def unmanaged_objects(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    project_state: ProjectState,
    migrations: Iterable[Migration],
    created: Collection[str] = (),
) -> Mapping[str, str]:
    """Return title → digest of the objects that no model manages.

    Arguments:
        project_state, migrations, created: as for :func:`find_drift`.
    """
    search = DriftDetector(connection, domain, project_state, migrations, created)
    search.run()
    return search.unmanaged.digests()


class DriftDetector:
    """A search for drift in one schema, which collects findings and unmanaged objects."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        domain: Domain,
        project_state: ProjectState,
        migrations: Iterable[Migration] | None,
        created: Collection[str] = (),
        histories: Mapping[str, str] | None = None,
    ) -> None:
        self.connection = connection
        self.histories = histories or {}
        self.domain = domain
        self.state = project_state
        self.names_in_sql = None if migrations is None else ReferencedNames(migrations)
        self.found: list[Finding] = []
        self.without_migrations: set[QualifiedName] = set()
        own = [table.name for table in domain.engine_tables]
        own += compat_view_names(connection, domain.schema)
        self.objects = read_objects(connection, domain.schema, exclude=own)
        self.unmanaged = UnmanagedObjects(self.objects)
        self.created = CreatedObjects(created, self.objects)

    def run(self) -> set[Finding]:
        live, classes = read_tables(self.connection, [self.domain.schema])
        expectations = ExpectedTables(self.connection, classes)
        wanted = expectations.models_of(self.domain, self.state)
        self.without_migrations = expectations.unmanaged(self.domain, self.state)
        elsewhere = {name.schema for name in wanted} - {self.domain.schema}
        if elsewhere:
            live.update(read_tables(self.connection, sorted(elsewhere))[0])
        names = list(wanted)
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            expected = [expectations.expected_table(wanted[name]) for name in part]
            self._compare(list(zip(expected, map(live.get, part), strict=True)))
        known = {*wanted, *self.domain.engine_tables}
        self._report_tables(live[name] for name in live.keys() - known)
        self._report_objects({name.name for name in known if name.schema == self.domain.schema})
        return set(self.found)

    def _compare(self, tables: Sequence[tuple[ExpectedTable, Table | None]]) -> None:
        """Compare tables whose expressions are planned together."""
        comparisons: list[TableComparison | None] = []
        for wanted, live in tables:
            if live is None or live.kind != "table":
                comparisons.append(None)
                continue
            types = {name: column.type for name, column in live.columns.items()}
            normalize = ExpressionNormalizer(self.connection, types)
            comparisons.append(TableComparison(wanted, live, normalize))
        prepare_all((each.normalize, each.expressions()) for each in comparisons if each)
        for (wanted, live), comparison in zip(tables, comparisons, strict=True):
            missing = self._without_table(wanted, live)
            for difference in comparison.differences() if comparison else missing:
                self._report(difference)

    def _without_table(self, wanted: ExpectedTable, live: Table | None) -> Iterator[Difference]:
        title = wanted.title
        if live is None:
            message = f"The table {title} does not exist."
            yield Difference(ids.MISSING_TABLE, title, message)
            return
        message = f"{title} is a {live.kind}; the migrations say a table."
        yield Difference(ids.NOT_A_TABLE, title, message)

    def _report_tables(self, tables: Iterable[Table]) -> None:
        for table in tables:
            if table.kind == "table" and table.schema == self.domain.schema:
                self._report_table(table)

    def _report_table(self, table: Table) -> None:
        tool = self.histories.get(table.name) or history_of(table.name, table.columns)
        if tool is None:
            message = f"The table {table.title} exists only in the database."
            self._report(Difference(ids.EXTRA_TABLE, table.title, message, (table.name,)))
        else:
            message, hint = describe_history(table.title, tool)
            if table.name in self.histories:  # No migration makes it.
                self._add("U" + ids.EXTRA_TABLE, table.title, message, hint)
            else:
                self.unmanaged.add(self._add("D" + ids.EXTRA_TABLE, table.title, message, hint))

    def _report_objects(self, known: set[str]) -> None:
        """Report objects of other kinds, unless a finding about their relation covers them."""
        for item in self.objects:
            name = item.name.partition("(")[0].rpartition(".")[2]
            if item.kind == "constraint" and item.relation not in known:
                self._report_unenforced(item)
            if item.kind in TABLE_KINDS or item.kind == "table":
                continue
            if item.kind in FIRING_KINDS:
                self._report_disabled(item)
            if item.relation == name.strip('"'):
                is_covered = item.relation in known
            else:
                is_covered = item.relation is not None and (
                    item.relation not in known or item.kind == "sequence"
                )
            if not is_covered:
                message = f"The {item.title} exists only in the database."
                self._report(Difference(ids.EXTRA_OBJECT, item.name, message, (name,)))

    def _report_disabled(self, item: CatalogObject) -> None:
        """Report a trigger or rule that does not fire, unless a migration disables it."""
        states = [line for line in item.definition.split("\n") if line in DISABLED]
        if states and not self._is_declared(item.relation or "", "disable", item.kind):
            message = f"The {item.title} does not fire: it is {states[0]}."
            self._report(Difference(ids.NOT_ENFORCED, item.name, message))

    def _report_unenforced(self, item: CatalogObject) -> None:
        """Report a constraint that is not enforced, unless a migration made it so."""
        lines = item.definition.split("\n")
        for word, holds, reason in (
            ("enforced", lines[0].endswith(" NOT ENFORCED"), "it is NOT ENFORCED"),
            ("disable", not DISABLED_TRIGGERS.isdisjoint(lines), "its triggers are disabled"),
        ):
            if holds and not self._is_declared(item.relation or "", word):
                message = f"The {item.title} is not enforced: {reason}."
                self._report(Difference(ids.NOT_ENFORCED, item.name, message))

    def _is_declared(self, *words: str) -> bool:
        """Return whether the SQL of a migration has the words."""
        return self.names_in_sql is not None and self.names_in_sql.contains(*words)

    def _report(self, difference: Difference) -> None:
        number, title, message, words = difference
        if number == ids.PERSISTENCE and self._is_declared(title.partition(".")[2], "unlogged"):
            return
        if not words:
            is_key = number == ids.AUTOMATIC_KEY
            hint = ids.HINT_AUTOMATIC_KEY if is_key else ids.HINT_REPAIR
            self._add(number, title, message, hint)
            return
        schema, _, name = title.partition(".")
        if (schema, name) in self.without_migrations or self.names_in_sql is None:
            letter, hint = "U", ids.HINT_UNMANAGED
        elif self._is_declared(*words):
            letter, hint = "U", ids.HINT_DECLARED
        elif self.created.contain(number, title):
            letter, hint = "U", ids.HINT_RECORDED
        else:
            letter, hint = "D", ids.HINT_EXTRA
        self.unmanaged.add(self._add(letter + number, title, message, hint))

    def _add(self, number: str, title: str, message: str, hint: str) -> Finding:
        finding = Finding(number, "drift", self.domain.name, title, message, hint)
        self.found.append(finding)
        return finding
