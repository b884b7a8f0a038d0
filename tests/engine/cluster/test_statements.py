"""The forms of statements that Citus takes."""

from __future__ import annotations

import pytest

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.cluster.chosen_names import TakenNames, object_name
from domain_migrations.engine.cluster.statements import in_citus_form


class Schema:
    """What is in a schema; counts how often it is read."""

    def __init__(self, **names: tuple[str, ...]) -> None:
        self.taken = TakenNames(**names)
        self.read: list[QualifiedName] = []

    def __call__(self, table: QualifiedName) -> TakenNames:
        self.read.append(table)
        return self.taken


def planned(text: str, **names: tuple[str, ...]) -> list[str]:
    return in_citus_form(text, Schema(**names))


def test_column_with_a_check_gets_the_name_that_postgresql_gives() -> None:
    text = 'ALTER TABLE "hr"."things" ADD COLUMN "width" integer NOT NULL CHECK ("width" >= 0)'
    assert planned(text) == [
        'ALTER TABLE "hr"."things" ADD COLUMN "width" integer NOT NULL'
        ' CONSTRAINT "things_width_check" CHECK ("width" >= 0)'
    ]


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        ("int UNIQUE", 'int CONSTRAINT "things_a_key" UNIQUE'),
        ("int PRIMARY KEY", 'int CONSTRAINT "things_pkey" PRIMARY KEY'),
        (
            "int DEFAULT (1) REFERENCES hr.others (id)",
            'int DEFAULT (1) CONSTRAINT "things_a_fkey" REFERENCES hr.others (id)',
        ),
        (
            "int UNIQUE CHECK (a > 0)",
            'int CONSTRAINT "things_a_key" UNIQUE CONSTRAINT "things_a_check" CHECK (a > 0)',
        ),
        (
            "int CHECK (a > 0) CHECK (a < 9)",
            'int CONSTRAINT "things_a_check" CHECK (a > 0)'
            ' CONSTRAINT "things_a_check1" CHECK (a < 9)',
        ),
        ("int CONSTRAINT mine CHECK (a > 0)", "int CONSTRAINT mine CHECK (a > 0)"),
        ('int CONSTRAINT "my own" UNIQUE', 'int CONSTRAINT "my own" UNIQUE'),
        ("int GENERATED ALWAYS AS (b * 2) STORED", "int GENERATED ALWAYS AS (b * 2) STORED"),
        ("text DEFAULT 'a check (b) unique'", "text DEFAULT 'a check (b) unique'"),
        ('text COLLATE "unique" NULL', 'text COLLATE "unique" NULL'),
    ],
)
def test_definitions_of_a_new_column(definition: str, named: str) -> None:
    for add in ("ADD", "ADD COLUMN", "ADD COLUMN IF NOT EXISTS"):
        head = f"ALTER TABLE hr.things {add} a"
        assert planned(f"{head} {definition}") == [f"{head} {named}"]


@pytest.mark.parametrize(
    ("constraint", "named"),
    [
        ("CHECK (a > 0)", 'CONSTRAINT "things_a_check1" CHECK (a > 0)'),
        ("EXCLUDE (a WITH =)", 'CONSTRAINT "things_a_excl" EXCLUDE (a WITH =)'),
        (
            "EXCLUDE USING gist (int4range(a, b) WITH &&, a WITH =, (a + b) WITH =) WHERE (a > 0)",
            'CONSTRAINT "things_int4range_a_expr_excl" EXCLUDE USING gist (int4range(a, b) WITH &&,'
            " a WITH =, (a + b) WITH =) WHERE (a > 0)",
        ),
        ("UNIQUE (a)", "UNIQUE (a)"),
        ("CONSTRAINT mine CHECK (a > 0)", "CONSTRAINT mine CHECK (a > 0)"),
    ],
)
def test_constraints_of_the_table(constraint: str, named: str) -> None:
    taken = {"columns": ("a", "b"), "constraints": ("things_a_check",)}
    found = planned(f"ALTER TABLE hr.things ADD {constraint}", **taken)
    assert found == [f"ALTER TABLE hr.things ADD {named}"]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("a > 0 AND a < 9", "things_a_check"),
        ("a > b", "things_check"),
        ("b > 0", "things_b_check"),
        ("now() > '2020-01-01'", "things_check"),
        ("lower(a) = 'b'", "things_a_check"),
        ("a = 'x'::b", "things_a_check"),
        ("b(a) > 0", "things_a_check"),
        ('"A" > 0 AND a > 0', "things_check"),
    ],
)
def test_check_is_named_for_its_only_column(expression: str, name: str) -> None:
    [text] = planned(
        f"ALTER TABLE hr.things ADD COLUMN a text CHECK ({expression})", columns=("a", "b", "A")
    )
    assert f'CONSTRAINT "{name}" CHECK' in text


def test_check_of_two_columns_that_one_statement_adds() -> None:
    texts = planned("ALTER TABLE hr.things ADD a int, ADD b int CHECK (a > b)")
    assert texts[-1] == 'ALTER TABLE hr.things ADD b int CONSTRAINT "things_check" CHECK (a > b)'


def test_taken_names_are_numbered() -> None:
    [text] = planned(
        "ALTER TABLE hr.things ADD a int UNIQUE CHECK (a > 0)",
        relations=("things_a_key", "things_a_check"),
        constraints=("things_a_key1", "things_a_check"),
    )
    assert 'CONSTRAINT "things_a_key2" UNIQUE CONSTRAINT "things_a_check1" CHECK' in text


def test_catalog_is_read_only_for_names() -> None:
    schema = Schema()
    in_citus_form("ALTER TABLE hr.things ADD COLUMN a int NULL", schema)
    in_citus_form("CREATE TABLE hr.things (a int CHECK (a > 0))", schema)
    assert schema.read == []
    in_citus_form('ALTER TABLE ONLY "hr"."my things" ADD a int UNIQUE CHECK (a > 0)', schema)
    assert schema.read == [QualifiedName("hr", "my things")]


def test_actions_with_constraints_are_sent_alone__in_the_order_of_postgresql() -> None:
    text = (
        "ALTER TABLE hr.things ADD CONSTRAINT c CHECK (b > 0), ADD COLUMN b int, ALTER a DROP"
        " NOT NULL, ALTER COLUMN d TYPE numeric(10, 2), DROP COLUMN e;"
    )
    assert planned(text) == [
        "ALTER TABLE hr.things DROP COLUMN e",
        "ALTER TABLE hr.things ALTER COLUMN d TYPE numeric(10, 2)",
        "ALTER TABLE hr.things ADD COLUMN b int",
        "ALTER TABLE hr.things ALTER a DROP NOT NULL",
        "ALTER TABLE hr.things ADD CONSTRAINT c CHECK (b > 0)",
    ]


def test_actions_without_constraints_stay_together() -> None:
    text = 'ALTER TABLE "hr"."things" ALTER "a" DROP NOT NULL, ALTER "a" TYPE bigint'
    assert planned(text) == [text]


def test_foreign_key_that_django_adds_with_its_column() -> None:
    text = (
        'ALTER TABLE "hr"."things" ADD COLUMN "other_id" bigint NULL CONSTRAINT "k" REFERENCES'
        ' "hr"."others"("id") DEFERRABLE INITIALLY DEFERRED; SET CONSTRAINTS "hr"."k" IMMEDIATE'
    )
    first, second = text.split("; ")
    assert planned(text) == [f"{first};", second]


def test_several_statements_are_sent_one_by_one__comments_stay() -> None:
    text = (
        "-- first\nCREATE TABLE hr.a (b text DEFAULT ';'); /* then */ CREATE INDEX ON hr.a (b);"
        "CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$"
    )
    assert planned(text) == [
        "CREATE TABLE hr.a (b text DEFAULT ';');",
        "CREATE INDEX ON hr.a (b);",
        "CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$",
    ]
    assert in_citus_form(text, Schema(), split=False) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; SELECT 2",
        "UPDATE hr.a SET b = ';'; DELETE FROM hr.a",
        "CREATE TABLE hr.a (b int);",
        "ALTER TABLE",
        "ALTER TABLE hr.a RENAME COLUMN b TO c",
        "ALTER TABLE hr.a ADD",
        "ALTER TABLE hr.a ADD COLUMN",
        "COMMENT ON TABLE hr.a IS 'ALTER TABLE x ADD y int CHECK (y > 0)'",
        "DO $$ BEGIN ALTER TABLE hr.a ADD b int CHECK (b > 0); END $$",
        "",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert planned(text) == [text]


def test_long_names_are_shortened_as_postgresql_does() -> None:
    assert object_name("t" * 60, "c" * 10, "check") == f"{'t' * 46}_{'c' * 10}_check"
    assert object_name("t" * 10, "c" * 60, "key") == f"{'t' * 10}_{'c' * 48}_key"
    assert object_name("é" * 40, "", "pkey") == f"{'é' * 29}_pkey"
