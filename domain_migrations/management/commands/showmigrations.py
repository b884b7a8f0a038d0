from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.commands import showmigrations
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ...api.show import DomainsRemark, interrupted_migrations, rows_elsewhere
from ...domains import get_domain, get_domains
from ...engine.history.recorder import counted_as_applied
from ...engine.sessions.connection import translate_database_errors
from ..console import command_errors


class Command(showmigrations.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors(), translate_database_errors(options["database"]):
            connection = connections[options["database"]]
            if connection.vendor != "postgresql":
                super().handle(*args, **options)
                return
            rows, remarks = rows_elsewhere(connection)
            with counted_as_applied(rows):
                super().handle(*args, **options)
            for line in _remarks(connection, remarks, set(options["app_label"])):
                self.stderr.write(self.style.WARNING(line))


def _remarks(
    connection: BaseDatabaseWrapper, remarks: Iterable[DomainsRemark], labels: set[str]
) -> Iterator[str]:
    """Yield what the list does not show about the domains of these apps; of all if none."""
    for name, key in interrupted_migrations(connection, get_domains()).items():
        if not labels or key.app in labels:
            resume = f"manage.py repair_domain {name} --resume"
            yield f"{key} was interrupted; to resume it, run: {resume}"
    for name, text in remarks:
        if not labels or not name or not labels.isdisjoint(get_domain(name).app_labels):
            yield text
