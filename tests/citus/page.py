"""The page on migrations and Citus, written from the results of the runs."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.citus.kinds import KINDS
from tests.citus.violations import VIOLATIONS
from tests.support.commands import ROOT

PAGE = ROOT / "docs/reference/citus-migrations.md"

HEAD = """\
# Migrations on Citus

Kinds of migration, each applied and reverted by `migrate_domain` on plain PostgreSQL and in a
domain that is distributed on a cluster of a coordinator and two workers: Django {django},
PostgreSQL {server}, Citus {citus}. `python -m tests.citus` runs them, and writes this page from
what happened.

- **works**: it was applied and reverted, with the same catalog on the coordinator as on plain
  PostgreSQL each time, and every table could be read.
- **works in another form**: the same, but `migrate_domain` [sent other
  statements](../how-to/citus.md#migrate).
- **differs**: the same, but Citus has changed something else, too.
- **refused**: nothing was changed; the sentence is that of `migrate_domain`, and the rule that of
  [`lint_domain --engine citus`](../how-to/lint.md#what-citus-refuses), which reports it before.

Of {total} kinds: {works} work, {other} in another form; different: {differs}; refused: {refused}.
"""
VIOLATIONS_HEAD = """
## Violations of the boundary

The guard refuses on a cluster what it refuses on plain PostgreSQL; where Citus refuses it first,
the sentence is the server's. What it does not see are [triggers and checks on the
nodes](../explanation/citus.md#who-does-what).

| migration | plain | distributed |
|---|---|---|
"""
WORKS, OTHER_FORM, DIFFERS, REFUSED = "works", "works in another form", "differs", "refused"


LEFT_OUT = (
    r"^Migration \S+ (?:failed|is refused)(?: at operation[^:]*)?: ",
    r"^its operation \d+, Run(?:SQL|Python), ",
    r"^\w+Error: ",
    r" ?\((?:tests|lab|domain_migrations)/[^)]*\)",
    r" It was rolled back\. Applied before it in this run: none\.",
    r" Correct the cause and run the command again; it continues from here\.",
    r" A domain may depend only on itself and core\..*",
)


class Outcome(NamedTuple):
    word: str
    sentence: str = ""
    rules: tuple[str, ...] = ()

    @property
    def cell(self) -> str:
        text = f"{self.word}: {self.sentence}" if self.sentence else self.word
        return text + "".join(f" `{rule}`" for rule in self.rules)


def outcomes(plain: Mapping[str, Any], distributed: Mapping[str, Any]) -> tuple[Outcome, Outcome]:
    """What happened on plain PostgreSQL, and in a distributed domain."""
    first = _outcome(plain)
    second = _outcome(distributed)
    if second.word == WORKS:
        different = [
            f"{schema} differs {when}"
            for when, key in (("after it", "state"), ("after its reverse", "back"))
            for schema in ("lab", "stock", "public")
            if first.word == WORKS and plain[key][schema] != distributed[key][schema]
        ]
        if different or distributed["unusable"]:
            second = Outcome(DIFFERS, distributed["unusable"] or _difference(plain, distributed))
        elif _sent(plain) != _sent(distributed):
            second = Outcome(OTHER_FORM)
    elif second.word == REFUSED:
        second = second._replace(rules=tuple(plain["rules"]))
    return first, second


def _difference(plain: Mapping[str, Any], distributed: Mapping[str, Any]) -> str:
    """The first lines that are not the same in the two catalogs."""
    for key, schema in itertools.product(("state", "back"), ("lab", "stock", "public")):
        sides = (each[key][schema].splitlines() for each in (plain, distributed))
        lines = difflib.ndiff(*sides)
        changed = [line for line in lines if line[0] in "+-"]
        if changed:
            old, new = (
                ", ".join(line[1:].strip() for line in changed if line[0] == sign) for sign in "-+"
            )
            return f"`{old}` is `{new}`."
    return "The catalogs differ."


def _outcome(result: Mapping[str, Any]) -> Outcome:
    error = result["error"] or result["back_error"]
    if error is None:
        return Outcome(WORKS)
    word = REFUSED if result["error"] else "reverse refused"
    return Outcome(word, _sentence(f"{error['message']} {error['hint']}"))


def _sentence(text: str) -> str:
    """The words about the cause and the form that works, without those that are always there."""
    text = " ".join(text.split())
    for pattern in LEFT_OUT:
        text = re.sub(pattern, "", text)
    text = re.sub(r"_\d{6}\b", "_102008", text)
    return text[0].upper() + text[1:].strip().replace("|", "\\|")


def _sent(result: Mapping[str, Any]) -> list[str]:
    """The statements, without those that only set what every transaction sets."""
    sent = [*result["sent"], *result["back_sent"]]
    sent = [re.sub(r"'[0-9a-f-]{36}'", "…", text.rstrip(";")) for text in sent]
    return [text for text in sent if not text.upper().startswith("SET LOCAL")]


def contradictions(
    plain: Sequence[Mapping[str, Any]], distributed: Sequence[Mapping[str, Any]]
) -> list[str]:
    """What is refused and not found by lint, or found and not refused, or refused and half done."""
    found = []
    for one, other in zip(plain, distributed, strict=True):
        first, second = outcomes(one, other)
        is_refused = second.word == REFUSED
        if first.word == WORKS and is_refused != bool(one["rules"]):
            found.append(f"{one['title']}: {second.word}, lint: {one['rules']}")
        if any(each["error"] and not each["unchanged"] for each in (one, other)):
            found.append(f"{one['title']}: refused, and half done")
    return found


def render(plain: Sequence[Mapping[str, Any]], distributed: Sequence[Mapping[str, Any]]) -> str:
    pairs = {
        (one["group"], one["title"]): outcomes(one, other)
        for one, other in zip(plain, distributed, strict=True)
    }
    found = [pairs[kind.group, kind.title][1].word for kind in KINDS]
    text = HEAD.format(
        **distributed[0]["versions"],
        total=len(KINDS),
        works=found.count(WORKS),
        other=found.count(OTHER_FORM),
        differs=found.count(DIFFERS),
        refused=found.count(REFUSED),
    )
    for group, kinds in itertools.groupby(KINDS, key=lambda kind: kind.group):
        text += f"\n## {group}\n\n| migration | plain | distributed |\n|---|---|---|\n"
        text += "".join(_row(kind.title, *pairs[group, kind.title]) for kind in kinds)
    text += VIOLATIONS_HEAD
    for kind in VIOLATIONS:
        first, second = pairs[kind.group, kind.title]
        text += _row(kind.title, first._replace(sentence=""), second._replace(rules=()))
    return text


def _row(title: str, plain: Outcome, distributed: Outcome) -> str:
    return f"| {title} | {plain.cell} | {distributed.cell} |\n"


def rows(text: str) -> Iterator[tuple[str, str, str, str]]:
    """The group and the cells of each row of the page."""
    group = ""
    for line in text.splitlines():
        if line.startswith("## "):
            group = line[3:]
        elif line.startswith("| ") and not line.startswith("| migration "):
            title, plain, distributed = re.split(r"(?<!\\) \| ", line[2:-2])
            yield group, title, plain, distributed
