"""From migrations to what is dangerous in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.migration import Migration

from ...domains import Domain, get_domain, get_domains
from ...engine.history.status import read_statuses
from ...engine.runner.loader import DomainLoader, load_domain
from ...engine.runner.project_state import full_order
from ...engine.runner.results import FORMAT
from ...engine.runner.targets import resolve_target
from ...engine.sessions.connection import translate_database_errors
from ...engine.sources.files import MigrationKey, is_installed, migration_file
from ...engine.sources.stages import get_stage
from . import rules
from .findings import Level, LintFinding
from .hints import DESTRUCTIVE_RULES, ERRORS, IGNORED_RULES, hint_for
from .script import MigrationScript, read_script
from .squawk import SYNTAX_ERROR, Squawk
from .suppressions import Suppressions


@dataclass(frozen=True)
class LintResult:
    """What was found, in the order of the migrations."""

    findings: tuple[LintFinding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.level == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "findings": [finding.as_json() for finding in self.findings]}


def lint_domain(
    domain: str | None = None, names: Sequence[str] = (), *, database: str | None = None
) -> LintResult:
    """Return what is dangerous in pending migrations; runs none and writes nothing.

    Migrations of installed packages are passed over unless they are named.

    Arguments:
        domain: all of them unless given.
        names: migrations of the domain, by name or its beginning or ``APP.NAME``, pending or
            not; what is pending unless given.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain, UnknownTarget, AmbiguousTarget: a name is none.
        InvalidConfiguration: Squawk is not installed, or migrations cannot be loaded.
        ConnectionFailed: the database did not answer.
    """
    domains = get_domains() if domain is None else [get_domain(domain)]
    found: list[LintFinding] = []
    for each in domains:
        keys = [resolve_target(each, name) for name in names]
        alias = database or each.database
        with translate_database_errors(alias):
            found += DomainLint(connections[alias], each).findings(keys)
    return LintResult(tuple(found))


class DomainLint:
    """Looks at the migrations of one domain."""

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.domain = domain
        connection.ensure_connection()
        self.squawk = Squawk(connection.pg_version)  # type: ignore[attr-defined]

    def findings(self, named: Sequence[MigrationKey]) -> Iterator[LintFinding]:
        """Yield what is wrong with the named migrations, or with what is pending."""
        wanted = list(named) or self._pending()
        if not wanted:
            return
        loader = load_domain(self.connection, self.domain)
        if any(key not in loader.graph.nodes for key in wanted):
            # Named, and replaced by a squashed one.
            loader = DomainLoader(self.connection, self.domain, replace_migrations=False)
        order = {key: n for n, key in enumerate(full_order(loader))}
        for key in sorted(wanted, key=lambda key: order.get(key, -1)):
            yield from self._of_migration(loader, loader.graph.nodes[key])

    def _pending(self) -> list[MigrationKey]:
        (status,) = read_statuses(self.connection, [self.domain])
        paths = {key: migration_file(key) for key in status.pending}
        return [key for key, path in paths.items() if path is None or not is_installed(path)]

    def _of_migration(self, loader: DomainLoader, migration: Migration) -> Iterator[LintFinding]:
        script = read_script(self.connection, loader, migration)
        found = [*self._by_rules(script), *self._by_squawk(script)]
        found.sort(key=lambda finding: finding.line or 0)
        ignores = Suppressions(script, self._finding)
        yield from (finding for finding in found if not ignores.suppresses(finding))
        yield from ignores.findings(self.squawk)

    def _by_rules(self, script: MigrationScript) -> Iterator[LintFinding]:
        for rule in rules.RULES.values():
            for danger in rule(script, self.domain):
                finding = self._finding(
                    script, danger.rule, danger.level, danger.message, danger.hint
                )
                line = script.line(danger.operation)
                yield replace(finding, sql=danger.sql, line=line)
        if script.incomplete_reason:
            yield self._finding(
                script,
                rules.UNKNOWN_SQL,
                "warning",
                f"Not all of its SQL is known before it runs: {script.incomplete_reason}",
                "Lint it on a database where what comes before it is applied.",
            )

    def _by_squawk(self, script: MigrationScript) -> Iterator[LintFinding]:
        statements, fresh = script.statements, rules.created_tables(script)
        after = get_stage(script.migration) == "after"
        texts = [statement.sql for statement in statements]
        for remark in self.squawk.read(texts, in_transaction=script.migration.atomic):
            statement = statements[remark.statement]
            key_to_core = rules.core_target(statement, self.domain) is not None
            if (
                remark.rule in IGNORED_RULES
                or (after and remark.rule in DESTRUCTIVE_RULES)
                or (remark.rule not in FAILS and rules.touches(statement.sql, fresh))
                or (key_to_core and remark.rule in FOREIGN_KEY_RULES)
                or (remark.rule == DROP_DEFAULT and rules.drops_own_default(script, statement))
            ):
                continue
            level: Level = "error" if remark.rule in ERRORS else "warning"
            hint = (
                hint_for(remark.rule, statement.sql)
                or remark.hint
                or "See whether running code can bear it."
            )
            finding = self._finding(script, remark.rule, level, remark.message, hint)
            line = script.line(statement.operation)
            yield replace(finding, sql=statement.sql.strip(), line=line)

    def _finding(
        self, script: MigrationScript, rule: str, level: Level, message: str, hint: str
    ) -> LintFinding:
        return LintFinding(
            rule=rule,
            level=level,
            domain=self.domain.name,
            key=script.key,
            message=message,
            hint=hint,
            line=script.line(0),
        )


FAILS = frozenset({SYNTAX_ERROR, "ban-concurrent-index-creation-in-transaction"})
"""What fails on a table whoever uses it."""
DROP_DEFAULT = "ban-drop-default"
FOREIGN_KEY_RULES = frozenset({"adding-foreign-key-constraint", "constraint-missing-not-valid"})
"""What ours says more exactly of a foreign key to core."""
