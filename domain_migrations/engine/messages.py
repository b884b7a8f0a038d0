"""Findings, and the wording that messages share."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from itertools import islice
from typing import NamedTuple

from django.utils.dateformat import format as format_date
from django.utils.timezone import is_aware, localtime


class Finding(NamedTuple):
    """One thing that ``verify_domain`` found in a database.

    Attributes:
        id: stable and never reused: ``H…``, ``C…``, ``D…``, ``U…``, ``B…`` or ``L…``.
        kind: ``history``, ``checksum``, ``drift``, ``boundary`` or ``leftover``.
        domain: the name of the domain that has to repair it.
        object: the object's qualified name, as PostgreSQL writes it.
        message: the object and what is wrong with it.
        hint: what to do.
        definition: what was found, if the coordinator's catalog does not have it.
    """

    id: str
    kind: str
    domain: str
    object: str
    message: str
    hint: str
    definition: str = ""

    @property
    def is_unmanaged(self) -> bool:
        """Whether it only informs about an object that no model manages."""
        return self.id.startswith("U")

    def as_json(self) -> dict[str, str]:
        shown = self._asdict()
        del shown["definition"]
        return shown


def local_time(moment: datetime.datetime) -> str:
    """Return the moment in the project's time zone, and the zone, as the admin pages show it."""
    return format_date(localtime(moment) if is_aware(moment) else moment, "Y-m-d H:i:s T")


def utc_time(moment: datetime.datetime) -> str:
    """Return the moment in UTC as ISO 8601 with seconds."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def printable(text: str) -> str:
    """Return the text with its control characters and line breaks written as Python does."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shortened(items: Collection[object], limit: int = 3) -> str:
    """Return ``a, b, c and 2 more`` for five items, and all of them up to the limit."""
    more = len(items) - limit
    listed = ", ".join(map(str, islice(items, limit)))
    return f"{listed} and {more} more" if more > 0 else listed


def counted(number: int, word: str) -> str:
    """Return ``1 table`` or ``2 tables``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
