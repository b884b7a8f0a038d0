"""The privileges of an inspected schema: what the migration grants, and what is only said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from django.db import connection

from domain_migrations.api.inspect.grant_statements import privilege_changes, privilege_groups
from domain_migrations.api.inspect.owner_notes import privilege_notes
from domain_migrations.api.inspect.schema_grants import (
    Privilege,
    privilege_differences,
    read_privileges,
)
from domain_migrations.api.inspect.statement_groups import StatementGroup
from tests.support.catalog import execute, query

READER, WRITER = "inspect_reader", "Inspect Writer"
OBJECTS = """
CREATE SCHEMA lab;
CREATE TABLE lab.items (id serial PRIMARY KEY, "na me" text, price int);
CREATE VIEW lab.names AS SELECT id FROM lab.items;
CREATE TABLE lab.history (id int);
CREATE TYPE lab.state AS ENUM ('new');
CREATE FUNCTION lab.secret(state lab.state) RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1;
CREATE AGGREGATE lab.most(int) (SFUNC = int4larger, STYPE = int);
"""
GRANTS = f"""
GRANT USAGE ON SCHEMA lab TO {READER}, "{WRITER}";
GRANT SELECT ON lab.items, lab.history TO {READER};
GRANT SELECT ON lab.names TO PUBLIC;
GRANT ALL ON lab.items TO "{WRITER}" WITH GRANT OPTION;
GRANT UPDATE ("na me"), SELECT (price) ON lab.items TO {READER};
GRANT USAGE ON SEQUENCE lab.items_id_seq TO "{WRITER}";
REVOKE ALL ON FUNCTION lab.secret FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lab.secret, lab.most TO {READER};
REVOKE USAGE ON TYPE lab.state FROM PUBLIC;
GRANT SELECT ON public.items TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "{WRITER}" IN SCHEMA lab GRANT SELECT ON TABLES TO {READER};
"""
EXPECTED = [
    "GRANT SELECT ON TABLE lab.names TO PUBLIC;",
    "REVOKE EXECUTE ON ROUTINE lab.secret(lab.state) FROM PUBLIC;",
    "REVOKE USAGE ON TYPE lab.state FROM PUBLIC;",
    'GRANT USAGE ON SCHEMA lab TO "Inspect Writer";',
    'GRANT USAGE ON SEQUENCE lab.items_id_seq TO "Inspect Writer";',
    'GRANT ALL ON TABLE lab.items TO "Inspect Writer" WITH GRANT OPTION;',
    "GRANT USAGE ON SCHEMA lab TO inspect_reader;",
    "GRANT SELECT ON TABLE lab.items TO inspect_reader;",
    'GRANT SELECT (price), UPDATE ("na me") ON TABLE lab.items TO inspect_reader;',
    "GRANT EXECUTE ON ROUTINE lab.most(integer) TO inspect_reader;",
    "GRANT EXECUTE ON ROUTINE lab.secret(lab.state) TO inspect_reader;",
    'ALTER DEFAULT PRIVILEGES FOR ROLE "Inspect Writer" IN SCHEMA lab'
    " GRANT SELECT ON TABLES TO inspect_reader;",
]


@pytest.fixture(scope="module", autouse=True)
def roles(module_database: str) -> Iterator[None]:
    for role in (READER, WRITER):
        execute(f'CREATE ROLE "{role}"')
    execute("CREATE TABLE public.items (id int)")
    yield
    execute("DROP SCHEMA IF EXISTS lab CASCADE")
    for role in (READER, WRITER):
        execute(f'DROP OWNED BY "{role}"; DROP ROLE IF EXISTS "{role}"')


@pytest.fixture
def privileges() -> tuple[Privilege, ...]:
    """Of a schema that has been made again since, without them."""
    execute(f"DROP SCHEMA IF EXISTS lab CASCADE; {OBJECTS} {GRANTS}")
    found = read_privileges(connection, "lab", exclude=["history"])
    execute(f"DROP SCHEMA lab CASCADE; {OBJECTS}")
    return found


def run(groups: Sequence[StatementGroup], *, backwards: bool = False) -> None:
    for group in reversed(groups) if backwards else groups:
        for statement in group.backwards if backwards else group.forwards:
            execute(statement)


def test_only_what_differs_from_new_objects_is_read(privileges: tuple[Privilege, ...]) -> None:
    assert [item.statement for item in privileges] == EXPECTED
    assert read_privileges(connection, "lab") == ()


def test_the_groups_grant_and_revoke(privileges: tuple[Privilege, ...]) -> None:
    decoy = query("SELECT relacl FROM pg_class WHERE oid = 'public.items'::regclass")
    missing = list(privilege_differences(connection, "lab", privileges))
    assert missing == [f"privileges: missing: {text}" for text in sorted(EXPECTED, key=_order)]
    groups = list(privilege_groups(privileges))

    run(groups)
    assert read_privileges(connection, "lab") == privileges
    assert list(privilege_differences(connection, "lab", privileges)) == []

    run(groups, backwards=True)
    assert query("SELECT nspacl::text FROM pg_namespace WHERE nspname = 'lab'") in (
        [(None,)],
        query("SELECT acldefault('n', nspowner)::text FROM pg_namespace WHERE nspname = 'lab'"),
    )
    assert query("SELECT count(*) FROM pg_default_acl") == [(0,)]
    assert query("SELECT relacl FROM pg_class WHERE oid = 'public.items'::regclass") == decoy


def test_changes_grant_and_revoke_what_differs(privileges: tuple[Privilege, ...]) -> None:
    """On the objects that stay, which keep what did not change."""
    run(list(privilege_groups(privileges)))
    execute(
        f'REVOKE ALL ON SCHEMA lab FROM "{WRITER}"; GRANT INSERT ON lab.items TO {READER};'
        " GRANT EXECUTE ON FUNCTION lab.secret TO PUBLIC; REVOKE ALL ON lab.names FROM PUBLIC;"
        f' ALTER DEFAULT PRIVILEGES FOR ROLE "{WRITER}" IN SCHEMA lab'
        f" REVOKE SELECT ON TABLES FROM {READER}"
    )
    changed = read_privileges(connection, "lab")
    forwards = privilege_changes(privileges, changed)
    assert not any(' ON TABLE lab.items TO "Inspect' in text for text in forwards)
    for before, after in ((changed, privileges), (privileges, changed)):
        for statement in privilege_changes(before, after):
            execute(statement)
        assert read_privileges(connection, "lab") == after


def _order(statement: str) -> tuple[str, str]:
    role = statement.rstrip(";").removesuffix(" WITH GRANT OPTION").rpartition(" ")[2]
    names = {"PUBLIC": "", 'Writer"': WRITER}
    return names.get(role, role), statement


def test_a_server_without_the_roles_gets_the_rest(privileges: tuple[Privilege, ...]) -> None:
    missing = [
        item._replace(
            role=item.role.replace(READER, "nobody"),
            statement=item.statement.replace(READER, "nobody"),
            by=item.by.replace(WRITER, "no one"),
        )
        for item in privileges
    ]
    groups = list(privilege_groups(missing))
    run(groups)
    found = read_privileges(connection, "lab")
    assert [item.statement for item in found] == EXPECTED[:6]
    run(groups, backwards=True)


def test_owners_and_publications_are_only_said(privileges: tuple[Privilege, ...]) -> None:
    notes = list(privilege_notes(connection, "lab", privileges))
    assert notes == [
        f"What {WRITER}, {READER} may do is granted by the migration where the role exists. It"
        " creates no role."
    ]
    execute(f'ALTER TABLE lab.items OWNER TO "{WRITER}"')
    execute("CREATE PUBLICATION inspect_some FOR TABLE lab.items, public.items")
    execute("CREATE PUBLICATION inspect_all FOR TABLES IN SCHEMA lab")
    execute("CREATE PUBLICATION inspect_other FOR TABLE public.items")
    try:
        (owner,) = query("SELECT current_user")
        assert list(privilege_notes(connection, "lab", ())) == [
            f"Of the relations and functions 1 to {WRITER}, 4 to {owner[0]} belong. Owners are"
            " not part of the migration: the role that migrates owns what it creates.",
            "The publication inspect_all has every table of the schema. It is the database's, so"
            " it is not part of the migration: publish in other databases with ALTER PUBLICATION.",
            "The publication inspect_some has items. It is the database's, so it is not part of"
            " the migration: publish in other databases with ALTER PUBLICATION.",
        ]
    finally:
        for name in ("some", "all", "other"):
            execute(f"DROP PUBLICATION IF EXISTS inspect_{name}")
