"""Giving domains their database roles, and running migrations as them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connections, transaction

from ..domains import Domain, get_domain, get_domains
from ..engine.sessions.connection import translate_database_errors
from ..engine.sessions.roles import grant_statements, revoke_statements


def grant_roles(
    names: Sequence[str], *, remove: bool, run: bool, database: str | None = None
) -> Iterator[tuple[Domain, list[str]]]:
    """Yield each domain with the statements that give it its role, or take it away.

    Arguments:
        names: domains; all but core unless given.
        run: run them, each domain's in one transaction; else they are only composed.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain: a name is no domain's.
        InvalidConfiguration: core was named.
        PrivilegeMissing: the role that connects may not create roles.
    """
    chosen = [get_domain(name) for name in names] or [d for d in get_domains() if not d.is_core]
    compose = revoke_statements if remove else grant_statements
    for domain in chosen:
        alias = database or domain.database
        with translate_database_errors(alias), transaction.atomic(using=alias):
            statements = []
            for statement in compose(connections[alias], domain):
                statements.append(statement)
                if run:
                    with connections[alias].cursor() as cursor:
                        cursor.execute(statement)
        yield domain, statements
