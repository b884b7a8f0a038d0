"""The SQL that brings a schema back to what the code says; it is printed, never run.

A statement is commented out where it may lose rows or values, rewrite a table, or read a large
one under a strong lock; and where it needs another one that is commented out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...domains import Domain
from ...engine.alterations.changes import Change
from ...engine.alterations.definition import Key
from ...engine.alterations.steps import Effect, Step
from ...engine.messages import Finding
from .row_facts import RowFacts

ALWAYS = {
    Effect.LOSES: "rows or values may be lost",
    Effect.REWRITES: "the table is rewritten, and values that do not fit are refused or lost",
    Effect.OPENS: "more rows can be read or written afterwards",
}
BY_HAND = "No statement is known for this: change it by hand, or drop it and create it again."
CARRIAGE_RETURN = re.compile(r"\r(?!\n)")
SETTINGS = ("SET LOCAL search_path = ''", "SET LOCAL check_function_bodies = off")


class RepairStatement(NamedTuple):
    """A statement with its semicolon, and why it is commented out, "" if it is not."""

    sql: str
    reason: str = ""

    def lines(self) -> Iterator[str]:
        """Yield the statement, each line as a comment if it has a reason.

        A carriage return alone ends a comment of SQL too, and names and texts may contain one.
        """
        if not self.reason:
            yield self.sql
            return
        yield f"-- Review first: {_one_line(self.reason)}."
        text = CARRIAGE_RETURN.sub("\r-- ", self.sql)
        yield from (f"-- {line}" if line else "--" for line in text.split("\n"))

    def as_json(self) -> dict[str, str | None]:
        return {"sql": self.sql, "reason": self.reason or None}


@dataclass(frozen=True)
class Repair:
    """The statements about one object.

    Attributes:
        findings: those that they repair; none if only a comparison with the migrations shows it.
        first, statements, last: before, in, and after the transaction.
    """

    change: Change
    findings: tuple[Finding, ...] = ()
    first: tuple[RepairStatement, ...] = ()
    statements: tuple[RepairStatement, ...] = ()
    last: tuple[RepairStatement, ...] = ()

    @property
    def is_reviewed(self) -> bool:
        """Whether a statement of it is commented out."""
        return any(item.reason for item in (*self.first, *self.statements, *self.last))

    def heading(self) -> Iterator[str]:
        for finding in self.findings:
            yield f"-- {finding.id} {_one_line(finding.message)}"
        if not self.findings:
            yield f"-- {_one_line(self.change.sentence)}"


@dataclass(frozen=True)
class RepairScript:
    """The repair of one domain.

    Attributes:
        unrepaired: findings that no statement repairs.
    """

    domain: Domain
    database: str
    repairs: tuple[Repair, ...] = ()
    unrepaired: tuple[Finding, ...] = field(default=())

    def text(self) -> str:
        return "\n".join([*self._lines(), ""])

    def of_finding(self, finding: Finding) -> list[RepairStatement]:
        """Return the statements that repair a finding, in their order."""
        own = [repair for repair in self.repairs if finding in repair.findings]
        return [
            statement
            for part in ("first", "statements", "last")
            for repair in own
            for statement in getattr(repair, part)
        ]

    def _lines(self) -> Iterator[str]:
        name = self.domain.name
        yield f'-- Repair of the domain {name}, schema "{self.domain.schema}", in the database'
        yield f'-- "{self.database}". Written by: manage.py verify_domain {name} --repair-sql'
        yield "-- Nothing was run. Review it, and run it with: psql --set ON_ERROR_STOP=1"
        if not self.repairs and not self.unrepaired:
            yield "-- There is nothing to repair."
        yield from self._section("first")
        if any(repair.statements or not repair.change.steps for repair in self.repairs):
            yield from ("", "BEGIN;", *(f"{setting};" for setting in SETTINGS))
            yield from self._section("statements")
            yield from ("", "COMMIT;")
        yield from self._section("last")
        if self.unrepaired:
            yield ""
            yield "-- Not repaired by SQL:"
        for finding in self.unrepaired:
            yield f"-- {finding.id} {_one_line(finding.message)}"
            yield f"--      {_one_line(finding.hint)}"

    def _section(self, name: str) -> Iterator[str]:
        for repair in self.repairs:
            statements: Sequence[RepairStatement] = getattr(repair, name)
            by_hand = name == "statements" and not repair.change.steps
            if statements or by_hand:
                yield ""
                yield from repair.heading()
            if by_hand:
                yield f"-- {BY_HAND}"
            for statement in statements:
                yield from statement.lines()


def make_script(
    domain: Domain,
    database: str,
    changes: Sequence[Change],
    facts: RowFacts,
    *,
    findings: Sequence[Finding],
    ignored: Iterable[Finding] = (),
) -> RepairScript:
    """Return the repair that makes the changes.

    Arguments:
        findings: what ``verify_domain`` found in the domain.
        ignored: findings about what is to stay as it is.
    """
    left_alone = {_plain(finding.object) for finding in ignored}
    wanted = [change for change in changes if not _is_about(left_alone, change)]
    repairs = _with_reasons(_Writer(wanted, facts).repairs())
    matched = _with_findings(repairs, findings)
    found = {finding for repair in matched for finding in repair.findings}
    rest = tuple(finding for finding in findings if finding not in found)
    return RepairScript(domain, database, tuple(matched), rest)


class _Writer:
    """The statements of changes in the form that locks least."""

    def __init__(self, changes: Sequence[Change], facts: RowFacts) -> None:
        self.changes, self.facts = changes, facts
        self.needed = {key for change in changes for key in change.needs}

    def repairs(self) -> list[Repair]:
        return [self._repair(change) for change in self.changes]

    def _repair(self, change: Change) -> Repair:
        parts: dict[str, list[RepairStatement]] = {"first": [], "statements": [], "last": []}
        for step in change.steps:
            for place, statement in self._placed(change, step):
                # A comment on an index has to wait for it.
                after = "last" if parts["last"] and step.effect is Effect.QUICK else place
                parts[after].append(statement)
        return Repair(change, (), *map(tuple, parts.values()))

    def _placed(self, change: Change, step: Step) -> Iterator[tuple[str, RepairStatement]]:
        item, sql = change.item, f"{step.sql};"
        is_old = item.relation in self.facts.tables
        if step.effect is Effect.ADDS_LABEL:
            yield "first", RepairStatement(sql)
        elif step.effect is Effect.BUILDS and is_old and self._can_wait(change):
            yield "last", RepairStatement(sql.replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
        elif step.effect is Effect.CHECKS and is_old and not self._is_partitioned(change):
            yield "statements", RepairStatement(f"{step.sql} NOT VALID;")
            validate = f"ALTER TABLE {item.table} VALIDATE CONSTRAINT {item.own_name};"
            yield "last", RepairStatement(validate)
        elif " VALIDATE CONSTRAINT " in sql and step.effect is Effect.QUICK:
            yield "last", RepairStatement(sql)
        elif sql.startswith("REINDEX INDEX "):
            yield "last", RepairStatement(sql.replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
        else:
            yield "statements", RepairStatement(sql, self._reason(change, step))

    def _can_wait(self, change: Change) -> bool:
        """Return whether an index can be built concurrently, after the transaction."""
        needed = change.item.key in self.needed
        return not (needed or change.causes or self._is_partitioned(change))

    def _is_partitioned(self, change: Change) -> bool:
        facts = self.facts.tables.get(change.item.relation or "")
        return facts is not None and facts.is_partitioned

    def _reason(self, change: Change, step: Step) -> str:
        if step.effect in ALWAYS:
            return ALWAYS[step.effect]
        if step.effect is Effect.NOT_NULL:
            return self.facts.not_null_problem(change.item)
        if step.effect in (Effect.SCANS, Effect.BUILDS, Effect.CHECKS):
            return self.facts.too_large(change.item.relation)
        return ""


def _with_reasons(repairs: list[Repair]) -> list[Repair]:
    """Return the repairs, those commented out too that need one that is commented out."""
    done = list(repairs)
    reasons: dict[Key, str] = {}
    changed = True
    while changed:
        changed = False
        reasons = {r.change.item.key: r.change.item.title for r in done if r.is_reviewed}
        for i, repair in enumerate(done):
            blocker = _blocker(repair.change, reasons)
            statements = (*repair.first, *repair.statements, *repair.last)
            if blocker and any(not statement.reason for statement in statements):
                done[i] = _commented(repair, f"it belongs to the change of the {blocker}")
                changed = True
    return done


def _blocker(change: Change, reasons: dict[Key, str]) -> str:
    """Return the object without whose change another one is not made; "" if there is none."""
    key = change.item.key
    if change.causes:
        # It goes and comes back unchanged, for the sake of others.
        is_for_those = change.causes <= reasons.keys()
        return reasons[min(change.causes)] if is_for_those else ""
    if key in reasons:
        return reasons[key] if change.verb in ("create", "drop", "finish") else ""
    return next((reasons[needed] for needed in sorted(change.needs) if needed in reasons), "")


def _commented(repair: Repair, reason: str) -> Repair:
    def all_of(statements: Iterable[RepairStatement]) -> tuple[RepairStatement, ...]:
        return tuple(RepairStatement(sql, old or reason) for sql, old in statements)

    return replace(
        repair,
        first=all_of(repair.first),
        statements=all_of(repair.statements),
        last=all_of(repair.last),
    )


def _with_findings(repairs: Sequence[Repair], findings: Sequence[Finding]) -> list[Repair]:
    found: list[list[Finding]] = [[] for _ in repairs]
    names = [_plain(_name(repair.change)) for repair in repairs]
    for finding in findings:
        for i in _places(finding, repairs, names):
            found[i].append(finding)
    pairs = zip(repairs, found, strict=True)
    return [replace(repair, findings=tuple(own)) for repair, own in pairs]


def _places(finding: Finding, repairs: Sequence[Repair], names: Sequence[str]) -> list[int]:
    """Return the positions of the repairs of a finding.

    Arguments:
        names: those of the objects of the repairs, without quotes.
    """
    about = _plain(finding.object)
    numbered = list(enumerate(names))
    if exact := [i for i, name in numbered if name == about]:
        titles = [i for i in exact if repairs[i].change.item.title in finding.message]
        return titles or exact
    table = about.rpartition(".")[0]
    if parts := [i for i, name in numbered if name.startswith(f"{about}.")]:
        return parts
    if whole := [i for i, name in numbered if about.startswith(f"{name}.")]:
        return whole
    # Django derives some names; the object is another one of the same table.
    is_part = finding.kind in ("drift", "leftover")
    return [i for i, name in numbered if is_part and name.startswith(f"{table}.")]


def _name(change: Change) -> str:
    return change.item.title.removeprefix(f"{change.item.kind} ")


def _is_about(objects: Iterable[str], change: Change) -> bool:
    name = _plain(_name(change))
    return any(name == about or name.startswith(f"{about}.") for about in objects)


def _plain(name: str) -> str:
    return name.replace('"', "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
