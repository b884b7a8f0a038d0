"""Obstacles in roles: those that own what is distributed, and the one that distributes it."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.messages import shortened
from ...engine.sessions.connection import fetch_all
from ..obstacle import Obstacle
from .facts import PLACED, Facts

OWNED = f"""
WITH owned AS (
    SELECT n.nspname, n.nspowner AS owner, 'the schema ' || quote_ident(n.nspname) AS title,
        '' AS place, '' AS name
    FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY(%(schemas)s)
    UNION ALL
    SELECT n.nspname, c.relowner, format('%%I.%%I', n.nspname, c.relname), n.nspname, c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE {PLACED} AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT n.nspname, c.relowner, format('%%I.%%I', n.nspname, c.relname), '', ''
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'S'
)
SELECT o.nspname, o.title, o.place, o.name, r.rolname, quote_ident(r.rolname), r.rolcanlogin,
    pg_has_role(r.oid, 'USAGE')
FROM owned o JOIN pg_catalog.pg_roles r ON r.oid = o.owner
ORDER BY 1, 5, 2
"""  # noqa: S608 (made of constants only)

FUNCTIONS = (
    "citus_schema_distribute",
    "create_reference_table",
    "master_run_on_worker",
    "run_command_on_placements",
    "truncate_local_data_after_distributing_table",
)
NOT_EXECUTABLE = """
SELECT p.proname, p.oid::regprocedure::text, quote_ident(current_user)
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_depend d ON d.classid = p.tableoid AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid AND x.extname = 'citus'
WHERE p.proname = ANY(%s) AND NOT has_function_privilege(p.oid, 'EXECUTE')
ORDER BY 1, 2
"""
SELF = "SELECT current_user, quote_ident(current_user)"


def role_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield owners that may not log in, or whose tables the runner may not distribute."""
    yield from _owners(facts)
    for name, function, quoted in fetch_all(facts.connection, NOT_EXECUTABLE, [list(FUNCTIONS)]):
        yield facts.obstacle(
            "function_denied",
            "",
            name,
            f"The role that runs this may not execute {name}() of Citus.",
            f"GRANT EXECUTE ON FUNCTION {function} TO {quoted};",
        )


def _owners(facts: Facts) -> Iterator[Obstacle]:
    [[runner, quoted_runner]] = fetch_all(facts.connection, SELF)
    foreign: dict[tuple[str, str, str], list[str]] = {}
    locked_out: dict[tuple[str, str, str], None] = {}
    for schema, title, *table, role, quoted, may_log_in, is_usable in facts.rows(OWNED):
        if not may_log_in and schema in facts.schemas:
            locked_out[schema, role, quoted] = None
        if not is_usable and tuple(table) not in facts.copied:
            foreign.setdefault((schema, role, quoted), []).append(title)
    for schema, role, quoted in locked_out:
        yield facts.obstacle(
            "role_nologin",
            schema,
            role,
            f"The role {role} owns the schema {schema} or tables in it, and may not log in: Citus"
            " connects to the workers as that role.",
            f"ALTER ROLE {quoted} LOGIN;",
        )
    for (schema, role, quoted), titles in foreign.items():
        yield facts.obstacle(
            "not_owner",
            schema,
            role,
            f"The role {role} owns {shortened(titles)}, and the role {runner}, which runs this,"
            " does not belong to it: only owners distribute.",
            f"GRANT {quoted} TO {quoted_runner};",
        )
