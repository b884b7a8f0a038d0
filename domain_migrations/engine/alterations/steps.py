"""A statement of a change, and what it does to the rows and to those who use them meanwhile."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import NamedTuple


class Effect(enum.Enum):
    """What executing a statement may cost."""

    QUICK = "nothing but a short lock"
    LOSES = "rows or values may be lost"
    REWRITES = "a table is rewritten, and values that do not fit are lost or refused"
    SCANS = "all rows are read under a strong lock"
    NOT_NULL = "all rows are read under a strong lock, and none may be NULL"
    BUILDS = "an index is built, which can be done concurrently"
    CHECKS = "rows are checked, which can be done later"
    ADDS_LABEL = "a label that the same transaction cannot use"
    OPENS = "more rows can be read or written than before"


class Step(NamedTuple):
    """One statement, without its semicolon."""

    sql: str
    effect: Effect = Effect.QUICK


def quick(*statements: str) -> list[Step]:
    return [Step(statement) for statement in statements]


def set_options(target: str, before: Iterable[str], after: Iterable[str]) -> list[Step]:
    """Return the steps from ``name=value`` options to others.

    Arguments:
        target: the beginning of the statement: ``ALTER TABLE a.b ``.
    """
    old, new = _options(before), _options(after)
    changed = [f"{name}={value}" for name, value in new.items() if old.get(name) != value]
    removed = [name for name in old if name not in new]
    found = [f"SET ({', '.join(changed)})"] if changed else []
    found += [f"RESET ({', '.join(removed)})"] if removed else []
    return quick(*(f"{target}{clause}" for clause in found))


def _options(texts: Iterable[str]) -> dict[str, str]:
    return dict(option.split("=", 1) for text in texts for option in text.split(", ") if option)
