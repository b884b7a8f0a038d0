"""The contents of the wheel: all of the engine, and nothing else."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from functools import cached_property
from pathlib import Path

from domain_migrations import __version__
from tests.packaging.install import run
from tests.support.commands import ROOT

ENGINE = "domain_migrations"
# What a clone does not have; an old `build` would get into the wheel.
LEFTOVERS = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "venv", "staticfiles", "htmlcov"
)


@dataclass(frozen=True)
class Wheel:
    path: Path

    @cached_property
    def names(self) -> set[str]:
        with zipfile.ZipFile(self.path) as archive:
            return set(archive.namelist())

    @cached_property
    def metadata(self) -> Message:
        (name,) = (name for name in self.names if name.endswith(".dist-info/METADATA"))
        with zipfile.ZipFile(self.path) as archive:
            return Parser().parsestr(archive.read(name).decode())


def build_wheel(folder: Path) -> Wheel:
    """Build it from a copy, as if of a fresh clone: setuptools writes into what it builds."""
    clone = folder / "clone"
    shutil.copytree(ROOT, clone, ignore=LEFTOVERS, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".", folder=clone)
    found = list(folder.glob("*.whl"))
    assert len(found) == 1, found
    return Wheel(found[0])


def has_the_engine_only(wheel: Wheel) -> None:
    """the wheel has the engine only"""
    top = {name.partition("/")[0] for name in wheel.names}
    others = {name for name in top if name != ENGINE and not name.endswith(".dist-info")}
    assert not others, sorted(others)
    (listed,) = (name for name in wheel.names if name.endswith("top_level.txt"))
    with zipfile.ZipFile(wheel.path) as archive:
        assert archive.read(listed).decode().split() == [ENGINE]


def has_all_of_the_engine(wheel: Wheel) -> None:
    """the wheel has every file of the engine, py.typed and other data included"""
    packed = {name for name in wheel.names if name.startswith(f"{ENGINE}/")}
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / ENGINE).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert f"{ENGINE}/py.typed" in source
    assert packed == source, sorted(packed ^ source)


def declares_what_it_needs(wheel: Wheel) -> None:
    """the metadata has the version, the licence, the Python versions and two dependencies"""
    metadata = wheel.metadata
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "MIT", metadata.as_string()
    assert metadata["Requires-Python"] == ">=3.11"
    lines = metadata.get_all("Requires-Dist", [])
    needed = {re.split(r"[^\w-]", line)[0] for line in lines if "extra ==" not in line}
    assert needed == {"Django", "psycopg"}, needed
    assert any(name.endswith("licenses/LICENSE") for name in wheel.names)


WHEEL_STEPS = (has_the_engine_only, has_all_of_the_engine, declares_what_it_needs)
