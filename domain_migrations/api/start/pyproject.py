"""A new domain in ``pyproject.toml``: import-linter's contracts, and the imports' order.

Comments and layout are kept, so the text is edited; what it then says is read again.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, NamedTuple

MARKED = re.compile(r"#[^\n]*\ba new one is added here\b[^\n]*\n")
TOKEN = re.compile(r"""\"[^"\n]*\"|'[^'\n]*'|\#[^\n]*|.""", re.DOTALL)
"""Of a list of strings: one of them, a comment or a letter."""
INDENT = re.compile(r"\n([ \t]*)(?=[^\s])")
LISTS = (
    re.compile(r"^known-first-party[ \t]*=[ \t]*\[", re.MULTILINE),
    re.compile(r"^root_packages[ \t]*=[ \t]*\[", re.MULTILINE),
)
CONTRACT = """\
[[tool.importlinter.contracts]]
name = "No domain imports another"
type = "independence"
modules = [
    # The domains; a new one is added here.
    "{name}",
]"""


def add_domain(text: str, name: str) -> str:
    """Return the text with the domain in every marked list, and in those of all packages.

    It comes back as it is where it has no such lists, or where they are none of plain strings.
    """
    before = text
    for position in [match.end() for match in reversed(list(MARKED.finditer(text)))]:
        text = _append_to_list(text, position, name)
    for pattern in LISTS:
        if match := pattern.search(text):
            text = _append_to_list(text, match.end(), name)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return before
    return text


def has_contract(text: str, name: str) -> bool:
    """Return whether a contract of import-linter names the domain."""
    linter: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("importlinter", {})
    return any(
        name in contract.get("modules", ()) and contract.get("type") == "independence"
        for contract in linter.get("contracts", ())
    )


def _append_to_list(text: str, start: int, name: str) -> str:
    """Add the name to the list of strings that has its closing bracket next behind `start`."""
    found = _entries(text, start)
    if found is None:
        return text
    entries, end = found
    inside = text[start:end]
    values = [entry[0][1:-1] for entry in entries]
    last = values[-1] if values else ""
    entry = f"{name}.*" if last.endswith(".*") else name
    if entry in values:
        return text
    if "\n" not in inside:
        ordered = [*values, entry]
        quoted = [*(entry[0] for entry in entries), f'"{entry}"']
        if values == sorted(values):
            quoted = [item for _, item in sorted(zip(ordered, quoted, strict=True))]
        return text[:start] + ", ".join(quoted) + text[end:]
    indent = (INDENT.findall(f"\n{inside}") or ["    "])[-1]
    newline = "\r\n" if "\r\n" in text else "\n"
    body = inside.rstrip()
    tail = inside[len(body) :] or newline
    if entries and not entries[-1].has_comma:
        behind = entries[-1].end - start
        body = f"{body[:behind]},{body[behind:]}"
    return f'{text[:start]}{body}{newline}{indent}"{entry}",{tail}{text[end:]}'


class _Entry(NamedTuple):
    """A string of a list, with its quotes, and where it ends."""

    quoted: str
    end: int
    has_comma: bool = False


def _entries(text: str, start: int) -> tuple[list[_Entry], int] | None:
    """Return a list's strings behind `start` and where it is closed; None if it is no such list."""
    entries: list[_Entry] = []
    for token in TOKEN.finditer(text, start):
        if token[0] == "]":
            return entries, token.start()
        if token[0][0] in "\"'":
            entries.append(_Entry(token[0], token.end()))
        elif token[0] == "," and entries:
            entries[-1] = entries[-1]._replace(has_comma=True)
        elif token[0][0] != "#" and not token[0].isspace():
            return None
    return None
