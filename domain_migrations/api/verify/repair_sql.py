"""The SQL that brings a schema back to what the code says.

A statement is commented out where it may lose rows or values, rewrite a table, or read a large
one under a strong lock; and where it needs another one that is commented out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...domains import Domain
from ...engine.alterations.changes import Change
from ...engine.alterations.definition import Key
from ...engine.alterations.steps import Effect, Step
from ...engine.messages import Finding
from .repair_findings import names_of, plain, with_findings
from .repair_script import Repair, RepairScript, RepairStatement
from .row_facts import RowFacts

ALWAYS = {
    Effect.LOSES: "rows or values may be lost",
    Effect.REWRITES: "the table is rewritten, and values that do not fit are refused or lost",
    Effect.OPENS: "more rows can be read or written afterwards",
}


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
    left_alone = {plain(finding.object) for finding in ignored}
    wanted = [change for change in changes if not _is_about(left_alone, change)]
    repairs = _with_reasons(_Writer(wanted, facts).repairs())
    matched = with_findings(repairs, findings)
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
        return _consistent(Repair(change, (), *map(tuple, parts.values())))

    def _placed(self, change: Change, step: Step) -> Iterator[tuple[str, RepairStatement]]:
        item, sql = change.item, f"{step.sql};"
        is_old = item.relation in self.facts.tables
        if step.effect is Effect.ADDS_LABEL:
            yield "first", RepairStatement(sql)
        elif change.verb == "restore":
            yield "last", RepairStatement(sql)
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


def _consistent(repair: Repair) -> Repair:
    """Return a repair in which nothing is done to a column that should have got another type."""
    is_rewritten = any(item.reason == ALWAYS[Effect.REWRITES] for item in repair.statements)
    if repair.change.item.kind == "column" and is_rewritten:
        return _commented(repair, "it belongs to the type of the column")
    return repair


def _with_reasons(repairs: list[Repair]) -> list[Repair]:
    """Return the repairs, those commented out too that need one that is commented out."""
    done = list(repairs)
    reasons: dict[Key, str] = {}
    changed = True
    while changed:
        changed = False
        reviewed = [repair.change for repair in done if repair.is_reviewed]
        reasons = {change.item.key: change.item.title for change in reviewed}
        # What others have to go for waits for the review of all of them.
        held = {key: change.item.title for change in reviewed for key in change.causes}
        for i, repair in enumerate(done):
            change = repair.change
            blocker = _blocker(change, reasons) or held.get(change.item.key, "")
            statements = (*repair.first, *repair.statements, *repair.last)
            if blocker and any(not statement.reason for statement in statements):
                done[i] = _commented(repair, f"it belongs to the change of the {blocker}")
                changed = True
    return done


def _blocker(change: Change, reasons: dict[Key, str]) -> str:
    """Return the object without whose change another one is not made; "" if there is none."""
    key = change.item.key
    if change.causes and change.causes <= reasons.keys():
        # It goes and comes back unchanged, for the sake of others.
        return reasons[min(change.causes)]
    if key in reasons:
        return reasons[key] if change.verb in ("create", "drop", "finish", "release") else ""
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


def _is_about(objects: Iterable[str], change: Change) -> bool:
    return any(
        name == about or name.startswith(f"{about}.")
        for about in objects
        for name in names_of(change)
    )
