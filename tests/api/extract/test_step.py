"""What a step of a move refuses before it asks a database, and what comes next."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from domain_migrations.api.extract import sides as sides_module
from domain_migrations.api.extract.extraction_progress import describe_problem, next_steps
from domain_migrations.api.extract.sides import Sides, object_name, slot_pattern
from domain_migrations.api.extract.step import ExtractOptions, require_phase, sides_of
from domain_migrations.api.extract.subscriptions import Lag
from domain_migrations.domains import get_domain
from domain_migrations.engine.history.extractions import Extraction, Phase
from domain_migrations.exceptions import ExtractionRefused, InvalidConfiguration
from tests.support.commands import call

ACTIVE = Lag(bytes=0, seconds=0.0, active=True)


def sides() -> Sides:
    return Sides(get_domain("inventory"), "default", "lab")


def at(phase: Phase) -> Extraction:
    return Extraction(phase=phase, source="default", target="lab", name="dm", source_id="1/a")


@pytest.mark.parametrize(
    ("name", "source", "to", "message"),
    [
        ("core", None, "default", "Core cannot leave its database."),
        ("inventory", None, "elsewhere", 'DATABASES has no "elsewhere".'),
        ("inventory", "elsewhere", "default", 'DATABASES has no "elsewhere".'),
        ("inventory", None, "default", 'The domain "inventory" is in "default" already.'),
        ("inventory", "default", "default", 'The domain "inventory" is in "default" already.'),
    ],
)
def test_databases_that_do_not_fit(name: str, source: str | None, to: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=f"^{re.escape(message)}"):
        sides_of(name, ExtractOptions(to=to, source=source))


@pytest.mark.parametrize(
    ("state", "message", "hint"),
    [
        (
            None,
            'The domain "inventory" does not move to "lab".',
            "Begin with: manage.py extract_domain inventory plan --to lab",
        ),
        (
            at("aborted"),
            'The domain "inventory" does not move to "lab". The last move was aborted.',
            "Begin with: manage.py extract_domain inventory plan --to lab",
        ),
        (
            at("switched"),
            'The move of the domain "inventory" is switched.',
            "What comes next: manage.py extract_domain inventory finish --to lab",
        ),
    ],
)
def test_a_step_at_the_wrong_time(state: Extraction | None, message: str, hint: str) -> None:
    with pytest.raises(ExtractionRefused) as caught:
        require_phase(sides(), state, "copying")
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_names_of_slots_differ_on_one_target_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots of the way back are the target server's, whatever database they are of."""
    found = []
    for source, target in (
        ("1/app", "9/a"),
        ("2/app", "9/a"),
        ("1/app", "9/b"),
        ("1/other", "9/a"),
    ):
        ids = iter((source, target))
        monkeypatch.setattr(Sides, "from_connection", None)
        monkeypatch.setattr(Sides, "to_connection", None)
        monkeypatch.setattr(sides_module, "database_id", lambda connection, ids=ids: next(ids))
        found.append(object_name(sides()))
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(slot_pattern(get_domain("inventory")), name) for name in found)


def test_each_phase_says_what_comes_next() -> None:
    found = {phase: next_steps(sides(), at(phase)) for phase in get_args(Phase)}
    command = "manage.py extract_domain inventory {} --to lab"
    abort = command.format("abort")
    assert found == {
        "preparing": (command.format("start"), abort),
        "copying": (command.format("cut-over"), abort),
        "switching": (command.format("cut-over"), abort),
        "switched": (command.format("finish"), abort),
        "aborting": (abort, abort),
        "aborted": ("", ""),
        "finished": ("", ""),
    }
    assert next_steps(sides(), at("copying"), is_copied=False)[0] == command.format("status")


@pytest.mark.parametrize(
    ("phase", "lag", "errors", "words"),
    [
        ("copying", ACTIVE, 0, ""),
        ("preparing", None, 0, ""),
        ("copying", None, 0, "The replication slot is gone."),
        ("copying", ACTIVE, 3, 'has failed 3 times: the log of the server of "lab"'),
        ("switched", ACTIVE, 3, 'the log of the server of "default"'),
        ("copying", Lag(bytes=9, seconds=1.0, active=False), 0, "Nobody receives"),
    ],
)
def test_problems_of_a_copy(phase: Phase, lag: Lag | None, errors: int, words: str) -> None:
    found = describe_problem(at(phase), lag, errors)
    assert words in found
    assert bool(words) == bool(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plan", "--max-pause", "-1"), "--max-pause takes seconds, 0 or more."),
        (("status", "--wait", "inf"), "--wait takes seconds, 0 or more."),
        (("start", "--wait", "5"), "--wait needs status."),
        (("finish", "--without-target"), "--without-target needs abort."),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], message: str) -> None:
    found = call("extract_domain", "inventory", *arguments, "--to", "default")
    assert found.exit_status == 2
    assert found.stderr == f"CommandError: {message}\n"
