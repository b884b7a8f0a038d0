"""Names as they can be shown anywhere."""

from __future__ import annotations

import re
import unicodedata

from .graph import Edge

_BREAKS = re.compile(r"\s+")
_UNSAFE = re.compile(r"[^a-z0-9_]")


def strip_control(text: str) -> str:
    """Return the text on one line, without characters that XML or a terminal cannot have."""
    return "".join(
        "\ufffd"
        if unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"
        else character
        for character in _BREAKS.sub(" ", text)
    )


def display_width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )  # fmt: skip


def html_id(edge: Edge) -> str:
    """Return the edge's name as a fragment of an address."""
    return f"{edge.kind}-{_plain(edge.source)}-{_plain(edge.target)}"


def _plain(name: str) -> str:
    return _UNSAFE.sub(lambda match: f".{ord(match[0]):x}.", name)
