"""The modules of the engine that commands import where nothing is to be done.

Most runs find nothing to do, and importing the engine would be most of what they cost. Who adds a
name here makes every deployment of every project slower: import it where it is used instead.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.commands import ROOT, process_environment
from tests.support.servers import TestServer

PACKAGE = "domain_migrations"

EVERY_PROCESS = """
api
apps
backends
backends.postgresql
backends.postgresql.base
backends.postgresql.composite_keys
backends.postgresql.creation
backends.postgresql.exact_fields
backends.postgresql.introspection
backends.postgresql.names
backends.postgresql.operations
backends.postgresql.schema
conf
domains
domains.domain
domains.lazy_admin
domains.lazy_models
domains.swappable_names
engine
engine.history
engine.history.existing_tables
engine.history.half_moves
engine.history.recorder
engine.history.shapes
engine.history.status
engine.history.tables
engine.messages
engine.runner
engine.runner.executor_patch
engine.runner.options
engine.runner.results
engine.sessions
engine.sessions.connection
engine.sessions.database_errors
engine.sessions.database_problems
engine.sessions.offered_options
engine.sources
engine.sources.files
exceptions
fields
management
management.arguments
management.commands
management.console
management.interrupts
models
"""
"""The backend, the domains, the patches of Django, the statuses and the output."""

MIGRATE_DOMAIN = """
api.migrate
engine.boundary
engine.boundary.declarations
engine.boundary.installed_models
engine.boundary.rule
engine.history.run_context
engine.history.status_reader
engine.runner.domain_run
engine.runner.run_checks
engine.runner.run_results
management.commands.migrate_domain
management.run_output
"""
"""The check of the models, and the look that a run begins with."""

SHOW_DOMAINS = """
api.show
engine.cluster
engine.cluster.cluster
engine.cluster.places
engine.cluster.reach
engine.cluster.silent_nodes
engine.history.journal_queries
engine.history.usable
management.commands.show_domains
"""
SOURCE = """
import sys
from django.core.management import execute_from_command_line
sys.argv = {arguments!r}
try:
    execute_from_command_line(sys.argv)
finally:
    print(*(name for name in sys.modules if name.split(".")[0] == "domain_migrations"))
"""


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        ("migrate_domain inventory", MIGRATE_DOMAIN),
        ("migrate_domain --all", MIGRATE_DOMAIN),
        ("migrate_domain inventory --check", MIGRATE_DOMAIN),
        ("migrate_domain --all --check", MIGRATE_DOMAIN),
        ("show_domains", SHOW_DOMAINS),
    ],
    ids=["one", "all", "check", "check_all", "show"],
)
def test_nothing_to_do(
    migrated_module_database: str, postgres_server: TestServer, command: str, allowed: str
) -> None:
    known = {PACKAGE, *(f"{PACKAGE}.{name}" for name in (EVERY_PROCESS + allowed).split())}
    done = subprocess.run(
        [sys.executable, "-c", SOURCE.format(arguments=["manage.py", *command.split()])],
        cwd=ROOT,
        env=process_environment(
            {
                **postgres_server.environment(migrated_module_database),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            }
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.splitlines()[-1].split())
    assert sorted(imported - known) == []
    assert sorted(known - imported) == []  # Who makes them fewer takes them out of the list.
