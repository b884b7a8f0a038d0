"""Every schema operation, with qualified tables on this backend and plain ones on stock Django.

All three schemas have everything under the same names. What the operation changed must be equal
to what stock Django does to plain tables, and nothing but the qualified tables may change.
"""

from __future__ import annotations

import pytest
from django.db.migrations.state import ProjectState

from domain_migrations.engine.runner.project_state import PartialRenderState
from tests.backends.cases import STORIES, Story
from tests.backends.catalogs import Catalog, catalog, oids
from tests.backends.conftest import Place


@pytest.mark.parametrize("name", STORIES)
def test_operations_equal_those_of_stock_on_plain_tables(
    name: str, qualified: Place, plain: Place, third: Place
) -> None:
    tell = STORIES[name]
    homonyms = (plain, third)
    places = (qualified, *homonyms)
    stories = {place.schema: tell(place.spell) for place in places}
    # As the engine runs them: its project states render fewer models than Django's.
    empty = {place.schema: ProjectState() for place in homonyms}
    empty[qualified.schema] = PartialRenderState()
    states = {
        place.schema: place.run(stories[place.schema].before, empty[place.schema])
        for place in places
    }
    for step in (_run, _undo):
        untouched = _everything_of(homonyms)
        step(qualified, stories, states)
        assert _everything_of(homonyms) == untouched
        changed = catalog(qualified.connection, qualified.schema)
        for place in homonyms:
            step(place, stories, states)
            assert changed == catalog(place.connection, place.schema)


def _everything_of(places: tuple[Place, ...]) -> list[tuple[Catalog, dict[str, int]]]:
    return [
        (catalog(place.connection, place.schema), oids(place.connection, place.schema))
        for place in places
    ]


def _run(place: Place, stories: dict[str, Story], states: dict[str, ProjectState]) -> None:
    story = stories[place.schema]
    place.run(story.then, states[place.schema], atomic=story.atomic)


def _undo(place: Place, stories: dict[str, Story], states: dict[str, ProjectState]) -> None:
    story = stories[place.schema]
    place.revert(story.then, states[place.schema], atomic=story.atomic)
