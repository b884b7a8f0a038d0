"""Statements that Citus refuses, and the forms of them that work."""

from __future__ import annotations

import re

from ..sessions.database_problems import GIVE_A_WAY_IN
from .worker_errors import unreachable_node

# Of each: what the server says, and what to do.
FORMS = (
    (r"does not let the session in", GIVE_A_WAY_IN),
    (
        r"pending trigger events",
        "A node checks foreign keys at the end of the transaction only: write two migrations, one"
        " that changes the rows and one after it that changes the table.",
    ),
    (
        r"ADD COLUMN commands involving identity columns",
        "Citus adds no identity column to a distributed table. Write it into the CREATE TABLE, or"
        " add a bigint column without a default, CREATE SEQUENCE, and ALTER COLUMN … SET DEFAULT"
        " nextval(…), each in an operation of its own.",
    ),
    (
        r"ADD COLUMN commands involving serial|Cannot add a column involving serial",
        "Citus adds no serial column to a distributed table: add a bigint column without a"
        " default, CREATE SEQUENCE, and ALTER COLUMN … SET DEFAULT nextval(…), each in an"
        " operation of its own.",
    ),
    (
        r"ALTER COLUMN command involving identity column|default coming from a sequence",
        "The type of a column that a sequence fills stays as it is on a distributed table: create"
        " it as bigint, or make a new table, copy the rows, drop the old one and rename the new"
        " one.",
    ),
    (
        r"renaming constraints belonging to distributed tables",
        "Drop the constraint and add it under its new name in two operations; one that has an"
        " index is renamed by ALTER INDEX … RENAME TO.",
    ),
    (
        r"Altering a distributed sequence",
        "A distributed sequence stays as it was made; its next number is set by SELECT"
        " setval('schema.sequence', number).",
    ),
    (
        r"SET EXPRESSION commands are currently unsupported",
        "Drop the generated column and add it with the new expression, in two operations.",
    ),
    (
        r"alter table command is currently unsupported",
        "Storage, statistics, identity and inheritance are given in the CREATE TABLE: make a new"
        " table, copy the rows, drop the old one and rename the new one.",
    ),
    (
        r"functions used in UPDATE queries on distributed tables must not be VOLATILE",
        "Compute the value first, in Python or by a SELECT, and write it as a constant.",
    ),
    (
        r"functions used in the DO UPDATE SET clause",
        "Write the value into the row that is inserted, and use EXCLUDED.column in DO UPDATE.",
    ),
    (
        r"cannot create foreign key constraint since relations are not colocated",
        "A domain may depend only on itself and core: keep the other's id in a DomainReference.",
    ),
    (
        r"join that requires repartitioning|complex joins are only supported"
        r"|direct joins between distributed and local|co-?located",
        "Tables of two domains are on two nodes: read each in a WITH … AS MATERIALIZED, or join"
        " them in Python.",
    ),
    (
        r"must be a distributed table or a reference table",
        "Make it a reference table first: SELECT create_reference_table('public.table') in the"
        " migration of core that creates it.",
    ),
    (
        r"insert multiple commands into a prepared statement",
        "Write each statement as an item of a list: RunSQL([…, …]).",
    ),
    (
        r"command with other subcommands",
        "Write each action of ALTER TABLE as a statement of its own.",
    ),
    (
        r"all constraints in Citus must have|ADD COLUMN command with PRIMARY KEY",
        "Add the column first, and then each constraint by ALTER TABLE … ADD CONSTRAINT with a"
        " name.",
    ),
    (
        r"set schema is not allowed|distributed schemas? cannot have",
        "A table stays in the schema that it was distributed in: create it in the other schema,"
        " and copy the rows.",
    ),
    (
        r"non-SELECT command in SubLink|[Ss]ubqueries are not supported in policies",
        "A policy of a distributed table has no query in it: use columns, current_user and"
        " current_setting().",
    ),
    (
        r"cannot inherit or be inherited",
        "Use a table of its own, or partitions in the schema of their table.",
    ),
    (
        r"has dependency on unsupported object",
        "Operators, operator classes and range types are not made on the nodes: use functions and"
        " PostgreSQL's own types.",
    ),
    (
        r"cannot execute a distributed query from a query on a shard",
        "A trigger of a distributed table runs on its node, and changes its own domain's tables"
        " only: change the others in the application.",
    ),
    (
        r"because there was a parallel",
        "Put SET LOCAL citus.multi_shard_modify_mode = 'sequential' first in the migration.",
    ),
)  # fmt: skip
_FORMS = tuple((re.compile(pattern, re.IGNORECASE), form) for pattern, form in FORMS)

START_NODE = (
    "Every node takes part in changes of tables, and in all that is done with core's: start {}, and"
    " run the command again; it continues from here."
)


def form_that_works(text: str) -> str:
    """Return what to do after an error of a cluster, in sentences; empty where it is unknown."""
    if address := unreachable_node(text):
        return START_NODE.format(address)
    return next((form for pattern, form in _FORMS if pattern.search(text)), "")
