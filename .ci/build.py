"""Builds the sdist and the wheel of a commit, the same bytes wherever and whenever.

    python .ci/build.py FOLDER [--commit HEAD] [--tag TAG]

All files are those of the commit, and have its time: nothing else of the clone gets in. The
versions of what builds are pinned in requirements/build.txt.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOOKS = """
import sys
from setuptools import build_meta
folder = sys.argv[1]  # The hooks change sys.argv.
build_meta.build_sdist(folder)
build_meta.build_wheel(folder)
"""


def git(*arguments: str) -> bytes:
    command = ["git", "-C", ROOT, *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


def check_tag(tag: str, folder: Path) -> None:
    """Stop if a tag is not that of the version, which is in one place."""
    source = (folder / "domain_migrations/__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    version = found[1] if found else None
    if tag != f"v{version}":
        sys.exit(f'The tag "{tag}" is not that of the version {version}: tag v{version}.')


def export(commit: str, folder: Path) -> None:
    """Write the files of a commit."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")


def build(source: Path, output: Path, moment: int, environment: Path) -> None:
    """Run the hooks of setuptools in an environment with the pinned versions only."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin/python"
    pins = source / "requirements/build.txt"
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    subprocess.run([python, *pip, "-r", pins], check=True)
    values = {**os.environ, "SOURCE_DATE_EPOCH": str(moment), "PYTHONHASHSEED": "0"}
    command = [python, "-c", HOOKS, output]
    subprocess.run(command, cwd=source, env=values, check=True, stdout=subprocess.DEVNULL)


def normalise(sdist: Path, moment: int) -> None:
    """Write an sdist anew, in order and without the times, owners and modes of this machine."""
    with tarfile.open(sdist) as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        contents = [
            (member, archive.extractfile(member).read() if member.isfile() else b"")
            for member in members
        ]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in contents:
            kept = tarfile.TarInfo(member.name)
            kept.type, kept.size, kept.mtime = member.type, len(content), moment
            kept.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            archive.addfile(kept, io.BytesIO(content))
    with sdist.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=moment) as compressed:
        compressed.write(packed.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the sdist and the wheel are written")
    parser.add_argument("--commit", default="HEAD", help="the commit to build (HEAD)")
    parser.add_argument("--tag", help="stop unless this is the tag of the version")
    options = parser.parse_args()
    os.umask(0o022)
    output = options.folder.resolve()
    output.mkdir(parents=True, exist_ok=True)
    moment = int(git("log", "-1", "--format=%ct", options.commit))
    with tempfile.TemporaryDirectory() as made:
        source = Path(made, "source")
        export(options.commit, source)
        if options.tag:
            check_tag(options.tag, source)
        build(source, output, moment, Path(made, "environment"))
    for sdist in output.glob("*.tar.gz"):
        normalise(sdist, moment)


if __name__ == "__main__":
    main()
