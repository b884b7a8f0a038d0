"""Obstacles in the functions of triggers, which run on the workers, where the shards are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from ...domains import CORE_SCHEMA, QualifiedName
from ...engine.messages import shortened
from ...engine.sessions.connection import fetch_all
from ..obstacle import Obstacle
from ..verify.textual_names import referenced_names
from .facts import Facts
from .function_texts import TIME_WORDS, FunctionText

FUNCTIONS = """
SELECT n.nspname, p.proname,
    format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), l.lanname = 'plpgsql',
    (SELECT min(cn.nspname) FROM pg_catalog.pg_trigger g
     JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
     JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
     WHERE g.tgfoid = p.oid AND NOT g.tgisinternal AND c.relkind IN ('r', 'p')
        AND cn.nspname = ANY(%(schemas)s))
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('plpgsql', 'sql') AND p.prokind IN ('f', 'p')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 3
"""

# By all functions of that name: which of them is called is not known.
VOLATILITY = """
SELECT proname, bool_and(provolatile = 'v'), bool_and(provolatile <> 'i')
FROM pg_catalog.pg_proc WHERE proname = ANY(%s) AND prokind = 'f' GROUP BY 1
"""

RELATIONS = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'm', 'S', 'f')
"""

# A sequence that a column draws from is known to every node.
FREE_SEQUENCES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'S' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = c.tableoid AND d.refobjid = c.oid
        AND d.classid = 'pg_catalog.pg_attrdef'::regclass
    UNION ALL
    SELECT FROM pg_catalog.pg_depend d WHERE d.classid = c.tableoid AND d.objid = c.oid
        AND d.deptype = 'i')
"""

SMALL_KEYS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND a.attnum > 0 AND NOT a.attisdropped
    AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype) AND c.relkind IN ('r', 'p')
    AND (a.attidentity <> '' OR EXISTS (
        SELECT FROM pg_catalog.pg_attrdef f
        JOIN pg_catalog.pg_depend d ON d.classid = f.tableoid AND d.objid = f.oid
            AND d.refclassid = c.tableoid
        JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
        WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum))
ORDER BY 1, 2, 3
"""


class Function(NamedTuple):
    """A function that triggers of a domain run, or one that such a function calls.

    Attributes:
        schema: the domain's.
        label: with its arguments, as SQL writes it.
    """

    schema: str
    label: str
    body: str
    procedural: bool

    @property
    def text(self) -> FunctionText:
        return FunctionText(self.body, procedural=self.procedural)


def function_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield what the functions of the domains' triggers do that fails on the workers."""
    reading = FunctionReading(facts)
    for function in reading.functions:
        for kind, message, remedy in reading.problems(function):
            yield facts.obstacle(
                kind, function.schema, function.label, f"{function.label} {message}", remedy
            )


class FunctionReading:
    """The functions that run on the workers, and what they may use there."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def functions(self) -> list[Function]:
        """The functions of triggers, and those of any schema that they call by name."""
        rows = self.facts.rows(FUNCTIONS)
        by_name: dict[str, list[tuple[str, str, bool]]] = {}
        for _, name, *rest, _ in rows:
            by_name.setdefault(name, []).append((rest[0], rest[1], rest[2]))
        found: dict[str, Function] = {}
        waiting = [Function(row[-1], *row[2:5]) for row in rows if row[-1] is not None]
        while waiting:
            function = waiting.pop()
            if function.label not in found:
                found[function.label] = function
                for name in function.text.called():
                    waiting += [Function(function.schema, *each) for each in by_name.get(name, ())]
        return [found[label] for label in sorted(found)]

    @cached_property
    def relations(self) -> set[tuple[str, str]]:
        return {*fetch_all(self.facts.connection, RELATIONS, [self.facts.foreign_schemas])}

    @cached_property
    def free_sequences(self) -> set[tuple[str, str]]:
        return {*self.facts.rows(FREE_SEQUENCES)}

    @cached_property
    def small_keys(self) -> Mapping[tuple[str, str], tuple[str, str]]:
        rows = self.facts.rows(SMALL_KEYS)
        return {(schema, table): (column, kind) for schema, table, column, kind in rows}

    def problems(self, function: Function) -> Iterator[tuple[str, str, str]]:
        """Yield the id, the end of the message and the remedy of each obstacle."""
        text = function.text
        if names := text.shard_names():
            yield (
                "function_shard_name",
                f"uses {', '.join(names)}, which has the number of a shard at its end there.",
                "Give the trigger an argument and use TG_ARGV[0], or tell the tables apart by their"
                " columns.",
            )
        if names := self._changing(text.called_on_conflict(), immutable_only=True):
            yield (
                "function_on_conflict",
                f"calls {shortened(names)} in DO UPDATE, where Citus takes immutable functions"
                " only.",
                "Compute the value in VALUES and use EXCLUDED, or compute it in a variable before"
                " the statement.",
            )
        if names := self._changing(text.called_in_changes(), immutable_only=False):
            yield (
                "function_volatile",
                f"calls {shortened(names)} in UPDATE, DELETE or MERGE, where Citus refuses"
                " volatile functions.",
                "Compute the value in a variable before the statement.",
            )
        yield from self._reach(function, text)
        for schema, name in sorted(text.inserted_into()):
            key = (schema or function.schema, name)
            if key in self.small_keys:
                column, kind = self.small_keys[key]
                table = QualifiedName(*key)
                yield (
                    "small_key",
                    f'inserts into {table}, whose column "{column}" draws {kind}s from a sequence:'
                    " on workers, numbers begin above them.",
                    f"Make it a bigint in a migration, a BigAutoField: ALTER TABLE {table.db_table}"
                    f' ALTER COLUMN "{column}" TYPE bigint;',
                )

    def _reach(self, function: Function, text: FunctionText) -> Iterator[tuple[str, str, str]]:
        facts = self.facts
        others = [schema for schema in facts.foreign_schemas if schema != function.schema]
        named = referenced_names(function.body, others, procedural=function.procedural)
        reached = sorted(
            QualifiedName(*name)
            for name in named
            if name in self.relations and QualifiedName(*name) not in facts.reference_tables
        )
        if reached:
            yield (
                "function_elsewhere",
                f"reads or writes {shortened(reached)}, which shards of this domain do not reach.",
                "Do that in the code, not in a trigger.",
            )
        written = sorted(QualifiedName(*name) for name in text.written() if name[0] == CORE_SCHEMA)
        if tables := [table for table in written if table in facts.reference_tables]:
            yield (
                "function_writes_core",
                f"writes {shortened(tables)}, which Citus refuses in a function on a shard.",
                "Do that in the code, not in a trigger.",
            )
        texts = text.strings()
        drawn = [QualifiedName(*name) for name in self.free_sequences if ".".join(name) in texts]
        if drawn:
            yield (
                "function_sequence",
                f"uses {shortened(sorted(drawn))}, which only the coordinator has, because no"
                " column draws from it.",
                "Make it the default of a column: ALTER TABLE … ALTER COLUMN … SET DEFAULT"
                " nextval('…'); or draw the number in the code.",
            )

    def _changing(self, names: set[str], *, immutable_only: bool) -> list[str]:
        """Return those of the functions that Citus refuses."""
        if not names:
            return []
        rows = fetch_all(self.facts.connection, VOLATILITY, [sorted(names)])
        found = {name for name, volatile, changing in rows if volatile or immutable_only * changing}
        return sorted(found | (names & {*TIME_WORDS}))
