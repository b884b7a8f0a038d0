"""Objects of every kind cannot be moved into the domain's schema, or out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain_migrations.engine.boundary.rule import DOMAIN_DEPENDS
from domain_migrations.exceptions import BoundaryViolation
from tests.engine.guard.helpers import lay_out, refusal, run_non_atomic
from tests.engine.guard.violation_cases import HR
from tests.support import catalog

# The kind, what creates the object in the schema {0}, and its name there.
KINDS: dict[str, tuple[str, str]] = {
    "table": ("CREATE TABLE {0}.x (id int)", "x"),
    "partitioned table": ("CREATE TABLE {0}.x (id int) PARTITION BY RANGE (id)", "x"),
    "view": ("CREATE VIEW {0}.x AS SELECT 1 AS id", "x"),
    "materialized view": ("CREATE MATERIALIZED VIEW {0}.x AS SELECT 1 AS id", "x"),
    "sequence": ("CREATE SEQUENCE {0}.x", "x"),
    "enum": ("CREATE TYPE {0}.x AS ENUM ('a')", "x"),
    "composite": ("CREATE TYPE {0}.x AS (id int)", "x"),
    "range": ("CREATE TYPE {0}.x AS RANGE (SUBTYPE = float8)", "x"),
    "multirange": (
        "CREATE TYPE {0}.r AS RANGE (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = {0}.x)",
        "x",
    ),
    "domain": ("CREATE DOMAIN {0}.x AS int CHECK (VALUE > 0)", "x"),
    "function": ("CREATE FUNCTION {0}.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "x()"),
    "procedure": ("CREATE PROCEDURE {0}.x() LANGUAGE sql AS 'SELECT 1'", "x()"),
    "routine": ("CREATE FUNCTION {0}.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "x()"),
    "aggregate": ("CREATE AGGREGATE {0}.x (int) (SFUNC = int4pl, STYPE = int)", "x (int)"),
    "operator": (
        "CREATE OPERATOR {0}.==== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
        "==== (int, int)",
    ),
    "operator class": (
        "CREATE OPERATOR CLASS {0}.x FOR TYPE int USING btree AS OPERATOR 1 <,"
        " FUNCTION 1 btint4cmp(int, int)",
        "x USING btree",
    ),
    "operator family": ("CREATE OPERATOR FAMILY {0}.x USING btree", "x USING btree"),
    "collation": ('CREATE COLLATION {0}.x FROM "C"', "x"),
    "conversion": ("CREATE CONVERSION {0}.x FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8", "x"),
    "text search configuration": ("CREATE TEXT SEARCH CONFIGURATION {0}.x (COPY = simple)", "x"),
    "text search dictionary": ("CREATE TEXT SEARCH DICTIONARY {0}.x (TEMPLATE = simple)", "x"),
    "text search parser": (
        "CREATE TEXT SEARCH PARSER {0}.x (START = prsd_start, GETTOKEN = prsd_nexttoken,"
        " END = prsd_end, LEXTYPES = prsd_lextype)",
        "x",
    ),
    "text search template": (
        "CREATE TEXT SEARCH TEMPLATE {0}.x (INIT = dsimple_init, LEXIZE = dsimple_lexize)",
        "x",
    ),
    "statistics": (
        "CREATE TABLE {0}.t (a int, b int); CREATE STATISTICS {0}.x ON a, b FROM {0}.t",
        "x",
    ),
    "foreign table": ("CREATE FOREIGN TABLE {0}.x (id int) SERVER elsewhere", "x"),
    "extension": ("CREATE EXTENSION {1} SCHEMA {0}", "{1}"),
}
"""The kinds of objects that can be moved to another schema."""

COMMANDS = {
    "partitioned table": "TABLE",
    "enum": "TYPE",
    "composite": "TYPE",
    "range": "TYPE",
    "multirange": "TYPE",
}
"""What ALTER calls a kind, if not by its name."""

DIRECTIONS = [
    ("inventory", "hr", "inventory"),
    ("inventory", "public", "inventory"),
    ("inventory", "nobodys", "inventory"),
    ("inventory", "inventory", "hr"),
    ("inventory", "inventory", "public"),
    ("inventory", "inventory", "nobodys"),
    ("inventory", "hr", "public"),
    ("inventory", "public", "hr"),
    ("core", "hr", "public"),
    ("core", "public", "hr"),
    ("core", "hr", "inventory"),
]
"""The migrated domain, the schema that the object is in, the schema that it is moved to."""

ALLOWED_DIRECTIONS = [("core", "public", "nobodys"), ("core", "nobodys", "public")]
"""A schema that belongs to no domain is core's to change."""


@pytest.fixture(scope="module")
def extension(module_database: str) -> str:
    """Some extension that the server has, on a landscape with a foreign server."""
    lay_out()
    catalog.execute(
        "CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing"
    )
    ((name,),) = catalog.query(
        "SELECT name FROM pg_available_extensions WHERE installed_version IS NULL"
        " AND name IN ('pg_trgm', 'vector', 'citext', 'hstore') ORDER BY 1 LIMIT 1"
    )
    return name


WITH_OTHERS = {
    "multirange": "TYPE {0}.r",
    "operator class": "OPERATOR FAMILY {0}.x USING btree",
    "statistics": "TABLE {0}.t",
}
"""What is dropped with what belongs to it."""


@contextmanager
def created(kind: str, schema: str, extension: str) -> Iterator[str]:
    """Create an object of the kind; yield the statement that moves it to a schema, yet to name."""
    statement, name = KINDS[kind]
    catalog.execute(statement.format(schema, extension))
    full = extension if kind == "extension" else f"{schema}.{name}"
    named = f"{COMMANDS.get(kind, kind.upper())} {full}"
    try:
        yield f"ALTER {named} SET SCHEMA {{}}"
    finally:
        catalog.execute(f"DROP {WITH_OTHERS.get(kind, named).format(schema)} CASCADE")


@pytest.mark.parametrize("kind", KINDS)
def test_moving_is_refused(extension: str, kind: str) -> None:
    before = catalog.snapshot()
    for domain, source, target in DIRECTIONS:
        with created(kind, source, extension) as move:
            assert refusal(move.format(target), domain=domain) is not None, (domain, move, target)
    assert catalog.snapshot() == before


@pytest.mark.parametrize("kind", KINDS)
def test_moving_is_allowed(extension: str, kind: str) -> None:
    for domain, source, target in ALLOWED_DIRECTIONS:
        with created(kind, source, extension) as move:
            assert refusal(move.format(target), domain=domain) is None, (domain, move, target)


@pytest.mark.parametrize("kind", ["enum", "domain", "function", "collation"])
def test_moving_is_refused__names_the_object(extension: str, kind: str) -> None:
    label = {"enum": "type", "domain": "type"}.get(kind, kind)
    with created(kind, "hr", extension) as move:
        assert refusal("SELECT 1", move.format("inventory")) == (
            "Migration inventory.0002_change is refused: its operation 2, RunSQL, moved"
            f" {label} x out of the schema hr, {HR}.",
            DOMAIN_DEPENDS,
        )


@pytest.mark.parametrize("moved", ["TYPE hr.mood", "TYPE hr.pair", "DOMAIN hr.age"])
def test_moving_is_refused__without_a_transaction(extension: str, moved: str) -> None:
    before = catalog.snapshot()
    with pytest.raises(BoundaryViolation):
        run_non_atomic(f"ALTER {moved} SET SCHEMA inventory")
    assert catalog.snapshot() == before
