"""A domain of the schema that a tool has migrated, with the tool's rows in its journal."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from domain_migrations.api.inspect import inspect as room
from domain_migrations.api.inspect.draft_app import draft_app
from domain_migrations.api.inspect.history_choice import HistoryOptions
from domain_migrations.api.inspect.inspect import inspect_domain
from domain_migrations.api.start.project_files import SettingsFile
from tests.support.catalog import query
from tests.support.commands import call

SCHEMA = "store"

ROWS = """
SELECT name, started, details -> 'import' ->> 'time', details -> 'import' ->> 'local_time',
    (details -> 'import' ->> 'batch')::int
FROM store.django_migrations_store_journal
WHERE direction = 'import' AND status = 'adopted' ORDER BY id
"""


class Brought(NamedTuple):
    """A row of the journal that was another tool's.

    Attributes:
        kind: `exact`, the zone that was named, or `unknown`.
        local: the tool's local time, as it has written it.
    """

    name: str
    started: datetime.datetime
    kind: str
    local: str | None
    batch: int | None


@contextmanager
def domain(folder: Path, options: HistoryOptions) -> Iterator[Path]:
    """Write the schema's domain with the declared history, and install it in this process."""
    content = b'INSTALLED_APPS = [\n    "core",\n]\n'
    (folder / "settings.py").write_bytes(content)
    settings = SettingsFile(folder / "settings.py", folder, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "find_settings", lambda: settings)
        inspected = inspect_domain(SCHEMA, history=options)
    assert inspected.proof is not None
    assert inspected.is_written, inspected.proof
    app = folder / SCHEMA
    files = {
        path.relative_to(app).as_posix(): path.read_text()
        for path in app.rglob("*")
        if path.suffix in (".py", ".toml", ".txt")
    }
    with draft_app(SCHEMA, files) as installed:
        yield installed


def bring_in(folder: Path, options: HistoryOptions) -> list[Brought]:
    """Make the schema a domain, migrate it, and return the other tool's rows in the journal."""
    folder.mkdir()
    with domain(folder, options):
        result = call("migrate_domain", SCHEMA, "--noinput")
        assert result.exit_status == 0, result.stdout + result.stderr
        rows = [Brought(*row) for row in query(ROWS)]
        found = call("verify_domain", SCHEMA)
        assert found.exit_status == 0, found.stdout + found.stderr
        assert call("migrate_domain", SCHEMA, "--check").exit_status == 0
    return rows
