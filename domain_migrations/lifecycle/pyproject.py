"""A new domain in ``pyproject.toml``: import-linter's contracts, and the imports' order.

Comments and layout are kept, so the text is edited; what it then says is read again.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MARKED = re.compile(r"#[^\n]*\ba new one is added here\b[^\n]*\n")
ENTRY = re.compile(r'"([^"\n]*)"')
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


def with_domain(text: str, name: str) -> str:
    """Return the text with the domain in every marked list, and in those of all packages."""
    for position in [match.end() for match in reversed(list(MARKED.finditer(text)))]:
        text = _extended(text, position, name)
    for pattern in LISTS:
        if match := pattern.search(text):
            text = _extended(text, match.end(), name)
    tomllib.loads(text)
    return text


def has_contract(text: str, name: str) -> bool:
    """Return whether a contract of import-linter names the domain."""
    linter: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("importlinter", {})
    return any(
        name in contract.get("modules", ()) and contract.get("type") == "independence"
        for contract in linter.get("contracts", ())
    )


def _extended(text: str, start: int, name: str) -> str:
    """Add the name to the list of strings that has its next closing bracket behind `start`."""
    end = text.index("]", start)
    inside = text[start:end]
    entries = ENTRY.findall(inside)
    entry = f"{name}.*" if entries and entries[-1].endswith(".*") else name
    if entry in entries:
        return text
    if "\n" in inside:
        indent = re.findall(r"\n([ \t]*)(?=[^\s])", f"\n{inside}")[-1]
        body = inside.rstrip()
        comma = "" if body.endswith(",") or not entries else ","
        tail = inside[len(body) :]
        return f'{text[:start]}{body}{comma}\n{indent}"{entry}",{tail}{text[end:]}'
    ordered = sorted([*entries, entry]) if entries == sorted(entries) else [*entries, entry]
    return text[:start] + ", ".join(f'"{item}"' for item in ordered) + text[end:]
