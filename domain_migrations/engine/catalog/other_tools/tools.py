"""All tools whose histories are known, by their keys and by their tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ....exceptions import InvalidConfiguration
from .java import JAVA_TOOLS
from .node import KNEX, NODE_TOOLS
from .other_languages import OTHER_TOOLS
from .python import PYTHON_TOOLS
from .tool import HistoryTool

TOOLS = {tool.key: tool for tool in (*NODE_TOOLS, *JAVA_TOOLS, *PYTHON_TOOLS, *OTHER_TOOLS)}


def _known_tables() -> dict[str, dict[str, Collection[str]]]:
    tables: dict[str, dict[str, Collection[str]]] = {}
    for tool in TOOLS.values():
        for table, columns in tool.tables().items():
            tables.setdefault(table, {})[tool.title] = columns
    return tables


HISTORIES: Mapping[str, Mapping[str, Collection[str]]] = _known_tables()
"""Table → tool → columns that its history has."""


def get_tool(key: str) -> HistoryTool:
    """Return the tool with a key.

    Raises:
        InvalidConfiguration: there is none.
    """
    if key not in TOOLS:
        raise InvalidConfiguration(
            f'No migration tool "{key}" is known.',
            hint=f"The tools are {', '.join(sorted(TOOLS))}.",
        )
    return TOOLS[key]


def history_of(table: str, columns: Collection[str]) -> str | None:
    """Return the tool whose migration history a table is, by its name and columns.

    Knex's tables often have names like ``knex_migrations_inventory``, one for each schema. These
    count if they have exactly its columns.
    """
    found = [
        tool for tool, needed in HISTORIES.get(table, {}).items() if set(needed) <= set(columns)
    ]
    if not found and KNEX.key in table and set(columns) in map(set, KNEX.tables().values()):
        found = [KNEX.title]
    return f"{' or '.join(found)} or another tool" if len(found) > 1 else next(iter(found), None)


def describe_history(title: str, tool: str) -> tuple[str, str]:
    """Return the message and the hint of a finding about another tool's history."""
    return (
        f"The table {title} is the migration history of {tool}.",
        "Keep it as long as that tool migrates anything here: without it, the tool runs every"
        " migration again.",
    )
