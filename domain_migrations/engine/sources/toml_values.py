"""Values in the declarations beside migrations, which are files of TOML."""

from __future__ import annotations

import datetime
import json
import tomllib
from pathlib import Path
from typing import Any

from ...backends.postgresql.names import MAX_NAME_BYTES


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values in a file.

    Raises:
        ValueError: it cannot be read; the text is a predicate.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ValueError(f"cannot be read: {exc}") from exc


def is_name(value: Any) -> bool:
    """Return whether PostgreSQL can have the value as a name, and keeps all of it."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return 0 < len(value.encode()) <= MAX_NAME_BYTES


def is_date(value: Any) -> bool:
    """Return whether the value is a date without a time."""
    return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)


def quoted(text: str) -> str:
    """Return the text as a string of TOML."""
    # A basic string of TOML is one of JSON, except for DEL, which has to be escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
