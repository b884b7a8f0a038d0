"""Leftovers: tables in the wrong schema, rows in the wrong history, unfinished indexes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

from ...backends.postgresql.names import parse_table_name, truncate
from ...domains import Domain, QualifiedName, get_domain_for, get_domains
from ...engine.boundary.planned_migrations import crossing_links
from ...engine.catalog.compat_views import read_compat_views, read_views_of_adoptions
from ...engine.catalog.other_tools.tools import describe_history, history_of
from ...engine.history.existing_tables import existing_tables
from ...engine.history.half_move_causes import HOW_TO, find_places
from ...engine.history.half_moves import find_half_move, own_models
from ...engine.history.status import read_statuses
from ...engine.messages import Finding, shortened
from ...engine.sources.adoptions import read_adoptions
from ...engine.sources.files import ADOPTION_FILE, migrations_module
from ...engine.sources.transfer_halves import half_of
from ...engine.sql.query import run_sql
from .imported_history import kept_too_long
from .left_slots import slot_findings

# A partition belongs to its parent, which may be in another schema.
SELECT_TABLES = """
SELECT c.relname, format('%%I.%%I', n.nspname, c.relname), ARRAY(
    SELECT attname::text FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY 1
"""

# An index that another session is still building is not a leftover.
SELECT_INVALID_INDEXES = """
SELECT format('%%I.%%I', n.nspname, c.relname),
    CASE WHEN c.relkind = 'I' THEN 'partitioned'
        WHEN c.relname ~ '_cc(new|old)[0-9]*$' THEN 'transient'
        WHEN i.indisexclusion THEN 'excluding'
        WHEN c.relispartition OR EXISTS (SELECT FROM pg_constraint k
            WHERE k.conindid = c.oid AND k.contype IN ('p', 'u')) THEN 'needed'
        ELSE '' END
FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND NOT (i.indisvalid AND i.indisready)
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p
        WHERE p.index_relid = i.indexrelid AND p.datname = current_database())
ORDER BY 1
"""

HINTS_INVALID_INDEX = {
    "": "Build it again: REINDEX INDEX CONCURRENTLY {0}; or drop it: DROP INDEX CONCURRENTLY {0};",
    "needed": "Build it again: REINDEX INDEX CONCURRENTLY {0};",
    "excluding": "Build it again, which blocks writes: REINDEX INDEX {0};",
    "transient": "A REINDEX CONCURRENTLY left it; drop it: DROP INDEX CONCURRENTLY {0};",
    "partitioned": "It gets valid when each partition's index is valid and attached: ALTER INDEX"
    " {0} ATTACH PARTITION …; or drop it: DROP INDEX {0};",
}
"""What can be done about an invalid index of each kind; PostgreSQL refuses the rest."""

# A constraint that is not enforced (PostgreSQL 18) has nothing to validate.
SELECT_NOT_VALID = """
SELECT format('%%I.%%I', n.nspname, c.relname), k.conname::text, quote_ident(k.conname),
    CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END, 'TABLE'
FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND NOT k.convalidated AND k.conparentid = 0
    AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
UNION ALL
SELECT format('%%I.%%I', n.nspname, t.typname), k.conname::text, quote_ident(k.conname),
    'constraint', 'DOMAIN'
FROM pg_constraint k
    JOIN pg_type t ON t.oid = k.contypid
    JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s AND NOT k.convalidated
ORDER BY 1, 2
"""


def leftover_findings(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield what earlier work left in the domain's schema, or elsewhere under its name."""
    yield from _in_public(connection, domain)
    yield from _without_model(connection, domain)
    yield from _misplaced_rows(connection, domain)
    yield from _links(domain)
    yield from _unfinished(connection, domain)
    yield from _compat_views(connection, domain)
    yield from kept_too_long(connection, domain)
    yield from slot_findings(connection, domain)


def _in_public(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    core = get_domains()[0]
    # Core owns its schema: the table is found when either of the two domains is verified.
    owners = get_domains()[1:] if domain.is_core else (domain,)
    wanted = {name: owner for owner in owners for name in _candidate_names(owner)}
    taken = _names(core)
    only_copies = {
        old.name
        for owner in owners
        for old in find_places(connection, owner, own_models(owner)).left
    }
    declared = {
        old.name
        for owner in owners
        for adoption in read_adoptions(owner.app_labels)
        if not adoption.undo
        for old in adoption.moves
    }
    names = wanted.keys() - taken
    misplaced = [row for row in _tables(connection, core.schema) if row[0] in names]
    leaving = _names_to_transfer(connection, core) if misplaced else set()
    for name, title, _ in misplaced:
        owner = wanted[name]
        if name not in leaving:
            if name not in only_copies:
                hint = (
                    f"Compare its rows with the table in the schema {owner.schema} before you"
                    " change it: they may be the only copy."
                )
            elif name in declared:
                hint = (
                    f"manage.py migrate_domain {owner.name} will move it, as its adoption declares."
                )
            elif unknown := read_statuses(connection, [owner])[0].unknown:
                hint = (
                    f"Newer code, which has applied {shortened(unknown)}, may have transferred it:"
                    " verify the database with that code. It is the only copy."
                )
            else:
                hint = (
                    f"It is the only copy: the schema {owner.schema} has no such table. Move it"
                    f" there, as {HOW_TO} shows."
                )
            yield _finding(
                "L001",
                owner,
                title,
                f'The table {title} has the name of a table of the domain "{owner.name}", but is'
                " in core's schema.",
                hint,
            )


def _without_model(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    known = _names(domain) | {table.name for table in domain.engine_tables}
    if domain.is_core:
        for other in get_domains()[1:]:
            known |= _candidate_names(other)
    unknown = [row for row in _tables(connection, domain.schema) if row[0] not in known]
    leaving = _names_to_transfer(connection, domain) if unknown else set()
    for name, title, columns in unknown:
        if name in leaving:
            continue
        tool = history_of(name, columns)
        message, hint = (
            f"The table {title} is in the schema of {domain.name}, but no model has it.",
            "If the domain needs it, give it a model and a migration. A package or another tool may"
            " use it: find out before you remove it.",
        )
        if tool is not None:
            message, hint = describe_history(title, tool)
        yield _finding("L002", domain, title, message, hint)


def _misplaced_rows(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    core = get_domains()[0]
    if domain.is_core or not existing_tables(connection, [core.history_table]):
        return
    query = sql.SQL("SELECT app || '.' || name FROM {} WHERE app = ANY(%s) ORDER BY id")
    selecting = query.format(sql.Identifier(*core.history_table))
    [rows] = run_sql(connection, selecting, [list(domain.app_labels)])
    names = [name for (name,) in rows]
    if names:
        (status,) = read_statuses(connection, [domain])
        half = find_half_move(connection, status)
        labels = ", ".join(f"'{label}'" for label in domain.app_labels)
        delete = f"DELETE FROM {core.history_table} WHERE app IN ({labels});"  # noqa: S608 (shown)
        yield _finding(
            "L003",
            domain,
            str(core.history_table),
            f"{core.history_table} has {len(names)} {'row' if len(names) == 1 else 'rows'} of the"
            f' domain "{domain.name}": {shortened(names)}.',
            half.hint
            if half
            else f"Check that {domain.history_table} has them (manage.py show_domains"
            f" {domain.name}); then {delete}",
        )


def _links(domain: Domain) -> Iterator[Finding]:
    for link in crossing_links():
        if domain.name in (link.child_domain.name, link.parent_domain.name):
            yield _finding(
                "L004",
                get_domain_for(link.declared_by[0]),
                ".".join(link.declared_by),
                link.message,
                link.hint,
            )


def _unfinished(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    queries = SELECT_INVALID_INDEXES + ";" + SELECT_NOT_VALID
    indexes, constraints = run_sql(connection, queries, {"schema": domain.schema})
    for title, kind in indexes:
        yield _finding(
            "L005",
            domain,
            title,
            f"The index {title} is invalid: it was never finished, and no query uses it.",
            HINTS_INVALID_INDEX[kind].format(title),
        )
    for place, name, quoted, kind, of in constraints:
        yield _finding(
            "L006",
            domain,
            f"{place}.{name}",
            f"The {kind} {place}.{name} was never validated: older rows may violate it.",
            f"Validate it with ValidateConstraint in a migration, or: ALTER {of} {place}"
            f" VALIDATE CONSTRAINT {quoted};",
        )


def _compat_views(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    """Yield views under the old names of moved tables that are no longer wanted."""
    yield from _views_of_transfers(connection, domain)
    if domain.is_core:
        return
    are_wanted = any(
        adoption.compat_views_until is not None for adoption in read_adoptions(domain.app_labels)
    )
    for view in read_views_of_adoptions(connection, domain.schema):
        first = "" if not are_wanted else f"remove compat_views_until from {ADOPTION_FILE}, and "
        if view.is_expired or not are_wanted:
            yield _finding(
                "L008",
                domain,
                str(view.name),
                f"The view {view.name}, which stands in for an adopted table, was wanted until"
                f" {view.until}.",
                f"When no old code runs any more, {first}run: manage.py migrate_domain"
                f" {domain.name}",
            )


def _views_of_transfers(connection: BaseDatabaseWrapper, domain: Domain) -> Iterator[Finding]:
    for view in read_compat_views(connection, within=domain.schema):
        if view.model and view.is_expired:
            yield _finding(
                "L008",
                domain,
                str(view.name),
                f"The view {view.name}, which stands in for {view.table}, was wanted until"
                f" {view.until}.",
                f"When no old code runs any more, {view.removal}.",
            )
        if view.shows_hidden_rows:
            yield _finding(
                "L008",
                domain,
                str(view.name),
                f"The view {view.name}, which stands in for {view.table}, shows the rows that the"
                " table's row security hides, because that was enabled later.",
                f"Run: ALTER VIEW {view.name.db_table} SET (security_invoker = true); or, when no"
                f" old code runs any more, {view.removal}.",
            )


def _finding(number: str, domain: Domain, title: str, message: str, hint: str) -> Finding:
    return Finding(number, "leftover", domain.name, title, message, hint)


def _tables(connection: BaseDatabaseWrapper, schema: str) -> list[tuple[str, str, list[str]]]:
    [rows] = run_sql(connection, SELECT_TABLES, {"schema": schema})
    return [(name, title, columns) for name, title, columns in rows]


def _models(domain: Domain) -> Iterator[type[Model]]:
    for model in apps.get_models(include_auto_created=True, include_swapped=True):
        if model._meta.app_label in domain.app_labels and not model._meta.proxy:
            yield model


def _names(domain: Domain) -> set[str]:
    return {truncate(parse_table_name(model._meta.db_table).name) for model in _models(domain)}


def _names_to_transfer(connection: BaseDatabaseWrapper, domain: Domain) -> set[str]:
    """Return the names of tables whose models belong to another domain already, in the code."""
    (status,) = read_statuses(connection, [domain])
    halves = [half for half in map(half_of, status.pending) if half and not half.receives]
    found = set()
    for key in (half.key for half in halves):
        module = import_module(f"{migrations_module(key.app)}.{key.name}")
        tables = module.Migration.operations[0].tables
        found |= {QualifiedName.of(table).name for table in tables}
    return found


def _candidate_names(domain: Domain) -> set[str]:
    """Return the names of the domain's tables, and Django's default names for them."""
    default = {f"{model._meta.app_label}_{model._meta.model_name}" for model in _models(domain)}
    return _names(domain) | default | {table.name for table in domain.engine_tables}
