"""Which tables of core become reference tables, in which order, and by which statements."""

from __future__ import annotations

import pytest
from django.db import connections

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.cluster.reference_tables import (
    closure,
    in_foreign_key_order,
    model_tables,
    reference_table_statements,
    session_tables,
    tables_for_every_node,
)
from domain_migrations.engine.cluster.triggers import TableTrigger, enabled_triggers
from tests.support.catalog import execute

QUOTED = ('"public"."users"', '"public"."a ""b"""')


def public(*names: str) -> list[QualifiedName]:
    return [QualifiedName("public", name) for name in names]


def keys(*pairs: str) -> list[tuple[QualifiedName, QualifiedName]]:
    return [(first, second) for first, second in (public(*pair.split(">")) for pair in pairs)]


def test_tables_that_domains_may_refer_to() -> None:
    named = public(
        "users",
        "django_session",
        "django_migrations",
        "django_migrations_core_journal",
        "django_seeds_core",
        "django_seeds_core_rows",
    )
    assert tables_for_every_node(named) == {*public("users")}
    assert session_tables() == {*public("django_session")}
    assert {*public("users", "user_groups", "auth_permission", "django_session")} <= model_tables()
    assert {table.schema for table in model_tables()} == {"public"}


def test_closure_of_foreign_keys() -> None:
    found = closure(public("a"), keys("a>b", "b>c", "c>a", "d>a"))
    assert found == {*public("a", "b", "c")}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], "a b c"),
        (["a>b", "b>c"], "c b a"),
        (["a>c", "a>b", "b>a"], "b c a"),
        (["a>elsewhere", "elsewhere>c", "c>b"], "a b c"),
    ],
    ids=["none", "chain", "circle", "others"],
)
def test_order_of_foreign_keys(pairs: list[str], expected: str) -> None:
    ordered = in_foreign_key_order(public("c", "b", "a"), keys(*pairs))
    assert ordered == public(*expected.split())


def test_statements_keep_the_states_of_triggers() -> None:
    [users, roles] = public("users", 'a "b"')
    triggers = [
        TableTrigger(users, "one", "O"),
        TableTrigger(roles, "always", "A"),
        TableTrigger(roles, "re", "R"),
    ]
    written = [text.as_string() for text in reference_table_statements([users, roles], triggers)]
    assert written == [
        'ALTER TABLE "public"."users" DISABLE TRIGGER "one"',
        'ALTER TABLE "public"."a ""b""" DISABLE TRIGGER "always"',
        'ALTER TABLE "public"."a ""b""" DISABLE TRIGGER "re"',
        *(f"SELECT create_reference_table('{table}')" for table in QUOTED),
        'ALTER TABLE "public"."users" ENABLE TRIGGER "one"',
        'ALTER TABLE "public"."a ""b""" ENABLE ALWAYS TRIGGER "always"',
        'ALTER TABLE "public"."a ""b""" ENABLE REPLICA TRIGGER "re"',
    ]


def test_triggers_that_are_enabled(scratch_database: str) -> None:
    execute(
        "CREATE SCHEMA hr; CREATE TABLE public.users (id int); CREATE TABLE hr.users (id int);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    )
    for table, name in (("hr", "one"), ("hr", "off"), ("hr", "re"), ("public", "other")):
        execute(f"CREATE TRIGGER {name} AFTER INSERT ON {table}.users EXECUTE FUNCTION f()")
    execute("ALTER TABLE hr.users DISABLE TRIGGER off, ENABLE REPLICA TRIGGER re")
    users = QualifiedName("hr", "users")
    assert enabled_triggers(connections["default"], [users]) == [
        TableTrigger(users, "one", "O"),
        TableTrigger(users, "re", "R"),
    ]


def test_triggers_that_are_enabled__partitioned_table(scratch_database: str) -> None:
    execute(
        "CREATE SCHEMA hr; CREATE TABLE hr.shifts (day date) PARTITION BY RANGE (day);"
        'CREATE TABLE hr."Later" PARTITION OF hr.shifts DEFAULT;'
        "CREATE TABLE public.shifts (day date) PARTITION BY RANGE (day);"
        'CREATE TABLE public."Later" PARTITION OF public.shifts DEFAULT;'
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    )
    for schema in ("hr", "public"):
        execute(
            f"CREATE TRIGGER t BEFORE INSERT ON {schema}.shifts FOR EACH ROW EXECUTE FUNCTION f()"
        )
    # The partition's own is a copy, which is changed with that of its table.
    assert enabled_triggers(connections["default"], [QualifiedName("hr", "Later")]) == [
        TableTrigger(QualifiedName("hr", "shifts"), "t", "O")
    ]
