"""The seeds of a domain, as they stand on disk."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps

from ...domains import Domain
from ...engine.sources.checksum import checksum
from ...exceptions import AmbiguousTarget, SeedFailed, UnknownTarget

FOLDER = "seeds"
DATA = (".csv", ".json", ".yaml", ".yml")
PYTHON = ".py"
NUMBERED = re.compile(r"(\d+)_")
VERSION = 1
"""Of the checksum of a data file; it stands before the digest."""


@dataclass(frozen=True)
class SeedFile:
    """One seed.

    Attributes:
        app: the label of the app whose folder it is in.
        path: where it is.
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
        """Return the path as people know it: ``inventory/seeds/001_reference.yaml``."""
        return f"{self.app}/{FOLDER}/{self.name}"

    def checksum(self) -> str:
        """Return the checksum of what the file says: line ends do not count.

        Of Python, neither layout nor comments count.

        Raises:
            SeedFailed: it is not Python.
        """
        if self.is_python:
            try:
                return checksum(self.path.read_bytes())
            except (SyntaxError, ValueError) as exc:
                raise not_python(self, exc) from exc
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            for line in file:
                digest.update(line.rstrip(b"\r\n") + b"\n")
        return f"{VERSION}:{digest.hexdigest()}"

    def not_utf8(self, exc: UnicodeDecodeError) -> SeedFailed:
        """Return the error for a file whose text, read as a whole, is in another encoding."""
        return self.failed(exc.object.count(b"\n", 0, exc.start) + 1, "this is not UTF-8.")

    def failed(self, line: int | None, what: str, hint: str = "") -> SeedFailed:
        """Return the error for something wrong in the file."""
        where = f"{self}, line {line}" if line else str(self)
        return SeedFailed(
            f"{where}: {what}", hint=hint or "Nothing of this file was kept; correct it."
        )


def not_python(seed: SeedFile, exc: Exception) -> SeedFailed:
    """Return the error for a file that Python does not take."""
    line = exc.lineno if isinstance(exc, SyntaxError) else None
    said = exc.msg if isinstance(exc, SyntaxError) else str(exc)
    return seed.failed(line, f"this is not Python: {said}.")


def python_constants(seed: SeedFile) -> dict[str, object]:
    """Return the module's constants, read without running it."""
    try:
        tree = ast.parse(seed.path.read_bytes())
    except (SyntaxError, ValueError) as exc:
        raise not_python(seed, exc) from exc
    found: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id in ("tags", "writes_core"):
            try:
                found[target.id] = ast.literal_eval(value)
            except (ValueError, TypeError):
                what = f"{target.id} has to be written out, it is read without running the file."
                raise seed.failed(node.lineno, what) from None
    return found


def seed_files(domain: Domain) -> list[SeedFile]:
    """Return the domain's seeds in the order in which they run: app by app, by their numbers.

    Raises:
        SeedFailed: a numbered file is of no kind that can be read.
    """
    return [seed for label in domain.app_labels for seed in _of_app(label)]


def seeds_folder(label: str) -> Path:
    """Return the folder that the app's seeds are in, whether it is there or not."""
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
                "Rename it; a file whose name begins with no number is left alone.",
            )
    return [seed for _, seed in sorted(numbered, key=lambda pair: (pair[0], pair[1].name))]


def select_seeds(domain: Domain, seeds: Sequence[SeedFile], name: str | None) -> list[SeedFile]:
    """Return the seeds that ``--only`` means: by name, with or without what follows the dot.

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
