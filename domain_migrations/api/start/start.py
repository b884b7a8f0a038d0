"""``start_domain``: the files of a new domain, and its place in the project's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from ...exceptions import InvalidConfiguration
from .file_changes import FileChange, FileChanges
from .name_checks import check_names
from .project_files import (
    CONTRACT,
    add_owner,
    add_to_pyproject,
    find_settings,
    has_contract,
    owners_file,
)

SUFFIX = "-tpl"
"""Suffix of the templates' names, so that no tool takes them for Python."""

TESTS = "tests"
LINEAR = "django_linear_migrations"
INITIAL = "0001_initial"


@dataclass(frozen=True)
class StartedDomain:
    """A domain that was started.

    Attributes:
        root: the folder that shown paths are relative to.
        advice: what the project has no place for, and what to add by hand.
    """

    name: str
    schema: str
    root: Path
    changes: tuple[FileChange, ...]
    advice: tuple[str, ...]


def start_domain(
    name: str,
    *,
    schema: str | None = None,
    owner: str | None = None,
    database: str = DEFAULT_DB_ALIAS,
) -> StartedDomain:
    """Write a new domain into the project that the settings belong to.

    Everything is checked before anything is written, and all is written or nothing.

    Arguments:
        schema: the domain's schema; the name unless given.
        owner: the owner in ``CODEOWNERS``; a team of the domain's name unless given.
        database: the alias whose schemas are checked.

    Raises:
        InvalidConfiguration: the name or the schema is taken or not valid, or the settings have
            no place for an app.
        DatabaseUnavailable: the database cannot be read.
    """
    schema = schema or name
    settings = find_settings()
    root = settings.root
    check_names(name, schema, root=root, database=database)
    own, tests = root / name, _tests_folder(root, name)
    if tests.exists():
        raise InvalidConfiguration(f"{tests} is there already.", hint="Move it, or delete it.")
    words = {"name": name, "schema": schema, "title": _title(name), "camel": _camel(name)}

    changes = FileChanges()
    templates = files(__package__) / "templates"
    for path, text in _rendered(templates / "domain", own, words):
        changes.create(path, text)
    if apps.is_installed(LINEAR):
        changes.create(own / "migrations/max_migration.txt", f"{INITIAL}\n")
    if tests.parent != own and (tests.parent / "__init__.py").exists():
        changes.create(tests / "__init__.py", "")
    for path, text in _rendered(templates / TESTS, tests, words):
        changes.create(path, text)
    _change_owners(changes, root, [own, tests], owner or f"@{name.replace('_', '-')}-team")
    advice = _change_pyproject(changes, root, name)
    listed = settings.add_app(name)
    if listed is None:
        raise InvalidConfiguration(f"{settings.path} has no place for a new domain.")
    compile(listed, str(settings.path), "exec")
    # Last, so that a process that is killed leaves nothing that is in use.
    changes.change(settings.path, settings.content, listed, f'"{name}" is the last app')
    return StartedDomain(name, schema, root, changes.apply(), tuple(advice))


def _tests_folder(root: Path, name: str) -> Path:
    """Return the domain's folder in the project's tests, or in its own where there are none."""
    together = root / TESTS
    return together / name if together.is_dir() else root / name / TESTS


def _rendered(folder: Traversable, target: Path, words: dict[str, str]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = Template(entry.name).substitute(words)
        if entry.is_dir():
            found += _rendered(entry, target / name, words)
        elif name.endswith(SUFFIX):
            text = Template(entry.read_text(encoding="utf-8")).substitute(words)
            found.append((target / name.removesuffix(SUFFIX), text))
    return found


def _change_owners(changes: FileChanges, root: Path, folders: list[Path], owner: str) -> None:
    path = owners_file(root)
    before = path.read_bytes() if path.is_file() else None
    # A folder inside the domain's is the domain owner's already.
    names = [folder.relative_to(root).as_posix() for folder in folders]
    names = [names[0], *(name for name in names[1:] if not name.startswith(f"{names[0]}/"))]
    after = add_owner((before or b"").decode(), names, owner)
    if before is None:
        changes.create(path, after)
    else:
        changes.change(path, before, after.encode(), f"{owner} owns it; put the right one there")


def _change_pyproject(changes: FileChanges, root: Path, name: str) -> list[str]:
    """Add the domain to the lists of the file; return advice where it has none."""
    path = root / "pyproject.toml"
    before = path.read_bytes() if path.exists() else b""
    try:
        tomllib.loads(before.decode())
    except ValueError as exc:
        raise InvalidConfiguration(f"{path} is not TOML: {exc}.", hint="Correct it.") from exc
    after = add_to_pyproject(before.decode(), name)
    if after.encode() != before:
        changes.change(path, before, after.encode(), "it is in import-linter's contracts")
    if has_contract(after, name):
        return []
    return [
        "No contract of import-linter keeps other domains from importing it. To have one, add to"
        f" pyproject.toml:\n\n{CONTRACT.format(name=name)}\n"
    ]


def _title(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
