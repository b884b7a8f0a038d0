"""Property tests: with any names, qualified tables are those that stock Django would create.

Each example runs the same operations, forwards and backwards, twice: on stock Django's backend with
unqualified names, which makes the tables in `public`, and on this one with qualified names. After
every operation the catalogs must be equal but for the schema. So everything has a namesake in
`public`, which our operation must leave as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connections, migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Upper
from hypothesis import HealthCheck, Phase, event, example, given, note, settings
from hypothesis import strategies as st
from psycopg import sql

from domain_migrations.backends.postgresql.names import format_table_name
from tests.backends.conftest import Place

EXAMPLES = {None: 10, "short": 60, "full": 600}
"""How many, for each of the choices of --stress."""

IMPOSSIBLE = (DatabaseError, psycopg.Error, TypeError, ValueError)
"""What comes of names that Django or psycopg cannot deal with, like some with a `%`."""

# Everything in some schemas, without oids and without the names of the schemas.
CATALOG = """
SELECT 'table', relname, relkind::text, obj_description(pg_class.oid, 'pg_class')
FROM pg_class WHERE relnamespace = ANY (%(schemas)s::oid[]) AND relkind IN ('r', 'S', 'v')
UNION ALL
SELECT 'column', relname, attname, concat_ws(
    ' ', attnum, format_type(atttypid, atttypmod), attnotnull, attidentity,
    pg_get_expr(adbin, adrelid), collname, col_description(pg_class.oid, attnum)
)
FROM pg_class
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_collation ON pg_collation.oid = attcollation
WHERE relnamespace = ANY (%(schemas)s::oid[]) AND relkind = 'r'
UNION ALL
SELECT 'constraint', own.relname, conname, concat_ws(
    ' ', contype, conkey, condeferrable, condeferred, convalidated, confdeltype,
    pg_get_expr(conbin, conrelid), target.relname, confkey
)
FROM pg_constraint
JOIN pg_class AS own ON own.oid = conrelid
LEFT JOIN pg_class AS target ON target.oid = confrelid
WHERE own.relnamespace = ANY (%(schemas)s::oid[])
UNION ALL
SELECT 'index', own.relname, index.relname, concat_ws(
    ' ', amname, indisunique, indisprimary, indisvalid, indkey, indnkeyatts,
    pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid),
    (
        SELECT string_agg(opcname, ' ' ORDER BY position)
        FROM unnest(indclass) WITH ORDINALITY AS class (oid, position)
        JOIN pg_opclass USING (oid)
    )
)
FROM pg_index
JOIN pg_class AS index ON index.oid = indexrelid
JOIN pg_class AS own ON own.oid = indrelid
JOIN pg_am ON pg_am.oid = index.relam
WHERE own.relnamespace = ANY (%(schemas)s::oid[])
UNION ALL
SELECT 'sequence', owner.relname, sequence.relname, concat_ws(
    ' ', attname, format_type(seqtypid, NULL), seqstart, seqincrement
)
FROM pg_sequence
JOIN pg_class AS sequence ON sequence.oid = seqrelid
LEFT JOIN pg_depend ON objid = seqrelid AND refobjsubid > 0
    AND classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
LEFT JOIN pg_class AS owner ON owner.oid = refobjid
LEFT JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
WHERE sequence.relnamespace = ANY (%(schemas)s::oid[])
ORDER BY 1, 2, 3, 4
"""

OIDS = """
SELECT relname, oid::bigint FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT conname, oid::bigint FROM pg_constraint WHERE connamespace = 'public'::regnamespace
ORDER BY 1, 2
"""


SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE NOT starts_with(nspname, 'pg_') AND nspname <> 'information_schema'
"""


@dataclass(frozen=True)
class Names:
    """The generated names of one example."""

    schemas: tuple[str, str]
    tables: tuple[str, str, str, str]
    columns: tuple[str, ...]
    indexes: tuple[str, ...]
    constraints: tuple[str, ...]


ALPHABET = "abcXYZ019_ .-'$;()é名ß🐘"


EDGES = Names(
    schemas=('"edge"', "z"),
    tables=("a", "b", "t" * 62, "c"),
    columns=("d", "e", "f", "g"),
    indexes=("h", "i"),
    constraints=("j", "k"),
)
"""What Django loses of a schema's name when it shortens an automatic table's."""


def _names(alphabet: str = ALPHABET) -> st.SearchStrategy[str]:
    """Names of up to 63 bytes, many of them of just so many."""
    short = st.text(alphabet, min_size=1, max_size=12)
    long = st.builds(
        lambda word, length: _cut(word * 63, length),
        st.text(alphabet, min_size=1, max_size=6),
        st.integers(55, 63),
    )
    return st.one_of(short, short, long).filter(
        lambda name: not name.startswith("pg_") and name.strip() == name != "public"
    )


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")


def _distinct(number: int, alphabet: str = ALPHABET) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(_names(alphabet), min_size=number, max_size=number, unique=True).map(tuple)


@st.composite
def _names_of_an_example(draw: st.DrawFn, alphabet: str) -> Names:
    """Names for tables of the alphabet.

    Not every name can have every character: Django does not escape a `"` in the name of a column,
    an index or a constraint, formats the latter two with `%`, queries no schema with one, and no
    column with a `$`.
    """
    # It makes so much impossible on any backend that most examples do without.
    percent = draw(st.sampled_from(["", "", "", "%"]))
    relations = draw(_distinct(8, alphabet + percent))
    return Names(
        schemas=draw(_distinct(2, alphabet + '"')),
        tables=relations[:4],
        indexes=tuple(re.sub('["%]', "", name) + "1" for name in relations[4:6]),
        constraints=tuple(re.sub('["%]', "", name) + "2" for name in relations[6:]),
        columns=draw(_distinct(4, ALPHABET.replace("$", percent))),
    )


def _text(names: Names, variant: str) -> models.Field:
    options: dict[str, Any] = {"db_column": names.columns[0]}
    return {
        "plain": lambda: models.CharField(max_length=20, **options),
        "unique": lambda: models.CharField(max_length=20, unique=True, **options),
        "indexed": lambda: models.CharField(max_length=20, db_index=True, **options),
        "text": lambda: models.TextField(unique=True, **options),
        "nullable": lambda: models.CharField(max_length=30, null=True, **options),
        "default": lambda: models.CharField(max_length=20, db_default="none", **options),
        "renamed": lambda: models.CharField(
            max_length=20, db_index=True, db_column=names.columns[3]
        ),
    }[variant]()


def _number(names: Names, variant: str) -> models.Field:
    options: dict[str, Any] = {"db_column": names.columns[1]}
    return {
        "positive": lambda: models.PositiveIntegerField(**options),
        "integer": lambda: models.IntegerField(db_comment="It's 100 % a number", **options),
        "big": lambda: models.BigIntegerField(unique=True, **options),
        "decimal": lambda: models.DecimalField(max_digits=9, decimal_places=2, **options),
    }[variant]()


def _owner(names: Names, variant: str) -> models.Field:
    options: dict[str, Any] = {"db_column": names.columns[2], "on_delete": models.CASCADE}
    return {
        "key": lambda: models.ForeignKey("Owner", **options),
        "loose": lambda: models.ForeignKey("Owner", db_constraint=False, **options),
        "one": lambda: models.OneToOneField("Owner", **options),
        "other": lambda: models.ForeignKey("Other", **options),
        "plain": lambda: models.BigIntegerField(db_column=names.columns[2]),
    }[variant]()


def _key(variant: str) -> models.Field:
    return {"big": models.BigAutoField, "small": models.SmallAutoField}[variant](primary_key=True)


def _created(names: Names, place: Place) -> list[Operation]:
    key = ("id", _key("big"))
    return [
        migrations.CreateModel("Owner", [key], {"db_table": place.spell(names.tables[0])}),
        migrations.CreateModel("Other", [key], {"db_table": place.spell(names.tables[1])}),
        migrations.CreateModel(
            "Thing",
            [
                key,
                ("text", _text(names, "plain")),
                ("number", _number(names, "positive")),
                ("owner", _owner(names, "key")),
                ("friends", models.ManyToManyField("Other")),
            ],
            {"db_table": place.spell(names.tables[2])},
        ),
    ]


def _step_alter(names: Names, place: Place, name: str, variant: str) -> list[Operation]:
    field = {"text": _text, "number": _number, "owner": _owner}[name](names, variant)
    return [migrations.AlterField("Thing", name, field)]


def _step_index(names: Names, place: Place, variant: str) -> list[Operation]:
    index = {
        "plain": lambda name: models.Index(fields=["number", "-text"], name=name),
        "partial": lambda name: models.Index(
            fields=["text"], name=name, condition=models.Q(number__gt=5)
        ),
        "expression": lambda name: models.Index(Upper("text"), name=name),
        "opclass": lambda name: models.Index(
            fields=["text"], name=name, opclasses=["varchar_pattern_ops"]
        ),
        "covering": lambda name: models.Index(fields=["text"], name=name, include=["number"]),
    }[variant]
    old, new = names.indexes
    return [
        migrations.AddIndex("Thing", index(old)),
        migrations.RenameIndex("Thing", new_name=new, old_name=old),
        migrations.RemoveIndex("Thing", new),
    ]


def _step_constraint(names: Names, place: Place, variant: str) -> list[Operation]:
    name = names.constraints[0]
    constraint = {
        "check": lambda: models.CheckConstraint(condition=models.Q(number__gt=0), name=name),
        "unique": lambda: models.UniqueConstraint(fields=["number", "text"], name=name),
        "partial": lambda: models.UniqueConstraint(
            fields=["number"], name=name, condition=models.Q(text="a")
        ),
        "deferrable": lambda: models.UniqueConstraint(
            fields=["number"], name=name, deferrable=models.Deferrable.DEFERRED
        ),
        "expression": lambda: models.UniqueConstraint(Upper("text"), name=name),
    }[variant]()
    return [
        migrations.AddConstraint("Thing", constraint),
        migrations.RemoveConstraint("Thing", name),
    ]


def _step_together(names: Names, place: Place) -> list[Operation]:
    return [
        migrations.AlterUniqueTogether("Thing", {("text", "number")}),
        migrations.AlterUniqueTogether("Thing", set()),
    ]


def _step_field(names: Names, place: Place) -> list[Operation]:
    return [
        migrations.AddField("Thing", "extra", models.SlugField(null=True)),
        migrations.AddField("Thing", "peer", models.ForeignKey("self", models.CASCADE, null=True)),
        migrations.RenameField("Thing", "peer", "colleague"),
        migrations.RemoveField("Thing", "extra"),
        migrations.RemoveField("Thing", "colleague"),
    ]


def _step_table(names: Names, place: Place) -> list[Operation]:
    return [migrations.AlterModelTable("Thing", place.spell(names.tables[3]))]


def _step_comment(names: Names, place: Place) -> list[Operation]:
    return [migrations.AlterModelTableComment("Thing", "It's 100 % a thing")]


def _step_key(names: Names, place: Place) -> list[Operation]:
    return [migrations.AlterField("Owner", "id", _key("small"))]


def _step_rename_target(names: Names, place: Place) -> list[Operation]:
    return [
        migrations.RenameModel("Other", "Another"),
        migrations.RenameModel("Another", "Other"),
    ]


Step = tuple[Any, ...]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(
            st.just(_step_alter),
            st.just("text"),
            st.sampled_from(
                ["unique", "indexed", "text", "nullable", "default", "renamed", "plain"]
            ),
        ),
        st.tuples(
            st.just(_step_alter),
            st.just("number"),
            st.sampled_from(["integer", "big", "decimal", "positive"]),
        ),
        st.tuples(
            st.just(_step_alter),
            st.just("owner"),
            st.sampled_from(["loose", "one", "other", "plain", "key"]),
        ),
        st.tuples(
            st.just(_step_index),
            st.sampled_from(["plain", "partial", "expression", "opclass", "covering"]),
        ),
        st.tuples(
            st.just(_step_constraint),
            st.sampled_from(["check", "unique", "partial", "deferrable", "expression"]),
        ),
        st.sampled_from(
            [
                (_step_together,),
                (_step_field,),
                (_step_table,),
                (_step_comment,),
                (_step_key,),
                (_step_rename_target,),
            ]
        ),
    ),
    min_size=2,
    max_size=7,
)


@pytest.fixture
def examples(pytestconfig: pytest.Config) -> settings:
    """How many examples: always the same few, unless the stress tests are asked for."""
    stress = pytestconfig.getoption("--stress")
    return settings(
        max_examples=EXAMPLES[stress],
        derandomize=stress is None,
        deadline=None,
        database=None,
        print_blob=True,
        # A shrunk example is worth its minutes only to whoever asked for all stress tests.
        phases=set(Phase) - (set() if stress == "full" else {Phase.shrink, Phase.explain}),
        suppress_health_check=list(HealthCheck),
    )


def test_catalogs_equal_those_of_stock_django(
    module_database: str, stock: Callable[..., BaseDatabaseWrapper], examples: settings
) -> None:
    plain = Place("public", stock("stock"), str)

    @examples
    @example(EDGES, [])
    @given(_names_of_an_example(ALPHABET), STEPS)
    def check(names: Names, steps: list[Step]) -> None:
        _check_same_catalogs(plain, names, steps)

    check()


def test_catalogs_equal_those_of_unqualified_tables__quotes(
    module_database: str, examples: settings
) -> None:
    """Stock Django has no way to name a table `a"b`; this backend has, in a schema or not."""
    plain = Place("public", connections["default"], lambda name: format_table_name(None, name))

    @examples
    @given(_names_of_an_example(ALPHABET + '""""'), STEPS)
    def check(names: Names, steps: list[Step]) -> None:
        _check_same_catalogs(plain, names, steps)

    check()


def _check_same_catalogs(plain: Place, names: Names, steps: list[Step]) -> None:
    connection = connections["default"]
    _empty(connection, ("public", *names.schemas))
    schema_of = dict(zip(names.tables, names.schemas * 2, strict=True))
    qualified = Place(
        names.schemas[0], connection, lambda name: format_table_name(schema_of[name], name)
    )
    expected_operations = _operations(names, steps, plain)
    own_operations = _operations(names, steps, qualified)
    pairs = list(zip(expected_operations, own_operations, strict=True))
    states = [(ProjectState(), ProjectState())]
    for pair in pairs:
        note(f"forwards: {pair[1]}")
        new = _run_both(
            plain,
            partial(plain.run, [pair[0]], states[-1][0]),
            partial(qualified.run, [pair[1]], states[-1][1]),
            names,
        )
        if new is None:
            break
        states.append(new)
    for pair, before in reversed(list(zip(pairs, states[:-1], strict=False))):
        note(f"backwards: {pair[1]}")
        if not _run_both(
            plain,
            partial(plain.revert, [pair[0]], before[0]),
            partial(qualified.revert, [pair[1]], before[1]),
            names,
        ):
            return
    assert _catalog(connection, names.schemas) == []
    assert {schema for (schema,) in _rows(connection, SCHEMAS)} == {"public", *names.schemas}


def _run_both(
    plain: Place, in_public: Callable[[], Any], qualified: Callable[[], Any], names: Names
) -> tuple[Any, Any] | None:
    """Do both; return both results, or None where neither works.

    What stock Django cannot do in `public`, this backend need not do elsewhere.
    """
    connection = connections["default"]
    try:
        expected = in_public()
    except IMPOSSIBLE as error:
        event(f"impossible on stock Django: {type(error).__name__}")
        _reset(plain.connection)
        with pytest.raises(IMPOSSIBLE):
            qualified()
        _reset(connection)
        return None
    before = _catalog(connection, ("public",)), _rows(connection, OIDS)
    own = qualified()
    assert (_catalog(connection, ("public",)), _rows(connection, OIDS)) == before
    assert _catalog(connection, names.schemas) == before[0]
    return expected, own


def _reset(connection: BaseDatabaseWrapper) -> None:
    """Get rid of a transaction that Django left open: it does so when deferred SQL fails."""
    connection.close()
    connection.connect()


def _operations(names: Names, steps: list[Step], place: Place) -> list[Operation]:
    operations = _created(names, place)
    for step, *arguments in steps:
        operations += step(names, place, *arguments)
    return operations


def _empty(connection: BaseDatabaseWrapper, schemas: tuple[str, ...]) -> None:
    """Leave only these schemas, and nothing in them."""
    present = [schema for (schema,) in _rows(connection, SCHEMAS)]
    with connection.cursor() as cursor:
        for schema in present:
            cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        for schema in schemas:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


def _catalog(connection: BaseDatabaseWrapper, schemas: tuple[str, ...]) -> list[Any]:
    oids = _rows(connection, "SELECT oid FROM pg_namespace WHERE nspname = ANY (%s)", [[*schemas]])
    return _rows(connection, CATALOG, {"schemas": [oid for (oid,) in oids]})


def _rows(connection: BaseDatabaseWrapper, query: str, parameters: Any = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
