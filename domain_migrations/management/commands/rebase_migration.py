from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections
from django.db.migrations import recorder

LINEAR = "django_linear_migrations"


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
        theirs.migration_applied = migration_applied
        command = theirs.Command(
            stdout=self.stdout, stderr=self.stderr, no_color=options["no_color"]
        )
        command.handle(app_label=options["app_label"])


def migration_applied(app_label: str, migration_name: str) -> bool:
    """Return whether a history in any configured database records the migration.

    Replaces the function of that name in ``django_linear_migrations``. Like the original, it
    ignores databases that cannot be read.
    """
    for connection in connections.all():
        with suppress(DatabaseError):
            applied = recorder.MigrationRecorder(connection).applied_migrations()
            if (app_label, migration_name) in applied:
                return True
    return False
