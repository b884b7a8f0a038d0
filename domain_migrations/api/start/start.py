"""``start_domain``: the files of a new domain, and its place in the project's own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from ...domains import DomainConfig
from ...engine.runner.loader import LINEAR
from ...exceptions import InvalidConfiguration
from ..source_code.file_changes import FileChange, apply_changes
from .name_checks import check_names, check_owner
from .project_files import (
    CONTRACT,
    SettingsFile,
    add_owner,
    add_to_pyproject,
    file_with_testpaths,
    find_settings,
    has_contract,
    owners_file,
)

SUFFIX = "-tpl"
"""Suffix of the templates' names, so that no tool takes them for Python."""

TESTS = "tests"
INITIAL = "0001_initial"


@dataclass(frozen=True)
class StartedDomain:
    """A domain that was started.

    Attributes:
        root: the folder that shown paths are relative to.
        advice: what the project has no place for, and what to add by hand.
        is_dry_run: whether nothing was written.
    """

    name: str
    schema: str
    root: Path
    changes: tuple[FileChange, ...]
    advice: tuple[str, ...]
    is_dry_run: bool = False


def start_domain(
    name: str,
    *,
    schema: str | None = None,
    owner: str | None = None,
    database: str = DEFAULT_DB_ALIAS,
    dry_run: bool = False,
) -> StartedDomain:
    """Write a new domain into the project that the settings belong to.

    Everything is checked before anything is written, and all is written or nothing.

    Arguments:
        schema: the domain's schema; the name unless given.
        owner: the owner in ``CODEOWNERS``, which is not changed unless it is given.
        database: the alias whose schemas are checked.
        dry_run: whether to write nothing.

    Raises:
        InvalidConfiguration: the name, the schema or the owner is taken or not valid, or the
            settings have no place for an app.
        DatabaseUnavailable: the database cannot be read.
    """
    schema = schema or name
    settings = find_settings()
    root = settings.root
    check_names(name, schema, root=root, database=database)
    if owner is not None:
        check_owner(owner)
    own = root / name
    # manage.py test finds tests in packages only.
    in_package = (root / TESTS / "__init__.py").is_file()
    tests = root / TESTS / name if in_package else own / TESTS
    if tests.exists():
        raise InvalidConfiguration(f"{tests} already exists.", hint="Move it, or delete it.")
    words = app_words(name, schema)
    templates = files(__package__) / "templates"
    texts = dict(_rendered(templates / "domain", own, words))
    if apps.is_installed(LINEAR):
        texts[own / "migrations/max_migration.txt"] = f"{INITIAL}\n"
    texts[tests / "__init__.py"] = ""
    texts.update(_rendered(templates / TESTS, tests, words))
    changes = [FileChange(path, None, text.encode()) for path, text in texts.items()]
    in_project, advice = project_changes(settings, name)
    if owner is not None:
        changes.append(_owners_change(root, [own, tests], owner))
    elif owners_file(root).is_file():
        advice.append(f"CODEOWNERS has no owner of it. To have one, add: /{name}/ @TEAM")
    if not in_package and (file := file_with_testpaths(root)):
        advice.append(f"pytest finds its tests once testpaths in {file} contains {name}.")
    changes += in_project
    if not dry_run:
        apply_changes(changes)
    return StartedDomain(name, schema, root, tuple(changes), tuple(advice), dry_run)


def app_words(name: str, schema: str) -> dict[str, str]:
    """Return the words that the templates of a domain's files contain."""
    return {
        "name": name,
        "schema": schema,
        "title": name.replace("_", " ").strip().capitalize(),
        "camel": "".join(part.capitalize() for part in name.split("_")),
    }


def project_changes(settings: SettingsFile, name: str) -> tuple[list[FileChange], list[str]]:
    """Return the changes of the project's own files for a new domain, and advice.

    The settings come last, so that a process that is killed leaves nothing that is in use.

    Raises:
        InvalidConfiguration: a file has no place for the domain, or is not valid.
    """
    changes: list[FileChange] = []
    advice = _change_pyproject(changes, settings.root, name)
    listed = settings.add_app(name)
    if listed is None:
        raise InvalidConfiguration(f"{settings.path} has no place for a new domain.")
    compile(listed, str(settings.path), "exec")
    changes.append(FileChange(settings.path, settings.content, listed, f'"{name}" is the last app'))
    return changes, advice


def _rendered(
    folder: Traversable, target: Path, words: dict[str, str]
) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = Template(entry.name).substitute(words)
        if entry.is_dir():
            yield from _rendered(entry, target / name, words)
        elif name.endswith(SUFFIX):
            text = Template(entry.read_text(encoding="utf-8")).substitute(words)
            yield target / name.removesuffix(SUFFIX), text


def _owners_change(root: Path, folders: list[Path], owner: str) -> FileChange:
    path = owners_file(root)
    before = path.read_bytes() if path.is_file() else None
    # A folder inside the domain's is the domain owner's already.
    names = [folder.relative_to(root).as_posix() for folder in folders]
    names = [names[0], *(name for name in names[1:] if not name.startswith(f"{names[0]}/"))]
    try:
        after = add_owner((before or b"").decode(), names, owner).encode()
    except UnicodeDecodeError as exc:
        raise InvalidConfiguration(f"{path} is not UTF-8.", hint="Correct it.") from exc
    note = "" if before is None else f"{owner} is the owner"
    return FileChange(path, before, after, note)


def _change_pyproject(changes: list[FileChange], root: Path, name: str) -> list[str]:
    """Add the domain to the lists of the file; return advice where it has none."""
    path = root / "pyproject.toml"
    before = path.read_bytes() if path.exists() else b""
    try:
        tomllib.loads(before.decode())
    except ValueError as exc:
        raise InvalidConfiguration(f"{path} is not TOML: {exc}.", hint="Correct it.") from exc
    after = add_to_pyproject(before.decode(), name)
    if after.encode() != before:
        note = "it is in the lists of packages"
        changes.append(FileChange(path, before, after.encode(), note))
    if has_contract(after, name):
        return []
    names = [config.name for config in apps.get_app_configs() if isinstance(config, DomainConfig)]
    listed = "\n".join(f'    "{each}",' for each in (*names, name))
    return [
        "No contract of import-linter keeps other domains from importing it. To have one, add to"
        f" pyproject.toml:\n\n{CONTRACT.format(names=listed)}\n"
    ]
