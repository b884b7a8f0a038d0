"""The sdist and the wheel of a commit: the same bytes in two folders, at two times."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import time
from pathlib import Path

from domain_migrations import __version__
from tests.packaging.install import run
from tests.support.commands import ROOT

BUILD = ROOT / ".ci/build.py"
FILES = {
    f"django_domain_migrations-{__version__}-py3-none-any.whl",
    f"django_domain_migrations-{__version__}.tar.gz",
}


def built(folder: Path) -> dict[str, str]:
    """Build in a folder, and return file → digest."""
    run(sys.executable, BUILD, folder, folder=ROOT)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.*")}


def is_reproducible(folder: Path) -> None:
    """a commit's sdist and wheel have the same bytes in two folders, at two times"""
    first = built(folder / "first")
    assert first.keys() == FILES, first
    before = os.umask(0o077)
    time.sleep(2.1)  # Archives store seconds, and zip every second one.
    try:
        assert built(folder / "of another length" / "second") == first
    finally:
        os.umask(before)


def knows_its_tag(folder: Path) -> None:
    """a tag that is not that of the version builds nothing"""
    output = run(
        *(sys.executable, BUILD, folder / "tagged", "--tag", "v99"), folder=ROOT, fails=True
    )
    expected = f'The tag "v99" is not that of the version {__version__}: tag v{__version__}.'
    assert expected in output, output
    assert list((folder / "tagged").iterdir()) == []


def has_the_commits_files(folder: Path) -> None:
    """the sdist has the engine, README.md, LICENSE and pyproject.toml"""
    (sdist,) = (folder / "first").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "pyproject.toml", "domain_migrations/py.typed"} <= names
    top = {name.partition("/")[0] for name in names}
    assert not top & {"config", "core", "hr", "tests"}, sorted(top)


REPRODUCIBLE_STEPS = (is_reproducible, knows_its_tag, has_the_commits_files)
