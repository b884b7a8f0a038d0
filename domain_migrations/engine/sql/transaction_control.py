"""Statements that begin or end a transaction."""

from __future__ import annotations

import itertools
import re

from .lexer import split_statements, tokens

MAY_CONTROL = re.compile(
    r"(?:\A|;|\*/|[\n\r])\s*(?:begin|start|commit|rollback|end|abort|prepare)\b", re.IGNORECASE
)
"""Where a statement may begin, one of these words; long texts without it need not be read."""

BEGIN = frozenset({"BEGIN", "START TRANSACTION"})
COMMIT = frozenset({"COMMIT", "END", "PREPARE TRANSACTION"})
ROLLBACK = frozenset({"ROLLBACK", "ABORT"})


def transaction_command(statement: str) -> str:
    """Return the words with which one statement begins or ends a transaction, else ""."""
    visible = (token.raw.upper() for token in tokens(statement) if not token.is_blank)
    words = list(itertools.islice(visible, 3))
    first, second = [*words, "", ""][:2]
    if first in ("START", "PREPARE"):
        return f"{first} {second}" if second == "TRANSACTION" else ""
    if first == "ROLLBACK" and "TO" in words:
        return ""
    return first if first in BEGIN | COMMIT | ROLLBACK else ""


def split_at_transactions(text: str) -> list[str]:
    """Return the statements of a text with transactions of its own; a text without any as it is."""
    if not MAY_CONTROL.search(text):
        return [text]
    try:
        parts = split_statements(f"{text}\n;")
    except ValueError:
        return [text]  # The server says what is wrong with it.
    return parts if any(map(transaction_command, parts)) else [text]
