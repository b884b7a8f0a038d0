"""Callables that the tests' settings name as hooks."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.db import connections

called: list[tuple[str, dict[str, Any]]] = []
NOT_CALLABLE = 1


def record(run: dict[str, Any]) -> None:
    called.append((run["event"], run))


def record_as_well(run: dict[str, Any]) -> None:
    called.append((f"{run['event']} as well", run))


def talk(run: dict[str, Any]) -> None:
    print("said \0 and \udc80")
    print("on standard error", file=sys.stderr)


def refuse(run: dict[str, Any]) -> None:
    raise ValueError("the moon is full\nsecond line")


def duplicate(run: dict[str, Any]) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE twice (secret text PRIMARY KEY)")
        cursor.execute("INSERT INTO twice VALUES ('Miller'), ('Miller')")


def dawdle(run: dict[str, Any]) -> None:
    try:
        time.sleep(30)
    except Exception:
        called.append(("never", run))


def leave_the_process(run: dict[str, Any]) -> None:
    raise SystemExit(3)


def close_the_connection(run: dict[str, Any]) -> None:
    connections["default"].close()


def begin(run: dict[str, Any]) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("BEGIN")


def end_the_session(run: dict[str, Any]) -> None:
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s, 5000)",
            [connections["default"].connection.info.backend_pid],
        )
    other.close()
