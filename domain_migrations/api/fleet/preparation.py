"""The preparation of a fleet: what its processes need is imported and parsed before they fork.

Otherwise each of them would do it again, which would be half of what they cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from django.apps import apps
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.utils.module_loading import module_has_submodule

from ...domains import get_domain
from ...engine.runner.options import MigrateOptions
from ...exceptions import DomainMigrationsError

RUN = (
    "adoption.history_import",
    "adoption.inspected_schema",
    "attempts",
    "core_key_types",
    "domain_work",
    "dry_run.dry_run",
    "dry_run.plan_preview",
    "edited_migrations",
    "executor",
    "failures",
    "faked_migrations",
    "former_data",
    "hooks.dispatch",
    "interruptions",
    "losses",
    "migration_log",
    "planner",
    "project_state",
    "run_plan",
    "run_progress",
    "snapshot_restore",
    "stops",
    "targets",
    "tracebacks",
    "transfer.pair_plan",
    "transfer.pair_run",
    "transfer.partner_ends",
)
"""The modules of ``engine/runner`` that runs import where they have work to do."""

OTHERS = (
    "pwd",
    "django.core.management.commands.migrate",
    "django.core.management.sql",
    "domain_migrations.backends.postgresql.compiler",
    "domain_migrations.engine.boundary.planned_migrations",
    "domain_migrations.engine.boundary.recorded_references",
    "domain_migrations.engine.catalog.compat_views",
    "domain_migrations.engine.history.extractions",
    "domain_migrations.engine.history.half_move_causes",
    "domain_migrations.engine.history.journal_queries",
    "domain_migrations.engine.history.seed_ledger",
    "domain_migrations.engine.history.seed_transfer",
    "domain_migrations.engine.sources.stages",
    "domain_migrations.permissions",
    "domain_migrations.router",
)
"""What else they import then, as far as the platform has it."""


def prepare_migrations(names: Sequence[str], options: MigrateOptions) -> None:
    """Import and parse what the runs of domains need where something is pending."""
    if options.only_checks_pending:
        return
    runner = MigrateOptions.__module__.rpartition(".")[0]
    for module in (*OTHERS, *(f"{runner}.{name}" for name in RUN)):
        with suppress(ModuleNotFoundError):  # pwd, on other platforms
            import_module(module)
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "management"):
            import_module(f"{config.name}.management")  # as signals do, for their receivers
    from ...engine.runner.loader import DomainLoader
    from ...engine.sources.checksum import checksum_on_disk
    from ...engine.sources.files import migrations_on_disk

    for name in names:
        domain = get_domain(name)
        # Whatever is wrong with them, the run of a site that needs them says it.
        with suppress(
            DomainMigrationsError, CircularDependencyError, NodeNotFoundError, ValueError
        ):
            DomainLoader(None, domain)
            for key in migrations_on_disk(domain.app_labels):
                checksum_on_disk(key)
