"""Django's migration loader for one domain and core, and the plans made of what it loads."""

from __future__ import annotations

import re
from collections.abc import Collection

from django.apps import apps
from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import (
    CircularDependencyError,
    InconsistentMigrationHistory,
    NodeNotFoundError,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration

from ...domains import CORE, Domain, get_domain, get_domains
from ...exceptions import BoundaryViolation, DependencyNotApplied, InvalidConfiguration
from ..boundary.rule import may_depend_on, violation_clause
from ..history.half_moves import find_half_move
from ..history.recorder import limit_reads_to
from ..history.status import read_statuses
from ..sessions.database_problems import translate_database_errors
from ..sources.files import MigrationKey
from ..sources.former_dependencies import former_dependencies
from ..sources.transfer_halves import half_problems, is_paired

Plan = list[tuple[Migration, bool]]
"""Migrations in order, and whether each is reverted; as Django's executor takes it."""


def applied_keys(plan: Plan) -> tuple[MigrationKey, ...]:
    """Return the migrations that a plan applies."""
    return tuple(MigrationKey.of(migration) for migration, backwards in plan if not backwards)


def reverted_keys(plan: Plan) -> set[MigrationKey]:
    """Return the migrations that a plan reverts."""
    return {MigrationKey.of(migration) for migration, backwards in plan if backwards}


class DomainLoader(MigrationLoader):
    """Loads the migrations of one domain and of core, and no others.

    Other domains' migrations are neither imported nor rendered, so a run costs the same with
    five domains as with five hundred. Core's are loaded completely, because a data migration
    must see core's columns as they were, not as the current models have them.

    Arguments:
        connection: to the database with the histories of core and of the domain.
        domain: the domain to load.
        replace_migrations: whether squashed migrations replace the original ones in the graph.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper | None,
        domain: Domain,
        *,
        replace_migrations: bool = True,
    ) -> None:
        self.domain = domain
        core = get_domain("core")
        self.domains = tuple(dict.fromkeys((core, domain)))
        self.app_labels: Collection[str] = frozenset((*core.app_labels, *domain.app_labels))
        self.owners = {label: other for other in get_domains() for label in other.app_labels}
        super().__init__(connection, replace_migrations=replace_migrations)

    def migrations_module(self, app_label: str) -> tuple[str | None, bool]:  # type: ignore[override]
        """Let ``load_disk`` skip the apps of other domains."""
        if app_label not in self.app_labels:
            return None, True
        return super().migrations_module(app_label)

    def load_disk(self) -> None:
        """Load from disk; apps of other domains do not count as unmigrated either.

        The models of unmigrated apps would be part of every project state.
        """
        try:
            super().load_disk()
        except Exception as exc:  # a migration's module may raise anything
            raise InvalidConfiguration(
                f'A migration for the domain "{self.domain.name}" cannot be imported:'
                f" {type(exc).__name__}: {exc}".rstrip(": "),
                hint="Correct the file; its traceback shows with: manage.py showmigrations",
            ) from exc
        self.unmigrated_apps.intersection_update(self.app_labels)
        from .package_transactions import accept_transactions

        accept_transactions(self.disk_migrations.values())
        if former := self._former_dependencies():
            from .former_keys import forget_dependencies

            forget_dependencies(self.disk_migrations.values(), former)
        for migration in self.disk_migrations.values():
            own = MigrationKey.of(migration)
            self._forget_partner(migration)
            for parent in migration.dependencies:
                self._check_dependency(own, MigrationKey(*parent))
            for child in map(MigrationKey._make, migration.run_before):
                self._check_dependency(child, own)
                self._check_run_before(own, child)

    def _forget_partner(self, migration: Migration) -> None:
        """Take out the dependencies of a transfer on domains that are not loaded.

        What is to be applied there is checked before the transfer runs.
        """
        kept = [
            parent
            for parent in migration.dependencies
            if parent[0] in self.app_labels or not is_paired(MigrationKey.of(migration), parent)
        ]
        if len(kept) < len(migration.dependencies):
            # django-stubs declares it as the class's own.
            vars(migration)["dependencies"] = kept

    def _former_dependencies(self) -> dict[str, set[str]]:
        """Return the apps that loaded ones declare former, as far as the rule forbids them."""
        found = {
            label: {
                other
                for other in former_dependencies(label)
                if self._violation(MigrationKey(label, ""), MigrationKey(other, ""))
            }
            for label in self.app_labels
        }
        return {label: others for label, others in found.items() if others}

    def build_graph(self) -> None:
        """Build the graph from the histories of these domains only."""
        with limit_reads_to(self.domains):
            super().build_graph()

    def check_consistent_history(self, connection: BaseDatabaseWrapper) -> None:
        """Check what is loaded against the same histories."""
        with limit_reads_to(self.domains):
            super().check_consistent_history(connection)

    def _check_dependency(self, child: MigrationKey, parent: MigrationKey) -> None:
        """Refuse a dependency across the boundary, whose other end the graph would miss."""
        clause = self._violation(child, parent)
        if clause and not is_paired(child, parent):
            raise BoundaryViolation(
                f"Migration {child} depends on {parent}: {clause}.",
                hint="Remove the dependency: keep the id of the other object instead of a foreign"
                " key, or move what both need to core. If it is applied, leave it: convert the"
                " foreign keys with ConvertToReference, and add former_dependencies ="
                f' ["{parent.app}"] to the class Migration that does it.',
            )

    def _check_run_before(self, own: MigrationKey, child: MigrationKey) -> None:
        """Refuse a ``run_before`` of core that names a domain; other loaders would miss it."""
        if clause := self._violation(own, child):
            raise BoundaryViolation(
                f"Migration {own} has {child} in its run_before: {clause}.",
                hint=f"Remove it; if {child} needs it, add {tuple(own)!r} to its dependencies.",
            )

    def _violation(self, user: MigrationKey, used: MigrationKey) -> str:
        """Return why one migration may not depend on the other, as a clause; empty if it may."""
        owner, other = self.owners.get(user.app), self.owners.get(used.app)
        if owner is None or other is None or may_depend_on(owner, other):
            return ""
        return violation_clause(owner, other)


class WholeProjectLoader(MigrationLoader):
    """Loads all migrations, and lets former dependencies be unapplied.

    A database in which an app has not moved into its domain yet, or a new one in which core is
    applied before the domain, has them in another order than the files say.
    """

    def check_consistent_history(self, connection: BaseDatabaseWrapper) -> None:
        owners = {label: domain for domain in get_domains() for label in domain.app_labels}
        former = [
            (node, parent)
            for node in self.graph.node_map.values()
            for parent in node.parents
            if node.key[0] != parent.key[0]
            and parent.key[0] in owners
            and not may_depend_on(owners[node.key[0]], owners[parent.key[0]])
            and parent.key[0] in former_dependencies(node.key[0])
        ]
        for node, parent in former:
            node.parents.discard(parent)
        try:
            super().check_consistent_history(connection)
        except InconsistentMigrationHistory as exc:
            # Older code, which has in core what the database has in a domain.
            for status in read_statuses(connection, [get_domain(CORE)]):
                if half := find_half_move(connection, status):
                    raise InvalidConfiguration(half.message, hint=half.hint) from exc
            raise
        except ProgrammingError:
            # Django's command continues where the database cannot be reached, and only there.
            with translate_database_errors(connection.alias):
                raise
        finally:
            for node, parent in former:
                node.parents.add(parent)


LINEAR = "django_linear_migrations"
"""A package with one line of migrations for each app, and its ``rebase_migration``."""


def load_domain(
    connection: BaseDatabaseWrapper, domain: Domain, *, may_conflict: bool = False
) -> DomainLoader:
    """Return a loader with a consistent graph and history.

    Arguments:
        may_conflict: whether an app may have several leaf migrations, which matters only where a
            plan leads to all of them.

    Raises:
        BoundaryViolation: a migration depends on another domain's.
        DependencyNotApplied: an applied migration depends on one that is not.
        InvalidConfiguration: the files cannot be loaded, or an app has several leaf migrations.
    """
    try:
        loader = DomainLoader(connection, domain)
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as exc:
        label, name = re.findall(r"dependency (\w+)\.(\S+) on database", str(exc))[0]
        raise DependencyNotApplied(
            str(exc),
            hint="If its changes are in the database, record it: manage.py repair_domain"
            f" {loader.owners[label].name} --mark-applied {label}.{name}; if they are not, remove"
            " from the history what depends on it (--mark-unapplied), and apply all of them.",
        ) from exc
    except (CircularDependencyError, NodeNotFoundError, ValueError) as exc:
        for _, problem in half_problems(get_domain(CORE), domain):
            raise problem from exc
        raise InvalidConfiguration(
            f'The migrations of the domain "{domain.name}" cannot be loaded: {exc}'
        ) from exc
    for label, names in sorted(loader.detect_conflicts().items()):
        if label in domain.app_labels and not may_conflict:
            rebase = f"Run: manage.py rebase_migration {label}, which moves yours after the other."
            merge = f"manage.py makemigrations --merge {label}"
            raise InvalidConfiguration(
                f"The migrations of {label} have several leaves: {', '.join(sorted(names))}.",
                hint=f"{rebase} Or run: {merge}"
                if apps.is_installed(LINEAR)
                else f"Run: {merge} (with django-linear-migrations: rebase_migration {label})",
            )
    return loader
