"""The detector of the proof finds what Django's does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState

from domain_migrations.api.inspect.proof import QuickDetector


def state(count: int, **options: Any) -> ProjectState:
    found = ProjectState()
    for number in range(count):
        fields = [
            ("id", models.AutoField(primary_key=True)),
            ("size", models.IntegerField()),
            ("name", models.TextField()),
        ]
        found.add_model(ModelState("plant", f"Thing{number}", fields, options))
    return found


def changes(detector: type[MigrationAutodetector], *states: ProjectState) -> list[str]:
    graph = MigrationGraph()
    graph.add_node(("plant", "0001_initial"), None)
    found = detector(*states).changes(graph)
    return [step.describe() for part in found.get("plant", ()) for step in part.operations]


OPTIONS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, False),
    ({"index_together": {("size", "name")}}, {"index_together": {("size", "name")}}, False),
    ({"index_together": {("size", "name")}}, {}, False),  # Django has no operation for it any more.
    (
        {"index_together": {("size", "name")}},
        {"indexes": [models.Index(fields=["size", "name"], name="by_size")]},
        True,
    ),
    ({"unique_together": {("size", "name")}}, {"unique_together": {("size", "id")}}, True),
]


@pytest.mark.parametrize(("before", "after", "differ"), OPTIONS)
def test_changes_are_those_of_django(
    before: dict[str, Any], after: dict[str, Any], differ: bool
) -> None:
    states = state(1, **before), state(1, **after)
    found = changes(QuickDetector, *states)
    assert found == changes(MigrationAutodetector, *states)
    assert bool(found) == differ


def test_models_are_not_looked_through_for_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    original: Any = MigrationAutodetector._get_altered_foo_together_operations  # type: ignore[attr-defined]

    def noted(self: MigrationAutodetector, option_name: str) -> Any:
        looked.append(option_name)
        return original(self, option_name)

    monkeypatch.setattr(MigrationAutodetector, "_get_altered_foo_together_operations", noted)
    assert changes(MigrationAutodetector, state(5), state(5)) == []
    assert looked.count("index_together") > 4
    looked.clear()
    assert changes(QuickDetector, state(5), state(5)) == []
    assert "index_together" not in looked
    assert "unique_together" in looked
