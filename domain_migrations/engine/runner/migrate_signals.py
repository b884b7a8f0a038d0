"""Django's ``pre_migrate`` and ``post_migrate``, for the apps that a run concerns."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.signals import post_migrate, pre_migrate
from django.dispatch import Signal
from django.utils.module_loading import module_has_submodule

from ...domains import Domain, get_domain
from .options import MigrateOptions
from .plan import Plan


def emit_pre_migrate(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    options: MigrateOptions,
    plan: Plan,
    state: ProjectState,
) -> None:
    """Send ``pre_migrate`` for core's and the domain's apps.

    Core's are told of a domain's run too: ``contenttypes`` listens as itself, and puts the
    renaming of a content type into the plan behind each renamed model.
    """
    _send_pre_migrate(connection, domain, options, apps=state.apps, plan=plan)


def emit_post_migrate(
    connection: BaseDatabaseWrapper,
    domain: Domain,
    options: MigrateOptions,
    plan: Plan,
    state: ProjectState,
) -> None:
    """Send ``post_migrate`` for the domain's apps, which makes their permissions.

    The state is made ready as ``django.core.management.commands.migrate`` makes it.
    """
    state.clear_delayed_apps_cache()
    state_apps = state.apps
    with state_apps.bulk_update():
        real = [(model.app_label, model.name_lower) for model in state_apps.real_models]
        for key in real:
            state_apps.unregister_model(*key)
    state_apps.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in real])
    _send(post_migrate, domain.app_labels, connection, options, apps=state_apps, plan=plan)


def emit_without_plan(
    connection: BaseDatabaseWrapper, domain: Domain, options: MigrateOptions
) -> None:
    """Send both where everything is applied, so that today's models are those of the database.

    No migration is loaded for it.
    """
    _send_pre_migrate(connection, domain, options, apps=apps, plan=[])
    _send(post_migrate, domain.app_labels, connection, options, apps=apps, plan=[])


def _send_pre_migrate(
    connection: BaseDatabaseWrapper, domain: Domain, options: MigrateOptions, **values: Any
) -> None:
    labels = (*get_domain("core").app_labels, *domain.app_labels)
    for config in map(apps.get_app_config, labels):
        # As Django's migrate: receivers may be connected in an app's management module.
        if module_has_submodule(config.module, "management"):
            import_module(".management", config.name)
    _send(pre_migrate, labels, connection, options, **values)


def _send(
    signal: Signal,
    labels: tuple[str, ...],
    connection: BaseDatabaseWrapper,
    options: MigrateOptions,
    **values: Any,
) -> None:
    """Mirrors ``django.core.management.sql.emit_pre_migrate_signal``."""
    seen: set[AppConfig] = set()
    for label in labels:
        config = apps.get_app_config(label)
        if config.models_module is None or config in seen:
            continue
        seen.add(config)
        signal.send(
            sender=config,
            app_config=config,
            verbosity=options.verbosity,
            interactive=options.interactive,
            using=connection.alias,
            **values,
        )
