"""A small schema for operations, with decoys of all its objects in `public`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import connections, models
from django.db.migrations import CreateModel, Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from domain_migrations.engine.catalog.fingerprint import fingerprint
from tests.support.catalog import execute

APP = "lab"
DECOYS = """
CREATE TABLE public.things (id integer, code date, note integer NOT NULL, ward_id text, qty text,
    CONSTRAINT things_qty_check CHECK (qty <> ''), CONSTRAINT things_code_key UNIQUE (code));
CREATE INDEX things_code_idx ON public.things (note);
CREATE TABLE public.wards (id text);
CREATE TABLE public.samples (id text);
CREATE TABLE public.things_wards (id text);
CREATE TABLE public."Things" (note integer);
SET search_path = public
"""


@dataclass
class Lab:
    """The schema `lab`, and the state of its models."""

    state: ProjectState

    def run(self, *operations: Operation, atomic: bool = True) -> ProjectState:
        """Apply the operations as one migration; return the state after them."""
        migration = _migration(operations, atomic=atomic)
        with connections["default"].schema_editor(atomic=atomic) as editor:
            return migration.apply(self.state.clone(), editor)

    def revert(self, *operations: Operation) -> None:
        """Unapply the operations, from the state before them."""
        migration = _migration(operations)
        with connections["default"].schema_editor(atomic=True) as editor:
            migration.unapply(self.state.clone(), editor)

    def keep(self, *operations: Operation) -> None:
        """Apply the operations and go on from there."""
        self.state = self.run(*operations)

    def run_state(self, operation: Operation, state: ProjectState | None = None) -> ProjectState:
        """Return the state after the operation, which is not run."""
        state = (state or self.state).clone()
        operation.state_forwards(APP, state)
        return state

    @property
    def schema(self) -> str:
        return fingerprint(connections["default"], APP)

    @property
    def decoys(self) -> str:
        return fingerprint(connections["default"], "public")


def _migration(operations: tuple[Operation, ...], *, atomic: bool = True) -> Migration:
    migration = Migration("0002_story", APP)
    migration.operations = list(operations)
    migration.atomic = atomic
    return migration


WARD = CreateModel(
    "Ward",
    [("id", models.BigAutoField(primary_key=True))],
    {"db_table": '"lab"."wards"'},
)
THING = CreateModel(
    "Thing",
    [("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=20))],
    {"db_table": '"lab"."things"'},
)


@pytest.fixture
def lab(module_database: str) -> Lab:
    """`lab` with the tables `wards` and `things`, afresh."""
    execute(
        "DROP SCHEMA IF EXISTS lab CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        + DECOYS
    )
    lab = Lab(ProjectState())
    lab.keep(WARD, THING)
    return lab
