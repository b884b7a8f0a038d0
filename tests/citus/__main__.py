"""Run all kinds of migration on plain PostgreSQL and on Citus, and write the page.

CITUS_PG_BIN=/path/to/bin python -m tests.citus
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import pytest  # noqa: E402

from tests.citus import lab_project, page  # noqa: E402
from tests.support import cluster, servers  # noqa: E402


def main() -> int:
    folder = servers.make_folder(servers.memory())
    try:
        try:
            found = cluster.citus_servers()
        except pytest.skip.Exception as exc:
            print(exc, file=sys.stderr)
            return 2
        try:
            with tempfile.TemporaryDirectory() as projects:
                results = lab_project.run_both(found, Path(projects))
        finally:
            found.leave()
    finally:
        servers.remove(folder)
    page.PAGE.write_text(page.render(*results))
    wrong = page.contradictions(*results)
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
