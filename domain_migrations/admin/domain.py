"""The page of one domain: its migrations and its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.core.paginator import Paginator
from django.db import connections
from django.http import HttpRequest

from ..domains import Domain
from ..exceptions import InvalidConfiguration
from . import states
from .diagram import er_diagram
from .migrations import History, MigrationRow, read_history
from .overview import read_rows
from .page import Page, get_visible_domain
from .table_sizes import read_relations, read_tables

ROWS = 100


def domain(request: HttpRequest, visible: Sequence[Domain], name: str) -> Page:
    """Show one domain: its migrations, its tables and their foreign keys."""
    one = get_visible_domain(visible, name)
    (row,) = read_rows([one])
    context = {"domain": one, "row": row}
    commands: tuple[tuple[str, str], ...] = (
        ("Show the same as text", f"manage.py show_domains {name}"),
    )
    if row.status is not None:
        connection = connections[one.database]
        history = read_history(connection, one)
        page = Paginator(history.rows, ROWS).get_page(request.GET.get("page"))
        own = {table.name for table in one.engine_tables}
        relations = read_relations(connection, one.schema)
        tables = [
            table._replace(relations=relations.get(table.name, ()))
            for table in read_tables(connection, [one.schema])
            if table.name not in own
        ]
        context |= {"page": page, "tables": tables}
        try:
            context["diagram"] = er_diagram(one.schema, tables)
        except InvalidConfiguration as exc:
            context["no_diagram"] = f"{exc.message} {exc.hint}".strip()
        commands = tuple(next_commands(one, history))
    return Page(
        "domain.html",
        f"Domain {name}",
        context,
        commands=commands,
    )


def next_commands(domain: Domain, history: History) -> Iterator[tuple[str, str]]:
    """Yield the commands to run next for the domain: the purpose and the command line."""
    name = domain.name
    if history.interruption is not None:
        resume = f"manage.py repair_domain {name} --resume"
        yield f"Resume {history.interruption.key}, which was interrupted", resume
    if history.status.pending or not history.status.up_to_date:
        yield "Show the plan without running it", f"manage.py migrate_domain {name} --plan"
        yield "Migrate it", f"manage.py migrate_domain {name}"
    for row in history.in_state(states.EDITED)[:1]:
        accept = f"manage.py repair_domain {name} --accept-checksum {target(domain, row)}"
        yield f"Accept the edit of {row.key} after reviewing it", accept
    if history.status.unknown:
        prune = f"manage.py repair_domain {name} --prune"
        yield "Remove the rows of migrations whose files were deleted on purpose", prune
    yield "Look for drift and boundary violations", f"manage.py verify_domain {name}"


def target(domain: Domain, row: MigrationRow) -> str:
    """Return the migration in the form that commands accept."""
    return row.key.name if len(domain.app_labels) == 1 else str(row.key)
