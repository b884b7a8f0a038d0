"""Definitions of indexes and constraints, equal in Django's and PostgreSQL's spelling."""

from __future__ import annotations

import pytest

from domain_migrations.engine.catalog.definitions import (
    parse_constraint,
    parse_foreign_key,
    parse_index,
)

DEFAULTS = frozenset({("gin", "array_ops"), ("btree", "text_ops")})


@pytest.mark.parametrize(
    ("ours", "theirs", "normal"),
    [
        (
            'CREATE INDEX "n" ON "s"."t" ("a", "b" DESC)',
            "CREATE INDEX n ON s.t USING btree (a, b DESC)",
            "INDEX (a, b DESC)",
        ),
        (
            'CREATE INDEX "n" ON "s"."t" USING GIN ("a" array_ops) WITH (fillfactor = 70)',
            "CREATE INDEX n ON s.t USING gin (a) WITH (fillfactor='70')",
            "INDEX USING gin (a) WITH (fillfactor=70)",
        ),
        (
            "CREATE INDEX n ON t USING brin (a) WITH (autosummarize = On, pages_per_range = 8)",
            "CREATE INDEX n ON s.t USING brin (a) WITH (autosummarize='true', pages_per_range='8')",
            "INDEX USING brin (a) WITH (autosummarize=on, pages_per_range=8)",
        ),
        (
            'CREATE UNIQUE INDEX "n" ON "s"."t" ("a" text_ops ASC NULLS LAST) INCLUDE ("b", "c")',
            "CREATE UNIQUE INDEX n ON s.t USING btree (a) INCLUDE (b, c)",
            "UNIQUE INDEX (a) INCLUDE (b, c)",
        ),
        (
            'CREATE UNIQUE INDEX "n" ON "s"."t" ("a") NULLS DISTINCT WHERE "a"',
            "CREATE UNIQUE INDEX n ON s.t USING btree (a) WHERE a",
            "UNIQUE INDEX (a) WHERE a",
        ),
        (
            'CREATE INDEX "n" ON "s"."t" ((lower(a)) text_pattern_ops DESC NULLS FIRST)',
            "CREATE INDEX n ON s.t USING btree ((lower(a)) text_pattern_ops DESC)",
            "INDEX ((lower(a)) text_pattern_ops DESC)",
        ),
        (
            'CREATE INDEX "n" ON "s"."t" ("a" COLLATE "C" NULLS FIRST)',
            'CREATE INDEX n ON s.t USING btree (a COLLATE "C" NULLS FIRST)',
            'INDEX (a COLLATE "C" NULLS FIRST)',
        ),
    ],
)
def test_an_index_in_both_spellings(ours: str, theirs: str, normal: str):
    def plain(expression: str) -> str:
        return expression.replace('"', "")

    assert str(parse_index(ours, DEFAULTS).rewritten(plain)) == normal
    assert str(parse_index(theirs, DEFAULTS)) == normal


@pytest.mark.parametrize(
    ("sql", "normal"),
    [
        ("CHECK ((qty >= 0)) NOT VALID", "CHECK ((qty >= 0))"),
        ("UNIQUE (a, b)", "UNIQUE (a, b)"),
        ("UNIQUE NULLS NOT DISTINCT (a)", "UNIQUE (a) NULLS NOT DISTINCT"),
        (
            "UNIQUE (a) DEFERRABLE INITIALLY DEFERRED",
            "UNIQUE (a) DEFERRABLE INITIALLY DEFERRED",
        ),
        ("UNIQUE (a) DEFERRABLE INITIALLY IMMEDIATE", "UNIQUE (a) DEFERRABLE"),
        ("PRIMARY KEY (a, b)", "PRIMARY KEY (a, b)"),
        (
            "EXCLUDE USING GIST (during WITH &&, x inet_ops WITH =) WHERE (a > 3) DEFERRABLE",
            "EXCLUDE USING gist (during WITH &&, x inet_ops WITH =) DEFERRABLE WHERE (a > 3)",
        ),
        (
            "EXCLUDE USING gist (geom WITH OPERATOR(public.&&), id WITH =)",
            "EXCLUDE USING gist (geom WITH &&, id WITH =)",
        ),
    ],
)
def test_a_constraint(sql: str, normal: str):
    assert str(parse_constraint(sql)) == normal


@pytest.mark.parametrize(
    ("sql", "normal"),
    [
        (
            'FOREIGN KEY ("a") REFERENCES "users" ("id") DEFERRABLE INITIALLY DEFERRED',
            "FOREIGN KEY (a) REFERENCES public.users(id) DEFERRABLE INITIALLY DEFERRED",
        ),
        (
            "FOREIGN KEY (a, b) REFERENCES s.t(c, d) ON DELETE CASCADE NOT VALID",
            "FOREIGN KEY (a, b) REFERENCES s.t(c, d) ON DELETE CASCADE",
        ),
    ],
)
def test_a_foreign_key(sql: str, normal: str):
    definition = parse_foreign_key(sql, "public")
    assert f"FOREIGN KEY ({', '.join(map(str, definition.keys))}) {definition.tail}" == normal


def test_the_expressions_are_keys_and_predicate():
    index = parse_index("CREATE INDEX n ON s.t USING btree (lower((a)::text), b) WHERE (b > -3)")
    assert index.expressions == ("lower((a)::text)", "b", "(b > - 3)")
