"""Rules on statements about tables, sequences and objects that a distributed domain refuses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ....domains import QualifiedName
from ....engine.sql.query import run_sql
from ....engine.sql.words import Words
from ..blocking import column_changes
from ..column_types import SERIALS, ColumnType
from ..existing import END_OF_TYPE
from ..script import LintFinding, MigrationScript

ALTER_TABLE = "citus-alter-table"
IDENTITY = "citus-identity"
RENAME_CONSTRAINT = "citus-rename-constraint"
SEQUENCE = "citus-sequence"
SCHEMA_CHANGE = "citus-schema-change"
INHERITANCE = "citus-inheritance"
LOCAL_OBJECT = "citus-local-object"
RULE = "citus-rule"
POLICY = "citus-policy"

RIGHT_FROM_START = (
    "Write it where the table is created: what CREATE TABLE says is taken over. Where the table has"
    " been distributed, make a new column or table, and copy the rows."
)
NEW_CONSTRAINT = (
    "Drop the constraint and add it again under the new name, or give it that name where it is"
    " created."
)
WITHOUT_DISTRIBUTION = (
    "Do it before the domain is distributed; afterwards, only a dump of the coordinator leads out"
    " (see “Leave” in the guide to Citus)."
)
UNSUPPORTED = (
    (("cluster", "on"), "CLUSTER ON"),
    (("set", "without", "cluster"), "SET WITHOUT CLUSTER"),
    (("set", "tablespace"), "SET TABLESPACE"),
    (("alter", "constraint"), "ALTER CONSTRAINT"),
    (("of",), "OF"),
    (("not", "of"), "NOT OF"),
    (("enable", "rule"), "ENABLE RULE"),
    (("disable", "rule"), "DISABLE RULE"),
)
"""Actions of ``ALTER TABLE`` that Citus refuses on a distributed table and a reference table."""
UNSUPPORTED_OF_COLUMN = (
    (("set", "storage"), "SET STORAGE"),
    (("set", "statistics"), "SET STATISTICS"),
    (("reset",), "RESET"),
)
IDENTITY_ACTIONS = (
    (("drop", "identity"), "DROP IDENTITY"),
    (("add", "generated"), "ADD GENERATED"),
    (("set", "generated"), "SET GENERATED"),
    (("restart",), "RESTART"),
    (("set", "increment"), "SET INCREMENT"),
    (("set", "start"), "SET START"),
    (("set", "maxvalue"), "SET MAXVALUE"),
    (("set", "minvalue"), "SET MINVALUE"),
)
LOCAL_OBJECTS = (
    (("operator", "class"), "operator class"),
    (("operator", "family"), "operator family"),
    (("operator",), "operator"),
)
"""The objects that Citus makes on the coordinator only, where no shard's query finds them."""
FREE_SEQUENCE = """
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_depend
        WHERE refobjid = c.oid AND refclassid = 'pg_catalog.pg_class'::regclass
            AND classid = 'pg_catalog.pg_attrdef'::regclass
        UNION ALL SELECT FROM pg_catalog.pg_depend
        WHERE objid = c.oid AND classid = 'pg_catalog.pg_class'::regclass
            AND deptype IN ('a', 'i') AND refobjsubid > 0)
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass(%(name)s) AND c.relkind = 'S'
"""


def altered_tables(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the actions of ``ALTER TABLE`` that Citus does not take."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        if not words.take("alter", "table"):
            continue
        table = words.altered_table()
        if table is None:
            continue
        if words.take("rename", "constraint"):
            text = f"Citus renames no constraint of {table}."
            yield script.finding(RENAME_CONSTRAINT, text, NEW_CONSTRAINT, statement)
            continue
        if words.take("inherit") or words.take("no", "inherit"):
            text = f"Tables of a distributed schema do not inherit: {table}."
            yield script.finding(INHERITANCE, text, "Use a table of its own.", statement)
            continue
        if words.take("set", "schema"):
            if table.schema != script.domain.schema:
                continue
            text = f"{table} cannot leave its schema once that is distributed."
            yield script.finding(SCHEMA_CHANGE, text, WITHOUT_DISTRIBUTION, statement)
            continue
        for action in words.parts():
            if what := _unsupported(action):
                text = f"Citus does not take {what} of {table}."
                yield script.finding(ALTER_TABLE, text, RIGHT_FROM_START, statement)


def _unsupported(action: Words) -> str:
    found = next((what for start, what in UNSUPPORTED if action.take(*start)), "")
    if found or not action.take("alter"):
        return found
    action.take("column")
    action.identifier()
    if action.take("set") and action.sign("("):
        return "options of a column"
    action.at -= bool(action.at and action.tokens[action.at - 1].is_word("set"))
    return next((what for start, what in UNSUPPORTED_OF_COLUMN if action.take(*start)), "")


def changed_identities(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the changes of identities, and new columns that have a sequence."""
    for statement in script.statements:
        for change in column_changes(statement.sql):
            name = f"{change.table}.{change.name}"
            type_ = ColumnType.of(change.action.text_before(*END_OF_TYPE))
            if change.is_new:
                if type_.base in SERIALS or change.action.has("as", "identity"):
                    text = f"Citus adds no column with a sequence of its own: {name}."
                    yield script.finding(IDENTITY, text, RIGHT_FROM_START, statement)
                elif change.action.has("nextval"):
                    text = f"Citus adds no column with nextval() to a table with rows: {name}."
                    hint = "Add the column, and give it the default in a statement of its own."
                    yield script.finding(IDENTITY, text, hint, statement)
            elif (found := script.existing.column(change.table, change.name)) and found.identity:
                text = f"Citus does not change the type of {name}, which is an identity."
                yield script.finding(IDENTITY, text, RIGHT_FROM_START, statement)
        words = Words.of(statement.sql)
        if words.take("alter", "table") and (table := words.altered_table()):
            for action in words.parts():
                if not action.take("alter"):
                    continue
                action.take("column")
                column = action.identifier()
                for start, what in IDENTITY_ACTIONS:
                    if action.take(*start):
                        text = f"Citus does not take {what} of {table}.{column}."
                        yield script.finding(IDENTITY, text, RIGHT_FROM_START, statement)


def changed_sequences(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the changes of sequences that a column draws from, and of their owners."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        if words.take("create", "sequence"):
            words.take("if", "not", "exists")
            name = words.name()
            if name and words.has("owned", "by") and not words.has("owned", "by", "none"):
                text = f"Citus makes no sequence that a column owns: {name}."
                hint = "Write serial or GENERATED … AS IDENTITY in CREATE TABLE."
                yield script.finding(SEQUENCE, text, hint, statement)
        elif words.take("alter", "sequence"):
            words.take("if", "exists")
            name = words.name()
            if name is None or words.take("rename") or words.take("owner"):
                continue
            [rows] = run_sql(script.existing.connection, FREE_SEQUENCE, {"name": name.db_table})
            if rows != [(True,)]:
                text = f"Citus does not change {name} if a column draws from it."
                yield script.finding(SEQUENCE, text, RIGHT_FROM_START, statement)


def inherited_tables(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield tables that inherit, and partitions of a table in another schema."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        if not words.take("create"):
            continue
        words.skip("unlogged")
        if not words.take("table"):
            continue
        words.take("if", "not", "exists")
        table = words.name()
        parent: QualifiedName | None = None
        if words.take("partition", "of"):
            parent = words.name()
            parent = parent if parent and table and parent.schema != table.schema else None
        else:
            words.skip_group()
            if words.take("inherits") and words.sign("("):
                parent = words.name()
        if parent:
            text = f"{table} of a distributed schema cannot be a child of {parent}."
            hint = "Use a table of its own, or partitions in the schema of their table."
            yield script.finding(INHERITANCE, text, hint, statement)


def rules_with_actions(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the rules that run a statement."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        words.take("create")
        words.take("or", "replace")
        if words.take("rule") and words.has("do") and not words.has("nothing"):
            text = "The statement of a rule would run on a shard, where Citus refuses it."
            yield script.finding(RULE, text, "Use a trigger.", statement)


def policies_with_queries(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the policies with a query in their conditions, and those that are restrictive."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        is_policy = words.take("create", "policy") or words.take("alter", "policy")
        has_query = any(
            word.is_word("select") and not before.is_word("for")
            for before, word in pairwise(words.tokens)
        )
        if is_policy and has_query:
            text = "Citus refuses a policy with a query in it."
            hint = "Write the condition with columns, current_user and current_setting()."
            yield script.finding(POLICY, text, hint, statement)
        if is_policy and words.has("restrictive"):
            text = "Citus makes a permissive policy of it on the shards, which decide what is seen."
            hint = "Write the condition, with AND, into each permissive policy of the table."
            yield script.finding(POLICY, text, hint, statement)


def local_objects(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the objects that Citus does not make on the workers."""
    for statement in script.statements:
        words = Words.of(statement.sql)
        if not words.take("create"):
            continue
        what = next((name for start, name in LOCAL_OBJECTS if words.take(*start)), "")
        if not what and words.take("type") and words.name() and words.take("as", "range"):
            what = "range type"
        if what:
            text = f"Citus does not make the {what} on the workers, where its queries run."
            hint = "Use functions and PostgreSQL's own types and operators in a distributed domain."
            yield script.finding(LOCAL_OBJECT, text, hint, statement)
