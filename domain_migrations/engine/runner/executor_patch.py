"""The replacement of the methods by which Django's own executor runs migrations.

A command that derives from Django's ``migrate``, or a package that uses the executor itself, would
run migrations of domains without locks, guard and journal. Django has no setting for its executor.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from ...backends.postgresql.base import QualifiedNamesMixin
from ...domains import get_domains

METHODS = ("migrate", "apply_migration", "unapply_migration")


def patch_django() -> None:
    """Replace the methods, once, where the class is defined: some modules import it by name."""
    for name in METHODS:
        method = getattr(MigrationExecutor, name)
        if not hasattr(method, "__wrapped__"):
            setattr(MigrationExecutor, name, _as_a_run(method))


def _as_a_run(method: Any) -> Any:
    @functools.wraps(method)
    def run(executor: MigrationExecutor, *args: Any, **kwargs: Any) -> Any:
        if not _is_plain(executor):
            return method(executor, *args, **kwargs)
        # Imported here, because few commands run migrations.
        module = import_module(".plain_run", __package__)
        with module.plain_run(executor) as running:
            replaced = getattr(running, method.__name__, functools.partial(method, executor))
            return replaced(*args, **kwargs)

    return run


def _is_plain(executor: MigrationExecutor) -> bool:
    """Return whether it is not the engine's own, in a project with domains."""
    return (
        not hasattr(executor, "domain")
        # Tests pass the proxy django.db.connection, which has another class.
        and isinstance(connections[executor.connection.alias], QualifiedNamesMixin)
        and len(get_domains()) > 1
    )
