"""`manage.py migrate_domain inventory` with a timer in the guard, or without a guard.

    python -m benchmarks.guarded_run with|without

`benchmarks.guard` starts and times this process. Prints one JSON list: the seconds that the run
took after `django.setup()`, and the seconds spent in the guard.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from typing import Any, LiteralString

COMMAND = ["manage.py", "migrate_domain", "inventory", "--noinput"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_, kind = sys.argv
sys.argv = COMMAND

import django  # noqa: E402

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from domain_migrations.engine.guard.guard import BoundaryGuard  # noqa: E402
from domain_migrations.engine.guard.watch import Footprint, MigrationWatch  # noqa: E402
from domain_migrations.engine.runner import executor  # noqa: E402


class TimedGuard(BoundaryGuard):
    """The guard, with a timer."""

    seconds = 0.0

    def __init__(self, *arguments: Any) -> None:
        with _counted():
            super().__init__(*arguments)

    def begin(self, migration: Any, **options: Any) -> Any:
        with _counted():
            return TimedWatch(super().begin(migration, **options))


class TimedWatch:
    """The watch over one migration, with a clock."""

    def __init__(self, watch: MigrationWatch) -> None:
        self.watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.watch, name)

    def after_operation(self, operation: Any) -> None:
        with _counted():
            self.watch.after_operation(operation)

    def run_final(self, statement: LiteralString) -> None:
        with _counted():
            self.watch.run_final(statement)

    def check(self) -> Footprint:
        with _counted():
            return self.watch.check()

    def created(self, start: Any = None) -> list[str]:
        with _counted():
            return self.watch.created(start)


@contextmanager
def _counted() -> Iterator[None]:
    begun = time.perf_counter()
    yield
    TimedGuard.seconds += time.perf_counter() - begun


class Unguarded:
    """A stand-in for the guard and its watch that checks nothing."""

    start = None
    warnings: tuple[str, ...] = ()

    def __init__(self, connection: Any, _: object) -> None:
        self.connection = connection

    def begin(self, *_: object, **__: object) -> Unguarded:
        return self

    def observe(self, _: object) -> AbstractContextManager[None]:
        return nullcontext()

    def after_operation(self, *_: object) -> None:
        """Check nothing."""

    def run_final(self, statement: LiteralString) -> None:
        """Run it in a round trip of its own, as without a guard."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def check(self) -> Footprint:
        return {}

    def created(self, _: object) -> list[str]:
        return []


if __name__ == "__main__":
    vars(executor)["BoundaryGuard"] = {"with": TimedGuard, "without": Unguarded}[kind]
    begun = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        execute_from_command_line(COMMAND)
    print(json.dumps([time.perf_counter() - begun, TimedGuard.seconds]))
