"""Rules on strings of SQL of one's own that Django's own operations get divided for."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.migrations.operations.special import RunSQL

from ....engine.guard.operation_kinds import database_operations
from ....engine.sql.words import Words
from ..script import LintFinding, MigrationScript, Statement

UNNAMED_CONSTRAINT = "citus-unnamed-constraint"
COMBINED_CONSTRAINT = "citus-combined-constraint"
SEVERAL_STATEMENTS = "citus-several-statements"

CONSTRAINT_WORDS = ("constraint", "check", "unique", "primary", "foreign", "exclude")


def unnamed_constraints(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield constraints in SQL of one's own that Citus needs a name for, or a statement for."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        if not words.take("alter", "table") or not is_raw(script, statement):
            continue
        table = words.altered_table()
        actions = list(words.parts()) if table else []
        constraints = 0
        for action in actions:
            if not action.take("add"):
                continue
            if action.take("exclude"):
                text = f"An exclusion constraint of {table} without a name ends the server."
                hint = "Write ADD CONSTRAINT name EXCLUDE."
                yield script.finding(UNNAMED_CONSTRAINT, text, hint, statement)
            elif action.rest and action.rest[0].is_word(*CONSTRAINT_WORDS):
                constraints += 1
            elif _has_unnamed_check(action):
                text = f"Citus adds no column of {table} together with a check without a name."
                hint = "Add the column first, then ADD CONSTRAINT name CHECK (…) in a statement."
                yield script.finding(UNNAMED_CONSTRAINT, text, hint, statement)
        if constraints and len(actions) > 1:
            text = f"Citus takes no ADD CONSTRAINT of {table} beside another action."
            hint = "Write an ALTER TABLE for each."
            yield script.finding(COMBINED_CONSTRAINT, text, hint, statement)


def _has_unnamed_check(action: Words) -> bool:
    depth = 0
    for at, token in enumerate(action.rest, action.at):
        depth += token.is_operator("(") - token.is_operator(")")
        if not depth and token.is_word("check"):
            return not (at > 1 and action.tokens[at - 2].is_word("constraint"))
    return False


def several_statements(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the strings of several statements that Citus sends to a worker as one."""
    strings: set[int] = set()
    for statement in script.statements:
        if (
            not statement.alone
            and statement.string not in strings
            and _is_sent_as_written(statement.sql)
            and is_raw(script, statement)
        ):
            strings.add(statement.string)
            yield script.finding(
                SEVERAL_STATEMENTS,
                "Citus sends the whole string to a worker, which takes one statement at a time.",
                "Give RunSQL a list with one statement in each string.",
                statement,
            )


def _is_sent_as_written(sql: str) -> bool:
    words = Words.of(sql)
    if words.take("alter", "table"):
        words.altered_table()
        return not all(
            action.take("add", "column") and not action.has("constraint")
            for action in words.parts()
        )
    return any(
        words.take(*start)
        for start in (
            ("alter", "index"),
            ("drop", "index"),
            ("create", "index"),
            ("create", "unique", "index"),
            ("create", "trigger"),
            ("create", "constraint", "trigger"),
            ("drop", "trigger"),
        )
    )


def is_raw(script: MigrationScript, statement: Statement) -> bool:
    """Return whether the statement is the text of a ``RunSQL``, which is run as it is written.

    What Django writes for its own operations is divided by the run.
    """
    operation = script.migration.operations[statement.operation - 1]
    return any(isinstance(inner, RunSQL) for inner in database_operations([operation]))
