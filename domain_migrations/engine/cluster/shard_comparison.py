"""The comparison of a shard with its table.

Citus adds the shard's number to the names of tables, indexes, constraints and triggers, and
shortens what gets too long. What is read again is deparsed a little differently. So parts are
compared by their definitions, with the tables' own names, without casts and parentheses; only
columns and policies have names that are alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .shard_catalog import Part

CAST = re.compile(
    r'::(?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?(?: varying| precision)?(?:\(\d+(?:,\d+)?\))?'
    r"(?: with(?:out)? time zone)?(?:\[\])*"
)
IGNORED = re.compile(r"[()\s]+")

# The rows of a shard were checked when it was made, and nothing inherits from it.
NOT_ON_SHARDS = re.compile(r" NO INHERIT\b| NOT VALID$")

KINDS = ("column", "constraint", "index", "trigger", "policy", "setting")
NAMED_ALIKE = ("column", "policy", "setting")
"""The kinds whose names are the same on shards."""


class PartDifference(NamedTuple):
    """What is different in one shard.

    Attributes:
        kind: of the part, or ``table`` if the shard does not exist.
        name: as the table has it, or as the shard has it if only that does.
        expected: the definition in the table; None if it has none.
        found: the definition in the shard; None if it has none.
    """

    kind: str
    name: str
    expected: str | None
    found: str | None


def compare_shard(
    table: Sequence[Part], shard: Sequence[Part], names: Mapping[str, str]
) -> list[PartDifference]:
    """Return how a shard differs from its table.

    Arguments:
        names: the qualified names of shards → those of their tables.
    """
    if not shard:
        return [PartDifference("table", "", "", None)]
    own = [part._replace(definition=_with_tables(part.definition, names)) for part in shard]
    found = []
    for kind in KINDS:
        ours = [part for part in table if part.kind == kind]
        theirs = [part for part in own if part.kind == kind]
        by_name = kind in NAMED_ALIKE
        missing, extra = _unmatched(ours, theirs, by_name), _unmatched(theirs, ours, by_name)
        for part in missing:
            other = next((each for each in extra if by_name and each.name == part.name), None)
            if other is not None:
                extra.remove(other)
            found.append(
                PartDifference(
                    kind, part.name, part.definition, other.definition if other else None
                )
            )
        found += [PartDifference(kind, part.name, None, part.definition) for part in extra]
    return found


def _unmatched(parts: Sequence[Part], others: Sequence[Part], by_name: bool) -> list[Part]:
    """Return the parts that none of the others is like; each of those is like one part only."""
    left = [_likeness(part, by_name) for part in others]
    unmatched = []
    for part in parts:
        if (likeness := _likeness(part, by_name)) in left:
            left.remove(likeness)
        else:
            unmatched.append(part)
    return unmatched


def _likeness(part: Part, by_name: bool) -> tuple[str, str]:
    definition = part.definition
    if part.kind == "constraint":
        definition = NOT_ON_SHARDS.sub("", definition)
    return part.name if by_name else "", IGNORED.sub("", CAST.sub("", definition))


def _with_tables(definition: str, names: Mapping[str, str]) -> str:
    """Return a definition with the names of tables in the place of those of shards."""
    for shard, table in names.items():
        if shard in definition:
            whole = rf'(?<![\w"]){re.escape(shard)}(?![\w"])'
            definition = re.sub(whole, table.replace("\\", r"\\"), definition)
    return definition
