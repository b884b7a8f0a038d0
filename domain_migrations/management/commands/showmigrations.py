from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import showmigrations
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...api.show import Elsewhere, interrupted_migrations, read_elsewhere
from ...domains import Domain, get_domain
from ...engine.history.recorder import counted_as_applied, limit_reads_to
from ...engine.runner.results import most_severe
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sources.files import migrations_on_disk
from ..console import command_errors, error_text


class Command(showmigrations.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors(), translate_database_errors(options["database"]):
            connection = connections[options["database"]]
            if connection.vendor != "postgresql":
                super().handle(*args, **options)
                return
            found = read_elsewhere(connection)
            labels = set(options["app_label"])
            if found.unreachable:
                options["app_label"] = _readable(found, options["app_label"])
            with counted_as_applied(found.rows), limit_reads_to(found.domains):
                if options["app_label"] or not found.unreachable:
                    super().handle(*args, **options)
            for line in _remarks(connection, found, labels):
                self.stderr.write(self.style.WARNING(line))
        lost = [each for each in found.unreachable if _concerns(each.domain, labels)]
        if lost:
            raise CommandError(
                " ".join(error_text(each.error) for each in lost),
                returncode=most_severe(each.error.exit_status for each in lost),
            )


def _readable(found: Elsewhere, labels: Sequence[str]) -> list[str]:
    """Return the apps to list, those with migrations unless some were asked for."""
    readable = [label for domain in found.domains for label in domain.app_labels]
    return [
        label
        for label in labels or readable
        if label in readable and (labels or migrations_on_disk([label]))
    ]


def _concerns(domain: Domain, labels: set[str]) -> bool:
    return not labels or not labels.isdisjoint(domain.app_labels)


def _remarks(connection: BaseDatabaseWrapper, found: Elsewhere, labels: set[str]) -> Iterator[str]:
    """Yield what the list does not show about the domains of these apps; of all if none."""
    for name, key in interrupted_migrations(connection, found.domains).items():
        if not labels or key.app in labels:
            resume = f"manage.py repair_domain {name} --resume"
            yield f"{key} was interrupted; to resume it, run: {resume}"
    for name, text in found.remarks:
        if not name or _concerns(get_domain(name), labels):
            yield text
