from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections
from django.db.migrations import recorder

from ...domains import get_domain_for
from ...engine.runner.loader import LINEAR
from ...engine.sources.files import MigrationKey
from ...engine.sources.parsing import header_of
from ...exceptions import EXIT_USAGE


class Command(BaseCommand):
    help = (
        "Renumbers a migration that conflicts in max_migration.txt, with the command of"
        " django-linear-migrations, which also checks the domains' histories."
    )
    requires_system_checks: list[str] = []  # They would fail because of the conflict.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app_label", metavar="APP", help="The app with the conflict.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not apps.is_installed(LINEAR):
            raise CommandError(
                "rebase_migration belongs to django-linear-migrations, which is not in"
                f' INSTALLED_APPS. Run: pip install {LINEAR.replace("_", "-")}; then add "{LINEAR}"'
                ' after "domain_migrations", and run: manage.py create_max_migration_files'
            )
        theirs: Any = import_module(f"{LINEAR}.management.commands.rebase_migration")
        # The original function only reads public.django_migrations, and cannot be configured.
        theirs.migration_applied = refuse_applied
        command = theirs.Command(
            stdout=self.stdout, stderr=self.stderr, no_color=options["no_color"]
        )
        try:
            command.handle(app_label=options["app_label"])
        except LookupError as exc:
            label = options["app_label"]
            raise CommandError(_unknown_app(label), returncode=EXIT_USAGE) from exc
        except ValueError as exc:  # A name without a number, or a file that is not text.
            raise CommandError(
                f"The migrations of {options['app_label']} cannot be renumbered: {exc}. The names"
                " in max_migration.txt have to begin with a number and an underscore."
            ) from exc


def _unknown_app(label: str) -> str:
    labels = sorted(config.label for config in apps.get_app_configs())
    nearest = get_close_matches(label, labels, n=1)
    guess = f' Did you mean "{nearest[0]}"?' if nearest else ""
    return f'No installed app has the label "{label}".{guess} The labels are {", ".join(labels)}.'


def refuse_applied(app_label: str, migration_name: str) -> bool:
    """Refuse to rename a migration that a history in any configured database records.

    Replaces ``migration_applied`` of ``django_linear_migrations``. Like the original, it ignores
    databases that cannot be read.
    """
    for connection in connections.all():
        with suppress(DatabaseError):
            applied = recorder.MigrationRecorder(connection).applied_migrations()
            if (app_label, migration_name) in applied:
                key = MigrationKey(app_label, migration_name)
                raise CommandError(
                    f'{key} is applied in the database "{connection.alias}", so it cannot be'
                    f" renamed. Revert it, and then run this command again: manage.py"
                    f" {_reverting_command(key, connection.alias)}"
                )
    return False


def _reverting_command(key: MigrationKey, alias: str) -> str:
    """Return the command for the time of the conflict, which is an error of a system check."""
    domain = get_domain_for(key.app)
    before = [used for used in header_of(key).dependencies if used.app == key.app]
    if len(domain.app_labels) == 1:
        target = f"migrate_domain {domain.name} {before[-1].name if before else 'zero'}"
    else:
        target = f"migrate {key.app} {before[-1].name if before else 'zero'}"
    database = "" if alias == domain.database else f" --database {alias}"
    return f"{target}{database} --skip-checks"
