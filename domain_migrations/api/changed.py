"""The function of ``changed_domains``: domains whose files changed in Git since a revision."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

from ..domains import Domain, get_domains
from ..engine.runner.results import FORMAT
from ..engine.sources.files import migrations_folders
from ..exceptions import EXIT_USAGE, DomainMigrationsError

ENGINE = Path(__file__).resolve().parents[1]
GIT_VARIABLES = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"),
        *("GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_LITERAL_PATHSPECS", "GIT_EXTERNAL_DIFF"),
    }
)
"""Variables that Git sets for its hooks, which would make it look in another repository."""


class GitFailed(DomainMigrationsError):
    """Git is not installed, or failed."""

    code = "invalid_configuration"


class InvalidRevision(GitFailed):
    """The text cannot be a revision in any repository."""

    exit_status = EXIT_USAGE


@dataclass(frozen=True)
class Changes:
    """Changed files by domain.

    Attributes:
        since: the commit that the revision resolves to.
        files: domain → its changed files, relative to the top of the repository; core first.
        unowned_files: changed files of no domain.
    """

    since: str
    files: dict[str, tuple[str, ...]]
    unowned_files: tuple[str, ...]

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(self.files)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "since": self.since,
            "domains": list(self.files),
            "files": {name: list(paths) for name, paths in self.files.items()},
            "outside": list(self.unowned_files),
        }


def changed_domains(since: str, *, folder: Path | None = None) -> Changes:
    """Return the domains that differ from the revision, uncommitted and new files included.

    A file belongs to the app whose folder, or migrations folder, it is in; the innermost one if
    apps are nested. A renamed file counts at its old and its new place. Files in no app, and
    those of this engine, are unowned.

    Arguments:
        since: a branch, tag or commit.
        folder: a folder in the repository; that of the project's settings unless given.

    Raises:
        InvalidRevision: the text is empty or would be an option.
        GitFailed: Git is not installed, the folder is not in a repository, or the repository does
            not have the revision.
    """
    if not since.strip() or since.startswith("-") or "\0" in since:
        raise InvalidRevision(
            f'"{since}" is not a revision.', hint="Give a branch, a tag or a commit: --since main"
        )
    folder = folder or _project_folder()
    top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    commit = _commit(folder, since)
    options = ("-z", "--no-renames", "--no-relative", "--no-ext-diff", "--ignore-submodules=none")
    differing = _git(top, "diff", "--name-only", *options, commit, "--")
    untracked = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    paths = {os.fsdecode(path) for path in (differing + untracked).split(b"\0") if path}
    domains = get_domains()
    homes = sorted(_app_folders(domains), key=lambda home: len(home[0].parts), reverse=True)
    files: dict[str, list[str]] = {domain.name: [] for domain in domains}
    outside: list[str] = []
    for path in sorted(paths):
        home = next((name for place, name in homes if (top / path).is_relative_to(place)), None)
        (outside if home is None else files[home]).append(path)
    changed = {name: tuple(found) for name, found in files.items() if found}
    return Changes(since=commit, files=changed, unowned_files=tuple(outside))


def _app_folders(domains: Sequence[Domain]) -> Iterator[tuple[Path, str | None]]:
    """Yield folders, and the domain that owns what is in them."""
    for domain in domains:
        for label in domain.app_labels:
            for folder in (Path(apps.get_app_config(label).path), *migrations_folders(label)):
                place = folder.resolve()
                # The engine is an app of core, but has no migrations of its own.
                yield place, None if place.is_relative_to(ENGINE) else domain.name


def _project_folder() -> Path:
    """Return the folder of the settings, which is in the repository."""
    name = os.environ.get("DJANGO_SETTINGS_MODULE") or getattr(settings, "SETTINGS_MODULE", None)
    file = import_module(name).__file__ if name else None
    return Path(file).resolve().parent if file else Path.cwd()


def _commit(folder: Path, since: str) -> str:
    try:
        found = _git(
            folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}"
        )
    except GitFailed as exc:
        raise GitFailed(
            f'The repository has no revision "{since}".',
            hint=(
                "Fetch it first (a shallow clone has the latest commit only: fetch-depth: 0), or"
                " name another; the first push of a branch has none before it."
            ),
        ) from exc
    return found.decode().strip()


def _git(folder: Path, *arguments: str) -> bytes:
    kept = {name: value for name, value in os.environ.items() if name not in GIT_VARIABLES}
    try:
        result = subprocess.run(
            ["git", *arguments],  # noqa: S607  the one on PATH is the user's choice
            cwd=folder,
            env={**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as exc:
        raise GitFailed("git is not installed or not on PATH.", hint="Install Git.") from exc
    if result.returncode:
        reason = result.stderr.decode(errors="replace").strip() or result.returncode
        raise GitFailed(
            f"git failed in {folder}: {reason}",
            hint="Run the command in a clone of the repository, as the user who owns it.",
        )
    return result.stdout
