"""``lint_domain``: the findings in migrations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...domains import Domain, get_domain, get_domains
from ...engine.history.status import read_statuses
from ...engine.runner.loader import DomainLoader, load_domain
from ...engine.runner.project_state import full_order
from ...engine.runner.results import FORMAT
from ...engine.runner.targets import resolve_target
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sources.files import MigrationKey, is_installed, migration_file
from ...engine.sources.stages import get_stage
from .distributed.distributed_rules import DISTRIBUTED_RULES, IDS
from .own_rules import (
    RULES,
    core_target,
    drops_own_default,
    only_virtual,
    without_ignored,
)
from .script import LintFinding, MigrationScript, read_script
from .squawk import DESTRUCTIVE_RULES, ERRORS, IGNORED_RULES, SYNTAX_ERROR, Squawk, hint_for
from .statement_effects import Relations, effects, touches_only

Engine = Literal["postgresql", "citus"]
FAILING_RULES = frozenset({SYNTAX_ERROR})
"""Rules on statements that fail even on a table that nobody uses yet."""
DROP_DEFAULT = "ban-drop-default"
VOLATILE_DEFAULT = "adding-field-with-default"
FOREIGN_KEY_RULES = frozenset({"adding-foreign-key-constraint", "constraint-missing-not-valid"})
"""Rules that our own rule on foreign keys to core replaces."""


@dataclass(frozen=True)
class LintResult:
    """The findings, in the order of the migrations."""

    findings: tuple[LintFinding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.level == "error" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "findings": [finding.as_json() for finding in self.findings]}


def lint_domain(
    domain: str | None = None,
    names: Sequence[str] = (),
    *,
    database: str | None = None,
    engine: Engine | None = None,
) -> LintResult:
    """Return what is dangerous in pending migrations; runs none of them and writes nothing.

    Migrations of installed packages are skipped unless they are named.

    Arguments:
        domain: the domain's name; all domains unless given.
        names: migrations of the domain, by name or its beginning or ``APP.NAME``, pending or
            not; the pending ones unless given.
        database: alias; each domain's own unless given.
        engine: ``citus`` to report what a distributed domain refuses, too; by default that is
            reported for domains that are declared as distributed.

    Raises:
        UnknownDomain, UnknownTarget, AmbiguousTarget: a name is unknown or ambiguous.
        InvalidConfiguration: Squawk is not installed, or migrations cannot be loaded.
        DatabaseUnavailable: the database did not answer.
    """
    domains = get_domains() if domain is None else [get_domain(domain)]
    found: list[LintFinding] = []
    for each in domains:
        keys = [resolve_target(each, name) for name in names]
        alias = database or each.database
        with translate_database_errors(alias):
            found += DomainLint(connections[alias], each, engine).findings(keys)
    return LintResult(tuple(found))


class DomainLint:
    """The linting of one domain's migrations."""

    def __init__(
        self, connection: BaseDatabaseWrapper, domain: Domain, engine: Engine | None = None
    ) -> None:
        self.connection = connection
        self.domain = domain
        is_distributed = engine == "citus" or (engine is None and domain.is_distributed)
        self.rules = {**RULES, **(DISTRIBUTED_RULES if is_distributed else {})}
        connection.ensure_connection()
        self.squawk = Squawk(connection.pg_version)  # type: ignore[attr-defined]

    def findings(self, named: Sequence[MigrationKey]) -> Iterator[LintFinding]:
        """Yield the findings in the named migrations, or in the pending ones."""
        wanted = list(named) or self._pending()
        if not wanted:
            return
        loader = load_domain(self.connection, self.domain)
        if any(key not in loader.graph.nodes for key in wanted):
            # Named, and replaced by a squashed one.
            loader = DomainLoader(self.connection, self.domain, replace_migrations=False)
        order = {key: n for n, key in enumerate(full_order(loader))}
        for key in sorted(wanted, key=lambda key: order.get(key, -1)):
            script = read_script(self.connection, loader, loader.graph.nodes[key])
            found = [finding for rule in self.rules.values() for finding in rule(script)]
            found += self._by_squawk(script)
            found.sort(key=lambda finding: finding.line or 0)
            not_run = IDS if self.rules.keys() == RULES.keys() else frozenset()
            yield from without_ignored(found, script, self.squawk, not_run)

    def _pending(self) -> list[MigrationKey]:
        (status,) = read_statuses(self.connection, [self.domain])
        paths = {key: migration_file(key) for key in status.pending if key not in status.missing}
        return [key for key, path in paths.items() if path is None or not is_installed(path)]

    def _by_squawk(self, script: MigrationScript) -> Iterator[LintFinding]:
        statements = script.statements
        after = get_stage(script.migration) == "after"
        texts = [_readable(statement.sql, statement.new) for statement in statements]
        for found in self.squawk.read(texts, in_transaction=script.migration.atomic):
            statement = statements[found.statement]
            if (
                found.rule in IGNORED_RULES
                or (after and found.rule in DESTRUCTIVE_RULES)
                or (found.rule not in FAILING_RULES and touches_only(statement.sql, statement.new))
                or (found.rule in FOREIGN_KEY_RULES and core_target(statement.sql, self.domain))
                or (found.rule == VOLATILE_DEFAULT and only_virtual(statement.sql))
                or (found.rule == DROP_DEFAULT and drops_own_default(statement, script))
            ):
                continue
            yield script.finding(
                found.rule,
                found.message,
                hint_for(found.rule, statement.sql)
                or found.hint
                or "Check whether running code can cope with it.",
                replace(statement, sql=statement.sql.strip()),
                "error" if found.rule in ERRORS else "warning",
            )


def _readable(sql: str, new: Relations) -> str:
    """Return a statement as Squawk is to read it.

    Squawk takes each table that a statement creates for new, also where there is one already.
    """
    found = list(effects(sql))
    if found and all(one.kind == "create" and one.relation not in new for one in found):
        return "SELECT 1;"
    return sql if sql.endswith(";") and "--" not in sql else f"{sql}\n;"
