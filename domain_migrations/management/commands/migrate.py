from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, cast

from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate as django_migrate
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils.functional import cached_property

from ...api import MigrateOptions, migrate_domains
from ...backends.postgresql.base import QualifiedNamesMixin
from ...domains import CORE, get_domain_for, get_domains
from ...engine.runner.results import RunResult
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sources.files import migrations_on_disk
from ..arguments import options_for
from ..console import TerminalCommand, command_errors, console_reporter
from ..run_output import print_result, print_tracebacks, raise_for_domains


class Command(TerminalCommand, django_migrate.Command):
    help = "Updates the database schema of every domain, core first, or of one app."

    @cached_property
    def autodetector(self) -> type[MigrationAutodetector]:  # type: ignore[override]
        """The autodetector of ``makemigrations``, which a package may have replaced."""
        other: Any = load_command_class(get_commands()["makemigrations"], "makemigrations")
        return cast("type[MigrationAutodetector]", other.autodetector)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=None)  # Each domain's own database.

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        aliases = dict.fromkeys(domain.database for domain in get_domains())
        databases = [options["database"]] if options["database"] else list(aliases)
        kwargs: dict[Any, Any] = super().get_check_kwargs(options)
        return {**kwargs, "databases": databases}

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Run the checks, with a clear message if the database is unavailable."""
        with (
            command_errors(),
            translate_database_errors((kwargs.get("databases") or [DEFAULT_DB_ALIAS])[0]),
        ):
            super().check(*args, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        app_label, target = options["app_label"], options["migration_name"]
        alias = options["database"] or get_domain_for(app_label or "").database
        if options["prune"] or not isinstance(connections[alias], QualifiedNamesMixin):
            # Pruning only deletes history rows; the recorder selects the right table.
            super().handle(*args, **{**options, "database": alias})
            return
        if app_label:
            self._check_app(app_label, target, options["run_syncdb"])
        run_options = replace(
            options_for(MigrateOptions, options),
            target=target,
            all_domains=not app_label,
            collect_sql=False,
            check=options["check_unapplied"] and not options["plan"],
            signals=not (options["plan"] or options["check_unapplied"]),
        )
        with command_errors(), console_reporter(self, run_options) as reporter:
            names = [get_domain_for(app_label).name] if app_label else None
            result = migrate_domains(names, run_options, reporter=reporter)
        print_result(self, result, run_options)
        pending = any(domain.pending for domain in result.domains)
        if options["check_unapplied"] and pending and not any(one.error for one in result.domains):
            sys.exit(1)
        print_tracebacks(self, (each.error for each in result.domains), options)
        raise_for_domains(result.domains, result.exit_status)
        if options["verbosity"] >= 1 and not run_options.is_read_only:
            self._report_model_changes(result)

    def _check_app(self, app_label: str, target: str | None, run_syncdb: bool) -> None:
        try:
            apps.get_app_config(app_label)
        except LookupError as exc:
            hint = " To migrate the main system, run: manage.py migrate_domain core"
            raise CommandError(f"{exc}{hint if app_label == CORE else ''}") from exc
        if migrations_on_disk([app_label]):
            return
        if not run_syncdb:
            raise CommandError(f"App '{app_label}' does not have migrations.")
        if target:
            raise CommandError(
                f"Can't use run_syncdb with app '{app_label}' as it has no migrations to target."
            )

    def _report_model_changes(self, result: RunResult) -> None:
        """Report model changes that are not reflected in a migration, as Django does."""
        if any(domain.status != "unchanged" for domain in result.domains):
            return
        loader = MigrationLoader(None, ignore_no_migrations=True)
        detector = self.autodetector(loader.project_state(), ProjectState.from_apps(apps))
        changed = sorted(detector.changes(graph=loader.graph))
        if changed:
            self.stdout.write(
                self.style.NOTICE(
                    f"The models of {', '.join(changed)} have changes that are in no migration"
                    " yet. Run 'manage.py makemigrations' to make them."
                )
            )
