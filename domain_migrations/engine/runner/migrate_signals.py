"""The parts of Django's ``migrate`` besides migrations: its signals and ``run_syncdb``."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.contenttypes.management import inject_rename_contenttypes_operations
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Model
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import Signal
from django.utils.module_loading import module_has_submodule

from ...domains import CORE, Domain, get_domain, get_domains
from ...exceptions import DomainMigrationsError, MigrationFailed
from ..history.journal_queries import read_entries, steps_since_last_run
from ..history.status import DomainStatus, read_statuses
from ..sessions.database_errors import error_class_for, sqlstate_of
from ..sources.files import migrations_on_disk
from .loader import DomainLoader, Plan
from .run_session import RunSession


def emit_pre_migrate(session: RunSession, plan: Plan, state_apps: Apps) -> None:
    """Send ``pre_migrate``, for core's apps too unless core's own run has sent it.

    ``contenttypes`` is the sender to which its own receiver listens, which adds the renaming of
    a content type after each renamed model.
    """
    options, labels = session.options, _own_and_core_labels(session)
    # As Django's migrate: receivers may be connected in an app's management module.
    for config in map(apps.get_app_config, labels):
        if module_has_submodule(config.module, "management"):
            import_module(".management", config.name)
    if options.app_label:
        labels = _every_label()
    elif options.signals and options.all_domains and not session.domain.is_core:
        labels = session.domain.app_labels
        if apps.is_installed("django.contrib.contenttypes"):
            inject_rename_contenttypes_operations(plan, state_apps, session.connection.alias)
    _send(session, pre_migrate, labels, state_apps, plan)


def emit_post_migrate(session: RunSession, plan: Plan, state: ProjectState) -> None:
    """Send ``post_migrate``, which creates permissions.

    The state is prepared as in ``django.core.management.commands.migrate``.
    """
    state.clear_delayed_apps_cache()
    state_apps = state.apps
    with state_apps.bulk_update():
        real = [(model.app_label, model.name_lower) for model in state_apps.real_models]
        for key in real:
            state_apps.unregister_model(*key)
    state_apps.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in real])
    _send_post_migrate(session, plan, state_apps)


def unannounced_plan(
    connection: BaseDatabaseWrapper, loader: DomainLoader, status: DomainStatus
) -> Plan:
    """Return what earlier runs have done that stopped before ``post_migrate``.

    Django's receiver renames the permissions of the models that the plan renames.
    """
    if status.last_run in (None, "done"):
        return []
    steps = steps_since_last_run(read_entries(connection, loader.domain))
    migrations = ((loader.disk_migrations.get(step.key), step.direction) for step in steps)
    return [(found, direction == "backwards") for found, direction in migrations if found]


def emit_without_plan(session: RunSession) -> None:
    """Send both where everything is applied, so that the current models match the database.

    No migration is loaded for it.
    """
    emit_pre_migrate(session, [], apps)
    _send_post_migrate(session, [], apps)


def only_signals_needed(session: RunSession, status: DomainStatus) -> bool:
    """Return whether an up-to-date domain needs only the signals, with the current models.

    The test runner uses ``run_syncdb`` on a database from earlier tests, which may lack the
    rows that receivers of ``post_migrate`` create.
    """
    connection, others = session.connection, _other_hearers(session)
    if others and not all(other.up_to_date for other in read_statuses(connection, others)):
        return False
    if not session.options.run_syncdb:
        return True
    labels = [label for label in session.domain.app_labels if not migrations_on_disk([label])]
    return bool(status.applied) and not models_without_table(connection, labels)


def _other_hearers(session: RunSession) -> list[Domain]:
    """Return the other domains in the database whose apps get the signals, in this run."""
    options, own = session.options, session.domain
    if options.all_domains:
        return []  # Core's own run has been before.
    return [
        domain
        for domain in get_domains()
        if domain != own
        and (options.app_label or (domain.is_core and not own.is_core))
        and (options.database or domain.database) == session.connection.alias
    ]


def _own_and_core_labels(session: RunSession) -> tuple[str, ...]:
    return (*get_domain(CORE).app_labels, *session.domain.app_labels)


def _every_label() -> tuple[str, ...]:
    """Return the labels of all apps: Django's ``migrate APP`` sends the signals for all."""
    return tuple(config.label for config in apps.get_app_configs())


def _send_post_migrate(session: RunSession, plan: Plan, state_apps: Apps) -> None:
    labels = _every_label() if session.options.app_label else session.domain.app_labels
    _send(session, post_migrate, labels, state_apps, plan)


def _send(
    session: RunSession, signal: Signal, labels: tuple[str, ...], state_apps: Apps, plan: Plan
) -> None:
    """Mirrors ``django.core.management.sql.emit_pre_migrate_signal``."""
    for config in dict.fromkeys(map(apps.get_app_config, labels)):
        if config.models_module is None:
            continue
        try:
            signal.send(
                sender=config,
                app_config=config,
                verbosity=session.options.verbosity,
                interactive=session.options.interactive,
                using=session.connection.alias,
                stdout=session.reporter.stdout,
                apps=state_apps,
                plan=plan,
            )
        except (DomainMigrationsError, KeyboardInterrupt):
            raise
        except BaseException as exc:  # a receiver may raise anything
            if session.is_lost or error_class_for(sqlstate_of(exc)):
                raise  # It is the database's.
            from .tracebacks import describe_exception, traceback_text

            error = MigrationFailed(
                f"A receiver of pre_migrate or post_migrate failed: {describe_exception(exc)}.",
                hint="What is applied is recorded; the next run sends the signal again.",
                sqlstate=sqlstate_of(exc),
            )
            error.traceback = traceback_text(exc)
            raise error from exc


def create_tables(session: RunSession, unmigrated: Collection[str]) -> None:
    """Create the missing tables of the domain's apps without migrations, and report them.

    Nothing is recorded, because such an app has no history. Mirrors
    ``django.core.management.commands.migrate.Command.sync_apps``.

    Arguments:
        unmigrated: labels of apps without migrations.
    """
    own = set(session.domain.app_labels).intersection(unmigrated)
    missing = models_without_table(session.connection, own)
    if missing:
        with session.connection.schema_editor() as editor:
            for model in missing:
                editor.create_model(model)
    for model in missing:
        session.reporter.on_note(f"Created table {model._meta.db_table}")


def models_without_table(
    connection: BaseDatabaseWrapper, app_labels: Collection[str]
) -> list[type[Model]]:
    """Return the apps' models whose table is missing."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    convert = connection.introspection.identifier_converter
    return [
        model
        for config in apps.get_app_configs()
        if config.label in app_labels and config.models_module is not None
        for model in router.get_migratable_models(
            config, connection.alias, include_auto_created=False
        )
        if model._meta.can_migrate(connection) and convert(model._meta.db_table) not in tables
    ]
