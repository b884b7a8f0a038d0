"""The script that repairs a domain; it is printed, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...domains import Domain
from ...engine.alterations.changes import Change
from ...engine.messages import Finding

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


def _one_line(text: str) -> str:
    return " ".join(text.split())
