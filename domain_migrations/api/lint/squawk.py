"""Squawk, a linter of PostgreSQL's SQL: the program, and hints for its rules in migrations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass

from ...exceptions import InvalidConfiguration

SYNTAX_ERROR = "syntax-error"

IGNORED_RULES = frozenset(
    {
        # The engine sets the timeouts, and retries a migration or shows how to resume it.
        *("require-lock-timeout", "require-statement-timeout", "require-timeout-settings"),
        "prefer-robust-stmts",
        # Rules of our own know more about them.
        *("ban-concurrent-index-creation-in-transaction", "changing-column-type"),
        # Matters of taste, which the models decide.
        *("prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint"),
    }
)

DESTRUCTIVE_RULES = frozenset(
    {
        *("ban-drop-column", "ban-drop-table", "ban-drop-view", "ban-drop-function"),
        *("ban-drop-type", "ban-drop-sequence", "ban-drop-domain", "ban-drop-schema"),
        *("renaming-column", "renaming-table", "renaming-object"),
    }
)
"""Rules on changes that break code in use; ``stage = "after"`` waits until no code is left."""

NOT_VALID = (
    "Use AddConstraintNotValid, and ValidateConstraint in the next migration (both in"
    " django.contrib.postgres.operations)."
)
FOREIGN_KEY = (
    "Make the field with db_constraint=False; add the constraint by RunSQL with NOT VALID, and"
    " validate it in the next migration."
)
WAIT = 'Write stage = "after" in the migration, once no code that is left uses it.'

HINTS: dict[str, str] = {
    "adding-field-with-default": (
        "Add the field with null=True, fill it in a migration of its own, and require it later;"
        " a constant db_default is safe."
    ),
    "adding-foreign-key-constraint": FOREIGN_KEY,
    "adding-not-nullable-field": (
        "Add a check that it is not null, NOT VALID; validate it in the next migration; then"
        " AlterField to null=False, which finds the check and reads no rows."
    ),
    "adding-required-field": (
        "Add the field with null=True or a constant db_default, and require it once it is filled."
    ),
    "adding-serial-primary-key-field": "Create a new table with the key, and copy the rows.",
    "ban-drop-column": WAIT,
    "ban-drop-schema": WAIT,
    "ban-drop-table": WAIT,
    "ban-drop-not-null": "See that running code can read NULL there.",
    "constraint-missing-not-valid": NOT_VALID,
    "disallowed-unique-constraint": (
        "Build the unique index by CREATE UNIQUE INDEX CONCURRENTLY in a migration with"
        " atomic = False; then ADD CONSTRAINT … UNIQUE USING INDEX."
    ),
    "renaming-column": "Keep the column's name with db_column. " + WAIT,
    "renaming-table": "Keep the table's name with db_table. " + WAIT,
    "require-concurrent-index-creation": (
        "Use AddIndexConcurrently in a migration with atomic = False."
    ),
    "require-concurrent-index-deletion": (
        "Use RemoveIndexConcurrently in a migration with atomic = False."
    ),
    "require-concurrent-partition-detach": (
        "Use DETACH PARTITION … CONCURRENTLY in a migration with atomic = False."
    ),
    "require-concurrent-reindex": (
        "Use REINDEX … CONCURRENTLY in a migration with atomic = False."
    ),
    "syntax-error": "Check the statement; Squawk may not know all of PostgreSQL's syntax.",
}

UNIQUE_INDEX = (
    "Build it by RunSQL, CREATE UNIQUE INDEX CONCURRENTLY, with the operation as its"
    " state_operations, in a migration with atomic = False."
)
EXCLUSION = (
    "It cannot be NOT VALID: add it while there is little traffic, and write why that is safe."
)


def hint_for(rule: str, sql: str) -> str:
    """Return the hint for a rule on a statement; empty where Squawk's own has to do."""
    if rule == "require-concurrent-index-creation" and "UNIQUE INDEX" in sql:
        return UNIQUE_INDEX
    if rule == "constraint-missing-not-valid" and " EXCLUDE " in sql:
        return EXCLUSION
    return HINTS.get(rule, "")


ERRORS = frozenset(HINTS) - {"ban-drop-not-null", "syntax-error"} | {
    *("ban-drop-database", "ban-truncate-cascade", "ban-uncommitted-transaction"),
    "transaction-nesting",
    "renaming-object",
}
"""Rules on statements that block traffic, break running code or fail; others are warnings."""


@dataclass(frozen=True)
class SquawkFinding:
    """A finding of Squawk.

    Attributes:
        statement: the number of the statement, from 0.
    """

    statement: int
    rule: str
    message: str
    hint: str


class Squawk:
    """The program, or InvalidConfiguration where it is not installed.

    Arguments:
        server_version: PostgreSQL's, as ``connection.pg_version`` has it.
    """

    def __init__(self, server_version: int) -> None:
        self.version = f"{server_version // 10000}.{server_version % 10000}"
        folders = [sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
        program = shutil.which("squawk", path=os.pathsep.join(folders))
        if program is None:
            raise InvalidConfiguration(
                "The program squawk, which reads the SQL, is not installed.",
                hint='Run: pip install "squawk-cli>=2.60"',
            )
        self.program = program

    def knows(self, rule: str) -> bool:
        """Return whether Squawk has a rule of that name."""
        return not rule.startswith("-") and self._run("", f"--exclude={rule}").returncode == 0

    def read(self, statements: list[str], *, in_transaction: bool) -> list[SquawkFinding]:
        """Return Squawk's findings on the statements, which it reads as one file.

        A statement that it cannot parse is a ``syntax-error``; the others are linted without it.
        """
        findings: list[SquawkFinding] = []
        readable = dict(enumerate(statements))
        while readable:
            found = self._read(readable, in_transaction=in_transaction)
            unread = {finding.statement for finding in found if finding.rule == SYNTAX_ERROR}
            if not unread:
                return sorted([*findings, *found], key=lambda finding: finding.statement)
            first = {finding.statement: finding for finding in reversed(found)}
            findings += [first[number] for number in unread]
            readable = {n: sql for n, sql in readable.items() if n not in unread}
        return findings

    def _read(self, statements: dict[int, str], *, in_transaction: bool) -> list[SquawkFinding]:
        owners: list[int] = []
        for number, sql in statements.items():
            owners += [number] * len(sql.split("\n"))
        # Squawk's own comments that ignore a rule need no reason.
        script = "\n".join(statements.values()).replace("squawk-ignore", "squawk_ignore")
        wrapped = ["--assume-in-transaction"] if in_transaction else []
        result = self._run(script, f"--pg-version={self.version}", *wrapped)
        try:
            items = json.loads(result.stdout)
        except ValueError as exc:
            raise InvalidConfiguration(
                f"squawk failed: {(result.stderr or result.stdout).strip()[:500]}",
                hint='Run: pip install --upgrade "squawk-cli>=2.60"',
            ) from exc
        return [
            SquawkFinding(
                owners[min(item["line"], len(owners) - 1)],
                item["rule_name"],
                item["message"],
                item["help"] or "",
            )
            for item in items
        ]

    def _run(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        # A configuration file of the project must not change the findings.
        return subprocess.run(
            [self.program, "--reporter=json", f"--config={os.devnull}", *options],
            input=script,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
