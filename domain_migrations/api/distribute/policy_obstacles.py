"""Obstacles in row security: policies that Citus refuses, or writes differently on the shards."""

from __future__ import annotations

from collections.abc import Iterator

from ..obstacle import Obstacle
from .facts import PLACED, Facts

POLICIES = f"""
SELECT n.nspname, format('%%I.%%I', n.nspname, c.relname), p.polname, quote_ident(p.polname),
    concat(p.polqual::text, p.polwithcheck::text) LIKE '%%{{SUBLINK%%', p.polpermissive
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {PLACED}
ORDER BY 1, 2, 3
"""  # noqa: S608 (made of constants only)


def policy_obstacles(facts: Facts) -> Iterator[Obstacle]:
    """Yield the policies that Citus refuses, and those that the shards would not have as they are.

    The rows that a role sees are those that the policies of the shards let it see.
    """
    for schema, table, name, quoted, has_query, is_permissive in facts.rows(POLICIES):
        if has_query:
            yield facts.obstacle(
                "policy_subquery",
                schema,
                table,
                f"The policy {name} of {table} has a subquery, which Citus refuses.",
                f"DROP POLICY {quoted} ON {table};",
            )
        if not is_permissive:
            yield facts.obstacle(
                "policy_restrictive",
                schema,
                table,
                f"The policy {name} of {table} is RESTRICTIVE, and would be PERMISSIVE on the"
                " shards: roles would see, and could write, rows that it keeps from them.",
                f"DROP POLICY {quoted} ON {table}; and write its condition, with AND, into each"
                " permissive policy of the table.",
            )
