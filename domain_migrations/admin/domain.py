"""The page of one domain: its migrations, its seeds and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.db import connections
from django.http import HttpRequest

from ..domains import Domain
from ..engine.sessions.database_problems import translate_database_errors
from ..exceptions import DomainMigrationsError, InvalidConfiguration
from . import states
from .diagram import er_diagram
from .hidden_names import MASK, HiddenNames
from .migrations import History, MigrationRow
from .overview import read_rows
from .page import Page, get_visible_domain
from .seeds import read_seeds
from .table_sizes import Relation, read_relations, read_tables

ROWS = 100

HIDDEN = Relation(MASK, "")
"""Instead of a table of a domain that the user may not view."""


def domain(request: HttpRequest, visible: Sequence[Domain], name: str) -> Page:
    """Show one domain: its migrations, its seeds, its tables and their foreign keys."""
    one, names = get_visible_domain(visible, name), HiddenNames(visible)
    (row,) = (row.shown(names) for row in read_rows([one]))
    context: dict[str, Any] = {"domain": one, "row": row}
    commands: tuple[tuple[str, str], ...] = (
        ("Show the same as text", f"manage.py show_domains {name}"),
    )
    if row.status is not None:
        try:
            with translate_database_errors(one.database):
                history = History(connections[one.database], row.status)
                pages: Paginator[MigrationRow] = Paginator(history, ROWS)  # type: ignore[arg-type]
                page = pages.get_page(request.GET.get("page"))
                context |= {"page": page, **_tables(one, names), **_seeds(one, names)}
                rows = [migration.shown(names) for migration in page]
                context["rows"] = rows
                commands = tuple(next_commands(one, history, rows, context))
        except DomainMigrationsError as exc:
            context["problem"] = names.withhold(exc.full_message)
    return Page(
        "domain.html",
        f"Domain {name}",
        context,
        commands=commands,
    )


def _tables(domain: Domain, names: HiddenNames) -> dict[str, Any]:
    """Return the tables and their picture, without the names of hidden domains' tables."""
    connection = connections[domain.database]
    own = {table.name for table in domain.engine_tables}
    hidden = {one.schema for one in names.hidden}
    relations = read_relations(connection, domain.schema)
    tables = [
        table._replace(
            relations=tuple(
                dict.fromkeys(
                    HIDDEN if relation.to_schema in hidden else relation
                    for relation in relations.get(table.name, ())
                )
            )
        )
        for table in read_tables(connection, [domain.schema])
        if table.name not in own
    ]
    try:
        return {"tables": tables, "diagram": er_diagram(domain.schema, tables)}
    except InvalidConfiguration as exc:
        return {"tables": tables, "no_diagram": exc.full_message}


def _seeds(domain: Domain, names: HiddenNames) -> dict[str, Any]:
    try:
        seeds = read_seeds(connections[domain.database], domain)
        return {"seeds": [replace(seed, tables=names.mask(seed.tables)) for seed in seeds]}
    except DomainMigrationsError as exc:
        return {"no_seeds": names.withhold(exc.full_message)}


def next_commands(
    domain: Domain, history: History, rows: Iterable[MigrationRow], context: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield the commands to run next for the domain: the purpose and the command line."""
    name = domain.name
    if history.interruption is not None:
        resume = f"manage.py repair_domain {name} --resume"
        yield f"Resume {history.interruption.key}, which was interrupted", resume
    if history.status.pending or not history.status.up_to_date:
        yield "Show the plan without running it", f"manage.py migrate_domain {name} --plan"
        yield "Migrate it", f"manage.py migrate_domain {name}"
    edited = next((row for row in rows if states.EDITED in row.states), None)
    if edited is not None:
        accept = f"manage.py repair_domain {name} --accept-checksum {target(domain, edited)}"
        yield f"Accept the edit of {edited.key} after reviewing it", accept
    if history.status.unknown:
        prune = f"manage.py repair_domain {name} --prune"
        yield "Remove the rows of migrations whose files were deleted on purpose", prune
    to_seed = {seed.state for seed in context.get("seeds", ())} & {states.PENDING, states.EDITED}
    if to_seed and history.status.up_to_date:
        yield "Load its seeds", f"manage.py seed_domain {name}"
    yield "Look for drift and boundary violations", f"manage.py verify_domain {name}"


def target(domain: Domain, row: MigrationRow) -> str:
    """Return the migration in the form that commands accept."""
    return row.key.name if len(domain.app_labels) == 1 else str(row.key)
