"""Giving domains their database roles, and running migrations as them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus

from ..boundary.grants import acting_role, apply_statements, remove_statements
from ..domains import Domain, get_domain, get_domains
from .connection import database_errors
from .session import is_alive


def granted(
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
    compose = remove_statements if remove else apply_statements
    for domain in chosen:
        alias = database or domain.database
        with database_errors(alias), transaction.atomic(using=alias):
            statements = []
            for statement in compose(connections[alias], domain):
                statements.append(statement)
                if run:
                    with connections[alias].cursor() as cursor:
                        cursor.execute(statement)
        yield domain, statements


class Identity:
    """The database role that a run acts as: the domain's where it has one, else its own.

    Arguments:
        connection: the run's own.
        domain: whose role it is.
    """

    def __init__(self, connection: BaseDatabaseWrapper, domain: Domain) -> None:
        self.connection = connection
        self.role = acting_role(connection, domain)

    @contextmanager
    def domain(self) -> Iterator[None]:
        """Act as the domain's role; the role that connects is back at the end."""
        with self._switched(self.role, back=None):
            yield

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Act as the role that connects, inside of :meth:`domain`."""
        with self._switched(None, back=self.role):
            yield

    @contextmanager
    def _switched(self, role: str | None, *, back: str | None) -> Iterator[None]:
        if self.role is None:
            yield
            return
        self._set(role)
        try:
            yield
        finally:
            # A failed transaction runs no statement; its rollback undoes SET ROLE as well.
            if is_alive(self.connection) and not self._failed():
                self._set(back)

    def _failed(self) -> bool:
        status = self.connection.connection.info.transaction_status
        return self.connection.needs_rollback or status == TransactionStatus.INERROR

    def _set(self, role: str | None) -> None:
        with self.connection.cursor() as cursor:
            if role is None:
                cursor.execute("RESET ROLE")
            else:
                cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
