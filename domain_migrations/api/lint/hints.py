"""What Squawk's rules mean here: how bad it is, and what to do instead in a migration."""

from __future__ import annotations

IGNORED_RULES = frozenset(
    {
        # The engine sets both, and runs a migration again or says how to go on with it.
        *("require-lock-timeout", "require-statement-timeout", "require-timeout-settings"),
        "prefer-robust-stmts",
        # Matters of taste, which models decide.
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
"""Breaks code that uses it, which a migration with ``stage = "after"`` has waited for."""

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
    "adding-serial-primary-key-field": "Make a new table with the key, and copy the rows.",
    "ban-concurrent-index-creation-in-transaction": "Write atomic = False in the migration.",
    "ban-drop-column": WAIT,
    "ban-drop-table": WAIT,
    "ban-drop-not-null": "See that running code can read NULL there.",
    "changing-column-type": (
        "Add a field of the new type, copy the rows in batches, let the code use it, and remove"
        " the old one in a later release."
    ),
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
    "syntax-error": "See that the statement is right; Squawk may not know it all.",
}

UNIQUE_INDEX = (
    "Build it by RunSQL, CREATE UNIQUE INDEX CONCURRENTLY, with the operation as its"
    " state_operations, in a migration with atomic = False."
)
EXCLUSION = "It cannot be NOT VALID: add it at a quiet time, and say why that is right."


def hint_for(rule: str, sql: str) -> str:
    """Return what to do instead of a statement; empty where only Squawk may know."""
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
"""Stops traffic, breaks running code or fails; all else is a warning."""
