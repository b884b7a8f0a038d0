"""One migration in a test: the database as it was before, the run, and the models of both."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connections
from django.db.models import Model

from ..domains import get_domain_for
from ..engine.guard.held_locks import LOCK_STRENGTH
from ..engine.runner.loader import load_domain
from ..engine.runner.options import MigrateOptions
from ..engine.runner.project_state import project_state
from ..engine.runner.results import DomainResult, PlannedMigration
from ..engine.runner.targets import ZERO
from ..engine.sources.files import MigrationKey
from ..exceptions import DomainMigrationsError, UnknownTarget
from .migrate import migrate_domains


class MigrationTrial:
    """A migration whose domain is as far as the migration before it, and what it does then.

    The test needs a database of its own and real transactions: ``TransactionTestCase``, or
    ``django_db(transaction=True)``. It ends with ``restore()``.

    Arguments:
        name: the migration, as ``app.name``; the beginning of the name is enough.
        database: the alias; the domain's own unless given.

    Raises:
        UnknownTarget: there is no such migration, or several begin like that.
        DomainMigrationsError: the migrations after it cannot be reverted.
    """

    def __init__(self, name: str, database: str | None = None) -> None:
        label, _, start = name.partition(".")
        self.domain = get_domain_for(label)
        self.alias = database or self.domain.database
        self.key = self._find(label, start)
        self.effects: PlannedMigration | None = None
        self._migrate_to(self._target_before())
        self.apps_before = self._apps()
        self.apps_after: Apps | None = None

    def old_model(self, name: str) -> type[Model]:
        """Return a model as it was before the migration; ``app.Model`` for another app's."""
        return self._model(self.apps_before, name)

    def new_model(self, name: str) -> type[Model]:
        """Return a model as it is after the migration, which is applied unless it is already."""
        return self._model(self.apps_after or self.apply(), name)

    def apply(self) -> Apps:
        """Try the migration, which tells its effects, apply it, and return its models' apps.

        Raises:
            DomainMigrationsError: it failed.
        """
        result = self._migrate_to(self.key.name, dry_run=True)
        self.effects = next((step for step in result.steps or () if step.key == self.key), None)
        self._migrate_to(self.key.name)
        self.apps_after = self._apps()
        return self.apps_after

    def revert(self) -> None:
        """Revert the migration."""
        self._migrate_to(self._target_before())
        self.apps_after = None

    def restore(self) -> None:
        """Empty all tables, and apply what is pending, for the next test."""
        call_command("flush", database=self.alias, interactive=False, verbosity=0)
        self._run()

    def assert_locks(self, strongest: str) -> None:
        """Assert that the migration takes no stronger lock on a relation that existed before.

        Arguments:
            strongest: the mode as in ``pg_locks``, such as ``ShareUpdateExclusiveLock``.
        """
        limit = LOCK_STRENGTH[strongest]
        locks = self._effects().locks
        found = [
            f"{mode} on {relation}"
            for relation, mode in sorted(locks.items())
            if LOCK_STRENGTH.get(mode, limit) > limit
        ]
        if found:
            raise AssertionError(
                f"{self.key} takes {', '.join(found)}; {strongest} was expected at most."
            )

    def assert_no_rewrite(self) -> None:
        """Assert that the migration rewrites no table."""
        if found := sorted(self._effects().rewritten):
            raise AssertionError(f"{self.key} rewrites {', '.join(found)}.")

    def _effects(self) -> PlannedMigration:
        if self.effects is None:
            raise AssertionError(
                f"The effects of {self.key} are not known: it was not applied, or it cannot be"
                " tried in a transaction."
            )
        return self.effects

    def _find(self, label: str, start: str) -> MigrationKey:
        found: list[MigrationKey] = [
            MigrationKey(*key)
            for key in self._loader().graph.nodes
            if key[0] == label and key[1].startswith(start)
        ]
        exact = [key for key in found if key.name == start]
        if len(exact or found) != 1:
            raise UnknownTarget(
                f'{len(found) or "No"} migrations of the app "{label}" begin with "{start}".',
                hint=f"See them with: manage.py show_domains {self.domain.name} -v 2",
            )
        return (exact or found)[0]

    def _target_before(self) -> str:
        node = self._loader().graph.node_map[self.key]
        parents = sorted(parent.key for parent in node.parents if parent.key[0] == self.key.app)
        return parents[-1][1] if parents else ZERO

    def _loader(self) -> Any:
        return load_domain(connections[self.alias], self.domain)

    def _apps(self) -> Apps:
        apps: Apps = project_state(self._loader()).apps
        return apps

    def _model(self, apps: Apps, name: str) -> type[Model]:
        label, _, model = name.rpartition(".")
        found: type[Model] = apps.get_model(label or self.key.app, model)
        return found

    def _migrate_to(self, target: str, **options: Any) -> DomainResult:
        return self._run(target=target, app_label=self.key.app, **options)

    def _run(self, **options: Any) -> DomainResult:
        values = MigrateOptions(database=self.alias, interactive=False, verbosity=0, **options)
        result = migrate_domains([self.domain.name], values).domains[0]
        if result.error is not None:
            raise DomainMigrationsError(result.error.message, hint=result.error.hint)
        return result
