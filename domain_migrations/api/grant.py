"""Database roles of domains: granted, updated or revoked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connections, transaction

from ..domains import Domain, get_domain, get_domains
from ..engine.sessions.database_problems import translate_database_errors
from ..engine.sessions.roles import grant_statements, revoke_statements


def grant_roles(
    names: Sequence[str], *, remove: bool, run: bool, database: str | None = None
) -> Iterator[tuple[Domain, list[str]]]:
    """Yield each domain with the statements that grant or revoke its role.

    Arguments:
        names: domains; all but core unless given.
        remove: whether the roles are dropped.
        run: whether the statements are run, those of each domain in one transaction.
        database: alias; each domain's own unless given.

    Raises:
        UnknownDomain: no domain has one of the names.
        InvalidConfiguration: core was named.
        InsufficientPrivilege: the login role may not create roles.
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
