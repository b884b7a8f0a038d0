"""What Django finds in the project: errors of system checks, and changes without a migration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.apps import apps
from django.core import checks
from django.core.management import get_commands, load_command_class
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.questioner import MigrationQuestioner
from django.db.migrations.state import ProjectState

from .blocker import Blocker


def errors() -> list[dict[str, str]]:
    """Return the errors of the project's system checks."""
    return [
        {"message": str(message.msg), "hint": str(message.hint or ""), "id": message.id or ""}
        for message in checks.run_checks()
        if message.level >= checks.ERROR and not message.is_silenced()
    ]


def new_errors(found: Collection[Mapping[str, str]]) -> list[Blocker]:
    """Return those errors of an edited project that this one has not."""
    known = errors() if found else []
    return [Blocker(each["message"], each["hint"]) for each in found if each not in known]


def missing_migrations(loader: MigrationLoader) -> dict[str, list[Migration]]:
    """Return what ``makemigrations`` would write, by app."""
    command: Any = load_command_class(get_commands()["makemigrations"], "makemigrations")
    detector = command.autodetector(
        loader.project_state(), ProjectState.from_apps(apps), MigrationQuestioner()
    )
    found: dict[str, list[Migration]] = detector.changes(graph=loader.graph)
    return found
