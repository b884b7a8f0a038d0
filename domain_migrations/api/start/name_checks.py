"""The names that a new domain and its schema may have."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import connections

from ...backends.postgresql.names import quote
from ...domains import CORE, get_domains
from ...engine.boundary.declarations import domain_name_problem, schema_name_problem
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sql.query import run_sql
from ...exceptions import InvalidConfiguration

PLAIN = re.compile(r"[a-z][a-z0-9_]*")
SELECT_SCHEMA = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_get_keywords()
        WHERE word = %(schema)s AND catcode IN ('R', 'T')),
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s)
"""
ANOTHER_NAME = "Choose another name."
OWNER = re.compile(r"@{1,2}[\w.-]+(/[\w.-]+)*|[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
"""A user, a team or an address, as GitHub and GitLab write them in ``CODEOWNERS``."""


def check_names(name: str, schema: str, *, root: Path, database: str, is_new: bool = True) -> None:
    """Raise InvalidConfiguration for a name or a schema that is taken or not valid.

    Arguments:
        root: the folder that the domain's own will be in.
        database: the alias whose schemas are checked.
        is_new: whether the schema must not exist yet; otherwise it must.
    """
    if not is_new:
        _check_existing(schema, database)
    for wrong in _name_problems(name, root):
        raise InvalidConfiguration(
            f'"{name}" cannot be the name of a domain: it {wrong}.',
            hint=ANOTHER_NAME if is_new else "Give another with --name.",
        )
    if is_new:
        hint = ANOTHER_NAME if schema == name else "Give another with --schema."
        for wrong in _schema_problems(schema, database):
            raise _unusable_schema(schema, wrong, hint)


def check_owner(owner: str) -> None:
    """Raise InvalidConfiguration for what is not one owner or several in ``CODEOWNERS``."""
    parts = owner.split(" ")
    if not all(OWNER.fullmatch(part) for part in parts):
        raise InvalidConfiguration(
            f"{owner!r} cannot be the owner in CODEOWNERS.",
            hint="Give users, teams or addresses, separated by spaces: --owner @org/team",
        )


def _name_problems(name: str, root: Path) -> Iterator[str]:
    """Yield what is wrong, the cause before its consequences."""
    if not PLAIN.fullmatch(name):
        yield (
            "has to begin with a lower-case letter and to consist of lower-case letters, digits"
            " and underscores"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        yield "is a keyword of Python"
    if name == CORE:
        yield "is the name of the main system"
    if wrong := domain_name_problem(name):
        yield wrong
    if name in {domain.name for domain in get_domains()}:
        yield "is already the name of a domain"
    for config in apps.get_app_configs():
        if config.label == name:
            yield f"is the label of the app {config.name}"
    if (root / name).exists() or (root / f"{name}.py").exists():
        yield f"already exists in {root}"
    if _importable(name):
        yield "is the name of a Python module that can be imported"


def _importable(name: str) -> bool:
    if name in sys.stdlib_module_names or name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return True  # There is something of that name, only broken.


def _check_existing(schema: str, database: str) -> None:
    """Refuse a schema that does not exist, or that cannot be a domain's as it is."""
    _, exists = _find_schema(schema, database)
    hint = "Name a schema that exists and that no domain owns."
    if not exists:
        raise _unusable_schema(schema, f'does not exist in the database "{database}"', hint)
    for wrong in _declared_problems(schema):
        plain = re.sub(r"[^a-z0-9]+", "_", schema.lower()).strip("_")
        if PLAIN.fullmatch(plain) and not schema_name_problem(plain) and plain != schema:
            hint = (
                "Rename it, which moves no row, and then what names it, such as functions and"
                f" other programs: ALTER SCHEMA {quote(schema)} RENAME TO {plain};"
            )
        raise _unusable_schema(schema, wrong, hint)


def _schema_problems(schema: str, database: str) -> Iterator[str]:
    """Yield what is wrong with a schema that is to be created."""
    yield from _declared_problems(schema)
    is_reserved, exists = _find_schema(schema, database)
    if is_reserved:
        yield "is a reserved word of PostgreSQL"
    if exists:
        yield f'already exists in the database "{database}"'


def _declared_problems(schema: str) -> Iterator[str]:
    """Yield what is wrong with a schema whether it exists or not."""
    if wrong := schema_name_problem(schema):
        yield wrong
    for domain in get_domains():
        if domain.schema == schema:
            yield f'belongs to the domain "{domain.name}"'


def _find_schema(schema: str, database: str) -> tuple[bool, bool]:
    """Return whether the name is a reserved word, and whether the schema exists."""
    with translate_database_errors(database):
        [[(is_reserved, exists)]] = run_sql(
            connections[database], SELECT_SCHEMA, {"schema": schema}
        )
    return is_reserved, exists


def _unusable_schema(schema: str, wrong: str, hint: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f'"{schema}" cannot be the schema of a domain: it {wrong}.', hint=hint
    )
