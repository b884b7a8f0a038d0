"""Errors of the project's system checks, and changes of its models without a migration."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.core import checks
from django.core.management import get_commands, load_command_class
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState
from django.db.models import Model


def errors() -> list[dict[str, str]]:
    """Return the errors of the project's system checks.

    The message of one that is not about a model, such as the admin's, begins with its class.
    """
    return [
        {"message": _message(error), "hint": str(error.hint or ""), "id": error.id or ""}
        for error in checks.run_checks()
        if error.level >= checks.ERROR and not error.is_silenced()
    ]


def _message(error: checks.CheckMessage) -> str:
    kind = error.obj
    if isinstance(kind, type) and not issubclass(kind, Model):
        return f"{kind.__module__}.{kind.__qualname__}: {error.msg}"
    return str(error.msg)


def new_errors(found: Collection[dict[str, str]]) -> list[dict[str, str]]:
    """Return those errors of an edited project that this one has not."""
    known = errors() if found else []
    return [error for error in found if error not in known]


def missing_migrations(loader: MigrationLoader) -> dict[str, list[Migration]]:
    """Return what ``makemigrations`` would write, by app."""
    command: Any = load_command_class(get_commands()["makemigrations"], "makemigrations")
    detector = command.autodetector(
        loader.project_state(), ProjectState.from_apps(apps), MigrationQuestioner()
    )
    found: dict[str, list[Migration]] = detector.changes(graph=loader.graph)
    return found
