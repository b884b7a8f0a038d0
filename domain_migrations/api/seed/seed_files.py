"""The seed files of a domain."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps

from ...domains import Domain
from ...engine.sources.checksum import checksum
from ...engine.sources.parsing import assignments
from ...exceptions import AmbiguousTarget, SeedFailed, UnknownTarget

FOLDER = "seeds"
DATA = (".csv", ".json", ".yaml", ".yml")
PYTHON = ".py"
NUMBERED = re.compile(r"(\d+)_")
VERSION = 1
"""Version of the checksum of a data file, which comes before the digest."""


@dataclass(frozen=True)
class SeedFile:
    """One seed.

    Attributes:
        app: the label of the app whose folder it is in.
    """

    app: str
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def key(self) -> tuple[str, str]:
        return self.app, self.name

    @property
    def is_python(self) -> bool:
        return self.path.suffix == PYTHON

    def __str__(self) -> str:
        """Return the path for people: ``inventory/seeds/001_reference.yaml``."""
        return f"{self.app}/{FOLDER}/{self.name}"

    def checksum(self) -> str:
        """Return the checksum of the content, or raise SeedFailed for a syntax error in Python.

        Line ends do not matter, nor do the layout and the comments of Python.
        """
        if self.is_python:
            with _python_errors(self):
                return checksum(self.path.read_bytes())
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            for line in file:
                digest.update(line.rstrip(b"\r\n") + b"\n")
        return f"{VERSION}:{digest.hexdigest()}"

    def failed(self, line: int | None, what: str, hint: str = "") -> SeedFailed:
        """Return the error for a mistake in the file."""
        where = f"{self}, line {line}" if line else str(self)
        return SeedFailed(
            f"{where}: {what}", hint=hint or "Nothing of this file was kept; correct it."
        )


@contextmanager
def _python_errors(seed: SeedFile) -> Iterator[None]:
    try:
        yield
    except SyntaxError as exc:
        raise seed.failed(exc.lineno, f"this is not Python: {exc.msg}.") from exc
    except ValueError as exc:  # for example a null byte
        raise seed.failed(None, f"this is not Python: {exc}.") from exc


def python_constants(seed: SeedFile) -> dict[str, object]:
    """Return ``tags`` and ``writes_core`` of a module, read without running it."""
    with _python_errors(seed):
        tree = ast.parse(seed.path.read_bytes())
    found: dict[str, object] = {}
    for name, value in assignments(tree.body):
        if name in ("tags", "writes_core"):
            try:
                found[name] = ast.literal_eval(value)
            except (ValueError, TypeError):
                what = f"{name} has to be a literal, because it is read without running the file."
                raise seed.failed(value.lineno, what) from None
    return found


def seed_files(domain: Domain) -> list[SeedFile]:
    """Return the domain's seeds as they run, by app, then by number, or raise SeedFailed."""
    return [seed for label in domain.app_labels for seed in _of_app(label)]


def seeds_folder(label: str) -> Path:
    """Return the folder of the app's seeds, which need not exist."""
    return Path(apps.get_app_config(label).path) / FOLDER


def _of_app(label: str) -> Iterable[SeedFile]:
    folder = seeds_folder(label)
    if not folder.is_dir():
        return []
    numbered = [
        (int(match[1]), SeedFile(label, path))
        for path in folder.iterdir()
        if (match := NUMBERED.match(path.name)) and path.is_file() and path.name[-1] != "~"
    ]
    for _, seed in numbered:
        if seed.path.suffix not in (*DATA, PYTHON):
            raise seed.failed(
                None,
                f"a seed is a file that ends in {', '.join((*DATA, PYTHON))}.",
                "Rename it; a file whose name does not begin with a number is ignored.",
            )
    return [seed for _, seed in sorted(numbered, key=lambda pair: (pair[0], pair[1].name))]


def select_seeds(domain: Domain, seeds: Sequence[SeedFile], name: str | None) -> list[SeedFile]:
    """Return the seeds that ``--only`` selects: by name, with or without its extension.

    Raises:
        UnknownTarget, AmbiguousTarget: no single seed has that name or beginning.
    """
    if name is None:
        return list(seeds)
    exact = [seed for seed in seeds if name in (seed.name, seed.path.stem, str(seed))]
    found = exact or [seed for seed in seeds if seed.name.startswith(name)]
    if len(found) == 1:
        return found
    if found:
        raise AmbiguousTarget(
            f'"{name}" may be {" or ".join(map(str, found))}.', hint="Give more of the name."
        )
    listed = ", ".join(seed.name for seed in seeds) or "none"
    raise UnknownTarget(
        f'The domain "{domain.name}" has no seed "{name}".', hint=f"Its seeds are: {listed}."
    )
