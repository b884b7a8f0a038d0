from __future__ import annotations

import sys
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate as django_migrate
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from ...api.migrate import migrate_domains
from ...backends.postgresql.base import QualifiedNamesMixin
from ...domains import get_domain_for, get_domains
from ...engine.runner.options import MigrateOptions
from ...engine.runner.results import RunResult
from ...engine.sessions.connection import translate_database_errors
from ...engine.sources.files import migrations_on_disk
from ..console import command_errors, print_result, raise_for_result
from ..terminal import TerminalCommand, console_reporter


class Command(TerminalCommand, django_migrate.Command):
    help = "Updates every domain's schema, core first, or one app's; takes Django's own options."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=None)  # Each domain's own, as migrate_domain has it.

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        aliases = dict.fromkeys(domain.database for domain in get_domains())
        chosen = [options["database"]] if options["database"] else list(aliases)
        kwargs: dict[Any, Any] = super().get_check_kwargs(options)
        return {**kwargs, "databases": chosen}

    def check(self, *args: Any, **kwargs: Any) -> None:
        """Run the checks; those of the database say in a sentence that it cannot be reached."""
        with (
            command_errors(),
            translate_database_errors((kwargs.get("databases") or [DEFAULT_DB_ALIAS])[0]),
        ):
            super().check(*args, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        app_label, target = options["app_label"], options["migration_name"]
        alias = options["database"] or get_domain_for(app_label or "").database
        if options["prune"] or not isinstance(connections[alias], QualifiedNamesMixin):
            # Pruning only deletes history rows, which the recorder does in the right table.
            super().handle(*args, **{**options, "database": alias})
            return
        if app_label:
            self._check_app(app_label, target, options["run_syncdb"])
        chosen = MigrateOptions(
            database=options["database"],
            target=target,
            app_label=app_label,
            all_domains=not app_label,
            plan=options["plan"],
            check=options["check_unapplied"] and not options["plan"],
            fake=options["fake"],
            fake_initial=options["fake_initial"],
            run_syncdb=options["run_syncdb"],
            interactive=options["interactive"],
            verbosity=options["verbosity"],
        )
        with command_errors(), console_reporter(self, chosen) as reporter:
            names = [get_domain_for(app_label).name] if app_label else None
            result = migrate_domains(names, chosen, reporter=reporter)
        print_result(self, result, chosen)
        if options["check_unapplied"] and any(domain.pending for domain in result.domains):
            sys.exit(1)
        raise_for_result(result)
        if options["verbosity"] >= 1 and not chosen.is_read_only:
            self._mention_changes(result)

    def _check_app(self, app_label: str, target: str | None, run_syncdb: bool) -> None:
        try:
            apps.get_app_config(app_label)
        except LookupError as exc:
            raise CommandError(str(exc)) from exc
        if migrations_on_disk([app_label]):
            return
        if not run_syncdb:
            raise CommandError(f"App '{app_label}' does not have migrations.")
        if target:
            raise CommandError(
                f"Can't use run_syncdb with app '{app_label}' as it has no migrations to target."
            )

    def _mention_changes(self, result: RunResult) -> None:
        """Say which apps' models have changes that no migration has, as Django does."""
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
