"""The findings that the statements of a repair are about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ...engine.alterations.changes import Change
from ...engine.messages import Finding
from .repair_script import Repair


def with_findings(repairs: Sequence[Repair], findings: Sequence[Finding]) -> list[Repair]:
    """Return the repairs, each with the findings that it repairs."""
    found: list[list[Finding]] = [[] for _ in repairs]
    names = [names_of(repair.change) for repair in repairs]
    for finding in findings:
        for i in _places(finding, repairs, names):
            found[i].append(finding)
    pairs = zip(repairs, found, strict=True)
    return [replace(repair, findings=tuple(own)) for repair, own in pairs]


def _places(
    finding: Finding, repairs: Sequence[Repair], names: Sequence[Sequence[str]]
) -> list[int]:
    """Return the positions of the repairs of a finding.

    Arguments:
        names: those of the objects of the repairs, without quotes.
    """
    about = plain(finding.object)
    numbered = [(i, name) for i, each in enumerate(names) for name in each]
    if exact := [i for i, name in numbered if name == about]:
        titles = [i for i in exact if repairs[i].change.item.title in finding.message]
        return titles or exact
    table = about.rpartition(".")[0]
    if parts := [i for i, name in numbered if name.startswith(f"{about}.")]:
        return parts
    if whole := [i for i, name in numbered if about.startswith(f"{name}.")]:
        return whole
    if finding.kind not in ("drift", "leftover"):
        return []
    # What names something that is renamed gets its text back with it.
    was = [(i, repair.change.was) for i, repair in enumerate(repairs) if repair.change.was]
    message = plain(finding.message)
    if found := [
        i for i, name in was if re.search(rf"(?<!\w){re.escape(plain(name))}(?!\w)", message)
    ]:
        return found
    # Django derives some names; the object is another one of the same table.
    return [i for i, name in numbered if name.startswith(f"{table}.")]


def names_of(change: Change) -> list[str]:
    """Return the name of the object of a change, and the one before, without quotes."""
    item = change.item
    names = [item.title.removeprefix(f"{item.kind} ")]
    names += [".".join([*item.parts[:-1], change.was])] if change.was else []
    return [*map(plain, names)]


def plain(name: str) -> str:
    return name.replace('"', "")
