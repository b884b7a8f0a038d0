"""What a transfer would let cross a boundary is refused, whatever kind of object crosses it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.engine.runner.transfer.conftest import SLOW, Exchange
from tests.support.catalog import execute, query, snapshot
from tests.support.exchange import Way

SAME = (
    "CREATE FUNCTION {old}.same(text) RETURNS boolean IMMUTABLE LANGUAGE sql"
    " AS 'SELECT $1 IS NOT NULL';"
    "CREATE FUNCTION other.same(text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';"
)
"""A function that nothing shows to be the table's alone, and a decoy."""


class Case(NamedTuple):
    """SQL that makes a crossing of what is not one yet.

    Attributes:
        clause: who would use what.
        removal: what to do about it.
    """

    id: str
    sql: str
    clause: str
    removal: str


OUT_OF_THE_DOMAIN = [
    Case(
        "a rule",
        "CREATE RULE items_rule AS ON UPDATE TO {old}.companies DO ALSO DELETE FROM {old}.items",
        "the rule {old}.companies.items_rule uses the table {old}.items",
        "Remove it with: DROP RULE items_rule ON {old}.companies;",
    ),
    Case(
        "a policy",
        SAME + "CREATE POLICY same ON {old}.companies USING ({old}.same(code))",
        "the policy {old}.companies.same uses the function {old}.same(pg_catalog.text)",
        "Remove it with: DROP POLICY same ON {old}.companies;",
    ),
    Case(
        "a generated column",
        SAME + "ALTER TABLE {old}.companies ADD is_same boolean"
        " GENERATED ALWAYS AS ({old}.same(code)) STORED",
        "the generated column {old}.companies.is_same uses the function"
        " {old}.same(pg_catalog.text)",
        "Remove it with: ALTER TABLE {old}.companies DROP COLUMN is_same;",
    ),
    Case(
        "a default",
        SAME + "ALTER TABLE {old}.companies ADD is_same boolean DEFAULT {old}.same('')",
        "the default of {old}.companies.is_same uses the function {old}.same(pg_catalog.text)",
        "Remove it with: ALTER TABLE {old}.companies ALTER COLUMN is_same DROP DEFAULT;",
    ),
    Case(
        "a check",
        SAME + "ALTER TABLE {old}.companies ADD CONSTRAINT same CHECK ({old}.same(code))",
        "the constraint {old}.companies.same uses the function {old}.same(pg_catalog.text)",
        "Remove it with: ALTER TABLE {old}.companies DROP CONSTRAINT same;",
    ),
    Case(
        "an index",
        SAME + "CREATE INDEX same ON {old}.companies ({old}.same(code))",
        "the index {old}.same uses the function {old}.same(pg_catalog.text)",
        "Remove it with: DROP INDEX {old}.same;",
    ),
    Case(
        "the check of a domain that goes along",
        SAME + "CREATE DOMAIN {old}.word AS text"
        " CHECK (VALUE IS NULL OR {old}.same(VALUE));"
        "ALTER TABLE {old}.companies ADD word {old}.word",
        "the constraint of the type {old}.word uses the function {old}.same(pg_catalog.text)",
        "Drop it, or build it from objects of its own domain and of core.",
    ),
    Case(
        "a collation",
        'CREATE COLLATION {old}.plain FROM "C"; CREATE COLLATION other.plain FROM "C";'
        "ALTER TABLE {old}.companies ADD note text COLLATE {old}.plain",
        "the column {old}.companies.note uses the collation {old}.plain",
        "Drop it, or build it from objects of its own domain and of core.",
    ),
    Case(
        "a text search configuration",
        "CREATE TEXT SEARCH CONFIGURATION {old}.words (COPY = simple);"
        "CREATE INDEX words ON {old}.companies USING gin (to_tsvector('{old}.words', code))",
        "the index {old}.words uses the text search configuration {old}.words",
        "Remove it with: DROP INDEX {old}.words;",
    ),
    Case(
        "an operator",
        SAME + "CREATE FUNCTION {old}.near(text, text) RETURNS boolean IMMUTABLE LANGUAGE sql"
        " AS 'SELECT $1 = $2'; CREATE OPERATOR {old}.=== (FUNCTION = {old}.near,"
        " LEFTARG = text, RIGHTARG = text);"
        "ALTER TABLE {old}.companies ADD CONSTRAINT near CHECK (code OPERATOR({old}.===) code)",
        "the constraint {old}.companies.near uses the operator"
        " {old}.===(pg_catalog.text,pg_catalog.text)",
        "Remove it with: ALTER TABLE {old}.companies DROP CONSTRAINT near;",
    ),
]
INTO_THE_DOMAIN = [
    Case(
        "a column of the row type",
        "ALTER TABLE {old}.items ADD seller {old}.companies",
        "the column {old}.items.seller uses the type {old}.companies",
        "Use a type of its own domain or of core.",
    ),
    Case(
        "a column of an array of the row type",
        "CREATE TABLE {old}.sellers (found {old}.companies[])",
        "the column {old}.sellers.found uses the type {old}.companies[]",
        "Use a type of its own domain or of core.",
    ),
    Case(
        "a rule of another table",
        "CREATE RULE sold AS ON DELETE TO {old}.items DO ALSO DELETE FROM {old}.companies",
        "the rule {old}.items.sold uses the table {old}.companies",
        "Remove it with: DROP RULE sold ON {old}.items;",
    ),
    Case(
        "a policy of another table",
        "CREATE POLICY sold ON {old}.items USING (EXISTS (SELECT FROM {old}.companies))",
        "the policy {old}.items.sold uses the table {old}.companies",
        "Remove it with: DROP POLICY sold ON {old}.items;",
    ),
    Case(
        "a function that returns rows",
        "CREATE FUNCTION {old}.sellers() RETURNS SETOF {old}.companies"
        " LANGUAGE plpgsql AS 'BEGIN END'",
        "the function {old}.sellers() uses the type {old}.companies",
        "Remove it with: DROP FUNCTION {old}.sellers();",
    ),
    Case(
        "a default from its sequence",
        "ALTER TABLE {old}.items ALTER id DROP IDENTITY;"
        "CREATE SEQUENCE {old}.numbers OWNED BY {old}.companies.id;"
        "ALTER TABLE {old}.items ALTER id SET DEFAULT nextval('{old}.numbers')",
        "the default of {old}.items.id uses the sequence {old}.numbers",
        "Remove it with: ALTER TABLE {old}.items ALTER COLUMN id DROP DEFAULT;",
    ),
]
CASES: list[tuple[Way, Case]] = [
    *(("to core", case) for case in OUT_OF_THE_DOMAIN),
    *(("to a domain", case) for case in (OUT_OF_THE_DOMAIN[1], *INTO_THE_DOMAIN)),
    (
        "to the domain",
        INTO_THE_DOMAIN[3]._replace(
            sql="CREATE POLICY sold ON notes USING (EXISTS (SELECT FROM companies))",
            clause="the policy public.notes.sold uses the table public.companies",
            removal="Remove it with: DROP POLICY sold ON public.notes;",
        ),
    ),
]
REPRESENTATIVES = {
    "a rule",
    "an index",
    "a column of the row type",
    "a policy of another table",
}
"""The cases of the default run; `--stress` runs all of them."""


@pytest.mark.parametrize(
    ("way", "case"),
    [
        pytest.param(
            way, case, id=f"{way}: {case.id}", marks=() if case.id in REPRESENTATIVES else SLOW
        )
        for way, case in CASES
    ],
    indirect=["way"],
)
def test_it_is_refused(filled: Exchange, case: Case) -> None:
    execute("CREATE SCHEMA other;" + case.sql.format(old=filled.old))
    before = snapshot(include_privileges=True)
    boundary = filled.source if filled.target == "core" else filled.target
    if case is OUT_OF_THE_DOMAIN[1]:
        boundary = filled.source
    clause, removal = (text.format(old=filled.old) for text in (case.clause, case.removal))
    for arguments in ((filled.source,), (filled.target, "--rehearse")):
        (result,) = filled.run(filled.after, *arguments, status=1)
        assert result["error"]["message"] == (
            f"The transfer of {filled.apps[0]}.Company to {filled.target} cannot begin, because"
            f' the boundary of "{boundary}" would be crossed: {clause}.'
        )
        assert result["error"]["hint"].startswith(removal)
        assert result["error"]["hint"].endswith("Nothing was changed.")
    assert snapshot(include_privileges=True) == before
    assert filled.place() == filled.old
    assert query(f"SELECT code FROM {filled.old}.companies ORDER BY 1") == [("A",), ("B",)]
