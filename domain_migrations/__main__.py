"""``python -m domain_migrations --version``: the versions that a report of a fault needs."""

from __future__ import annotations

import platform
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from . import __version__

REQUIRED = ("Django", "psycopg")
DESCRIPTION = "The commands are those of manage.py: manage.py help lists them."


def versions() -> str:
    """Return the versions of the engine, what it requires, and Python, in one line."""
    found = [*map(_installed, REQUIRED), f"Python {platform.python_version()}"]
    return f"domain_migrations {__version__} ({', '.join(found)})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the versions, or the help if nothing is asked for; return the exit status."""
    parser = ArgumentParser(prog="python -m domain_migrations", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=versions())
    parser.parse_args(arguments)
    parser.print_help()
    return 0


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is not installed"


if __name__ == "__main__":
    sys.exit(main())
