"""System checks: wrong declarations, before anything runs.

| id | what is wrong |
|---|---|
| E001 | a foreign key from one domain to another, or from core to a domain |
| E002 | a one-to-one relation across domains |
| E003 | a many-to-many relation across domains |
| E004 | a many-to-many relation through a model of another domain |
| E005 | inheritance across domains, including abstract and proxy models |
| E006 | a generic relation across domains |
| E007 | a table outside the domain's schema |
| E008 | a malformed ``db_table`` |
| E009 | a name longer than 63 bytes |
| E010 | an invalid schema name |
| E011 | an invalid domain name |
| E012 | two domains that share one schema |
| E013 | apps of one domain that declare different schemas |
| E014 | a database that does not use the engine's backend |
| E015 | a missing router |
| E016 | the app is not listed first |
| E017 | a migration that depends on another domain's migration |
| E018 | an invalid setting |
| E019 | a foreign key constraint to core from a domain in another database |
| E020 | a ``DomainReference`` whose target is not a model |
| E021 | a ``DomainReference`` whose type differs from the target's primary key |
| E022 | a ``DomainReference`` whose accessor name is already taken on the model |
| E023 | a migration whose stage is neither ``before`` nor ``after`` |
| E024 | an invalid hook |
| E025 | a backend that runs migrations without transactions |
| E026 | a half of a transfer that does not fit the other half, or that is squashed |
| W001 | (database) rows of a domain in ``public.django_migrations`` |
| W002 | a migration without a stage that removes or renames something |
| W003 | a malformed or too long name in a package, or a too long index or constraint in core |
| W004 | (database) a history without its tables, or tables without their history |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any

from django.apps import apps as global_apps
from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections, router

from .backends.postgresql.base import QualifiedNamesMixin
from .conf import get_settings
from .domains import Domain, get_domains
from .engine.boundary.declarations import cross_database_key_problems, declaration_problems
from .engine.boundary.installed_models import model_problems
from .engine.boundary.planned_migrations import crossing_links
from .engine.boundary.rule import CHECK_PREFIX, Problem
from .engine.history.half_move_causes import waiting_adoption
from .engine.history.half_moves import HalfMove, find_half_moves
from .engine.history.status import read_name_statuses
from .engine.history.tables import applied_names
from .engine.messages import shortened
from .engine.runner.hooks.settings import hook_problems
from .engine.sessions.database_problems import transactions_problem, translate_database_errors
from .engine.sources.files import MigrationKey
from .engine.sources.stages import Removal, invalid_stages, unstaged_removals
from .engine.sources.transfer_halves import half_problems
from .exceptions import DomainMigrationsError, InvalidConfiguration
from .references.resolution import reference_problems
from .router import DomainRouter

ENGINE = "domain_migrations.backends.postgresql"
ROUTER = "domain_migrations.router.DomainRouter"
EACH_UNSTAGED = 3
"""How many migrations of an app W002 names one by one; more are from before stages were used."""


def check_domains(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the declarations of domains and, if they are valid, the models."""
    declared = _messages(declaration_problems())
    if declared or not _is_configured():
        return declared
    problems = [*model_problems(), *cross_database_key_problems(), *reference_problems()]
    labels = None if app_configs is None else {config.label for config in app_configs}
    return _messages(
        problem for problem in problems if labels is None or problem.obj._meta.app_label in labels
    )


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the database backends, the router, the order of apps and the engine's settings."""
    return _messages(settings_problems())


def settings_problems() -> Iterator[Problem]:
    """Yield the problems of the settings."""
    try:
        settings = get_settings()
    except InvalidConfiguration as exc:
        yield Problem("E018", exc.message, exc.hint)
    else:
        if _is_configured():
            for message, hint in hook_problems():
                yield Problem("E024", message, hint)
            yield from _readiness_problems(settings.readiness_domains or ())
        yield from _database_problems(settings.databases)
    if not any(isinstance(item, DomainRouter) for item in router.routers):
        yield Problem(
            "E015",
            "DATABASE_ROUTERS has no domain router, so nothing stops an assignment across domains.",
            f'DATABASE_ROUTERS = ["{ROUTER}"]',
        )
    first = next(iter(global_apps.get_app_configs()))
    if first.name != CHECK_PREFIX:
        yield Problem(
            "E016",
            f'The app "{first.name}" is listed before "{CHECK_PREFIX}", so its commands may be'
            " used.",
            f'Put "{CHECK_PREFIX}" first in INSTALLED_APPS.',
        )


def _database_problems(moved: Mapping[str, str]) -> Iterator[Problem]:
    aliases = {DEFAULT_DB_ALIAS: "core", **{alias: name for name, alias in moved.items()}}
    for alias, name in aliases.items():
        if alias not in connections.settings:
            yield Problem(
                "E018",
                f'The domain "{name}" is on the database "{alias}", which is not in DATABASES.',
                f'Add "{alias}" to DATABASES, or remove "{name}" from DOMAIN_MIGRATIONS.',
            )
        elif not isinstance(connections[alias], QualifiedNamesMixin):
            engine = connections.settings[alias]["ENGINE"]
            yield Problem(
                "E014",
                f'The database "{alias}" has the engine {engine}, which does not support the names'
                " of domains' tables.",
                f'"ENGINE": "{ENGINE}"',
            )
        elif problem := transactions_problem(connections[alias]):
            yield Problem("E025", *problem)


def _readiness_problems(names: Iterable[str]) -> Iterator[Problem]:
    known = {domain.name for domain in get_domains()}
    for name in sorted(set(names) - known):
        yield Problem(
            "E018",
            f'READINESS_DOMAINS contains an unknown domain: "{name}".',
            f"The domains are {', '.join(sorted(known))}.",
        )


def check_dependencies(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Check the dependencies of migration files and their transfers, without importing them."""
    if not _is_configured():
        return []
    crossing = (
        Problem("E017", link.message, link.hint, _app_of(link.declared_by))
        for link in crossing_links()
    )
    unfit = (
        Problem("E026", exc.message, exc.hint, _app_of(key))
        for key, exc in half_problems(*get_domains())
    )
    return _messages([*crossing, *unfit], app_configs)


def check_stages(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Check the stages of migrations, and recommend one if old code may fail without it.

    Migrations that are applied need no stage any more, where their database is among those given.
    Without databases, those that a snapshot contains are taken for applied.
    """
    if not _is_configured():
        return []
    return _messages(_stage_problems(databases or ()), app_configs)


def _stage_problems(databases: Sequence[str]) -> Iterator[Problem]:
    for domain in get_domains():
        for wrong in invalid_stages(domain):
            yield Problem("E023", wrong.message, wrong.hint, _app_of(wrong.key))
    if databases:
        left = list(unstaged_removals(applied=_applied(databases)))
    elif left := list(unstaged_removals()):
        contained = _in_snapshots()
        left = [removal for removal in left if removal.key not in contained]
    for app, group in groupby(left, key=lambda removal: removal.key.app):
        yield from _unstaged_in_app(app, list(group))


def _unstaged_in_app(app: str, removals: list[Removal]) -> Iterator[Problem]:
    """Yield a problem for each migration, or one for all that an app has from before stages."""
    hint = (
        'Add stage = "after" to its class Migration, so that it is applied when no running code'
        ' uses it any longer, or stage = "before" if no code uses it now. If it is applied'
        " everywhere already, leave it as it is, and name the last such migration in"
        ' DOMAIN_MIGRATIONS: "STAGES_REQUIRED_AFTER": {{"{}": "{}"}}'
    )
    if len(removals) <= EACH_UNSTAGED:
        for key, description in removals:
            message = f"The migration {key} {description}, and has no stage."
            yield Problem("W002", message, hint.format(app, key.name), _app_of(key))
        return
    keys = [removal.key for removal in removals]
    yield Problem(
        "W002",
        f"The app {app} has {len(keys)} migrations that remove or rename something, and have no"
        f" stage: {shortened(keys)}.",
        "If they are applied everywhere, name the last one in DOMAIN_MIGRATIONS:"
        f' "STAGES_REQUIRED_AFTER": {{"{app}": "{keys[-1].name}"}}. Otherwise add'
        ' stage = "after" to the class Migration of those that are not.',
        _app_of(keys[0]),
    )


def _applied(databases: Sequence[str]) -> frozenset[MigrationKey]:
    """Return the applied migrations of the domains in the databases."""
    found: set[MigrationKey] = set()
    for alias in databases:
        here = [domain for domain in get_domains() if domain.database == alias]
        with _readable(alias):
            found.update(*applied_names(connections[alias], here).values())
    return frozenset(found)


def _in_snapshots() -> frozenset[MigrationKey]:
    """Return the migrations that the snapshots of the domains contain."""
    # Imported here, because few projects have removals without a stage.
    from .engine.snapshots.snapshot_file import SnapshotUnreadable, read_snapshot, snapshot_file

    found: set[MigrationKey] = set()
    for path in filter(None, map(snapshot_file, get_domains())):
        with suppress(SnapshotUnreadable):  # A run that needs it says why.
            found.update(read_snapshot(path).migrations)
    return frozenset(found)


def check_whole_domains(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Check that no domain has only its history, or only its tables, in its database."""
    if databases is None or not _is_configured():
        return []
    found: list[tuple[Domain, HalfMove]] = []
    for alias in databases:
        connection = connections[alias]
        here = [domain for domain in get_domains() if domain.database == alias]
        if not here or not isinstance(connection, QualifiedNamesMixin):
            continue
        with _readable(alias):
            found += find_half_moves(connection, read_name_statuses(connection, here))
    return _messages(Problem("W004", half.message, half.hint) for _, half in found)


def check_histories(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Check that no domain's rows are in core's history."""
    if databases is None or not _is_configured():
        return []
    core, *domains = get_domains()
    if not domains or core.database not in databases:
        return []
    owners = {label: domain for domain in domains for label in domain.app_labels}
    with _readable(core.database):
        names = applied_names(connections[core.database], [core])[core.name]
        found = {key.app: key for key in sorted(names) if key.app in owners}
        found = {label: key for label, key in found.items() if not _will_move(owners[label], key)}
    return _messages(
        Problem(
            "W001",
            f'{core.history_table} has rows of the app "{label}" of the domain'
            f' "{owners[label].name}".',
            f"They belong in {owners[label].history_table}.",
        )
        for label, key in found.items()
    )


def _will_move(domain: Domain, key: MigrationKey) -> bool:
    """Return whether a declaration moves the row, which ``W004`` says."""
    if not waiting_adoption(domain, [key]):
        return False
    return key not in applied_names(connections[domain.database], [domain])[domain.name]


@contextmanager
def _readable(alias: str) -> Iterator[None]:
    """End the command with a sentence if the database does not answer, or may not be read."""
    try:
        with translate_database_errors(alias):
            yield
    except DomainMigrationsError as exc:
        raise CommandError(exc.full_message, returncode=exc.exit_status) from exc


def _is_configured() -> bool:
    """Return whether the domains are configured; other checks report why they are not."""
    try:
        get_domains()
    except InvalidConfiguration:
        return False
    return True


def _app_of(migration: MigrationKey) -> AppConfig:
    return global_apps.get_app_config(migration.app)


def _messages(
    problems: Iterable[Problem], app_configs: Sequence[AppConfig] | None = None
) -> list[CheckMessage]:
    """Return the messages; if apps are given, only those about one of them."""
    kinds = {"E": checks.Error, "W": checks.Warning}
    return [
        kinds[item.id[0]](
            item.message, hint=item.hint, obj=item.obj, id=f"{CHECK_PREFIX}.{item.id}"
        )
        for item in problems
        if app_configs is None or item.obj in app_configs
    ]
