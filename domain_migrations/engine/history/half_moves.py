"""Domains that were moved in part: a history without its tables, or tables without their history.

An app that becomes a domain has its tables in ``public`` and its rows in core's history until both
are moved. Where only one of them is, a run would create the tables again, or none at all. Every run
looks for that; ``half_move_causes`` is imported where something was found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from ...domains import Domain, QualifiedName
from .existing_tables import existing_tables
from .status import DomainStatus


class HalfMove(NamedTuple):
    """What is wrong with a domain in a database, and what to do."""

    message: str
    hint: str


def own_models(domain: Domain) -> Iterator[type[Model]]:
    """Yield the domain's models that have a table that migrations create."""
    for label in domain.app_labels:
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                yield model


def find_half_move(connection: BaseDatabaseWrapper, status: DomainStatus) -> HalfMove | None:
    """Return whether the history or the tables are missing that the other one is for."""
    return next((found for _, found in find_half_moves(connection, [status])), None)


def own_tables(domain: Domain) -> set[QualifiedName]:
    """Return the tables of the domain's models, without those whose names are malformed."""
    tables = set()
    for model in own_models(domain):
        with suppress(ValueError):  # A system check reports it.
            tables.add(QualifiedName.of(model._meta.db_table))
    return tables


def find_half_moves(
    connection: BaseDatabaseWrapper,
    statuses: Collection[DomainStatus],
    existing: Collection[QualifiedName] | None = None,
) -> Iterator[tuple[Domain, HalfMove]]:
    """Yield what is wrong with domains, most of which are whole.

    Arguments:
        existing: those of the ``own_tables`` that exist, if that is known already.
    """
    tables = {
        status.domain: own_tables(status.domain)
        for status in statuses
        if not status.domain.is_core and (status.applied or status.pending)
    }
    if existing is None:
        existing = existing_tables(connection, set().union(*tables.values()))
    for status in statuses:
        own = tables.get(status.domain, set())
        if not _is_whole(status, own, existing):
            from .half_move_causes import find_cause

            if (found := find_cause(connection, status)) is not None:
                yield status.domain, found


def _is_whole(
    status: DomainStatus, own: set[QualifiedName], existing: Collection[QualifiedName]
) -> bool:
    """Return whether the tables that exist and the rows in the histories need no further look."""
    if status.domain.is_core:
        begun = {key.app for key in status.applied}
        return all(key.app in begun for key in status.pending)
    if not set(status.in_core_history).isdisjoint(status.pending):
        return False
    return own.issubset(existing) if status.applied else own.isdisjoint(existing)
