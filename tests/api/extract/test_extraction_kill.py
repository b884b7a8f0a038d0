"""Commands and servers that are killed in the middle: the next call continues, or abort clears."""

from __future__ import annotations

import signal

import pytest

from tests.api.extract.test_abort import TARGET_SCHEMA
from tests.support.moving_domain import Moving, kill_server

pytestmark = pytest.mark.slow_stress

START = (
    "extract:make_schema",
    "extract:check_equal",
    "extract:publish",
    "extract:create_slot",
    "extract:subscribe",
    "extract:await_receiver",
)
CUT_OVER = (
    "cut_over:create_slot",
    "switch:lock_tables",
    "switch:copy_sequences",
    "switch:advance_slot",
    "switch:raise_fence",
    "switch:Switch.open",
    "cut_over:open_way_back",
    "cut_over:subscribe",
)
ABORT = (
    "abort:open_way_back",
    "switch:raise_fence",
    "switch:Switch.open",
    "abort:remove_replication",
    "abort:drop_copy",
)


def killed(moving: Moving, place: str, *arguments: str) -> None:
    result = moving.extract(*arguments, KILL_AT=place)
    assert result.returncode == -signal.SIGKILL, (place, result.stdout, result.stderr)


def write(moving: Moving, name: str, *, to_target: bool) -> None:
    run = moving.on_target if to_target else moving.on_source
    run(f"INSERT INTO depot.tags (name) VALUES ('{name}')")


def names(moving: Moving, *, in_target: bool) -> set[str]:
    run = moving.on_target if in_target else moving.on_source
    return {name for (name,) in run("SELECT name FROM depot.tags WHERE name LIKE 'k-%'")}


def test_killed_starts_and_cut_overs_continue(moving_18: Moving) -> None:
    for number, place in enumerate(START):
        killed(moving_18, place, "start")
        write(moving_18, f"k-{number}", to_target=False)
    moving_18.copied()
    for place in CUT_OVER[:5]:
        killed(moving_18, place, "cut-over")
        write(moving_18, f"k-{place}", to_target=False)  # The source is open again.
    for place in CUT_OVER[5:]:
        killed(moving_18, place, "cut-over")
    moving_18.done("cut-over")
    write(moving_18, "k-target", to_target=True)
    wanted = {f"k-{number}" for number in range(len(START))}
    wanted |= {f"k-{place}" for place in CUT_OVER[:5]} | {"k-target"}
    assert names(moving_18, in_target=True) == wanted
    killed(moving_18, "extract:record_extraction", "finish", "--noinput")
    moving_18.done("finish", "--noinput")
    assert moving_18.leftovers() == []


@pytest.mark.parametrize("place", [*START, *CUT_OVER])
def test_abort_after_a_kill(moving_18: Moving, place: str) -> None:
    if place in START:
        killed(moving_18, place, "start")
    else:
        moving_18.copied()
        killed(moving_18, place, "cut-over")
    moving_18.done("abort", "--noinput")
    assert moving_18.leftovers() == []
    assert moving_18.on_target(TARGET_SCHEMA) == [(0,)]
    write(moving_18, "k-after", to_target=False)


def test_killed_aborts_continue(moving_18: Moving) -> None:
    moving_18.copied()
    moving_18.done("cut-over")
    write(moving_18, "k-target", to_target=True)
    for place in ABORT:
        killed(moving_18, place, "abort", "--noinput")
    moving_18.done("abort", "--noinput")
    assert names(moving_18, in_target=False) == {"k-target"}
    assert moving_18.leftovers() == []
    assert moving_18.on_target(TARGET_SCHEMA) == [(0,)]


def test_killed_servers_come_back(moving_18: Moving) -> None:
    moving_18.copied()
    for server in (moving_18.source, moving_18.target):
        kill_server(server)
        result = moving_18.extract("cut-over")
        assert result.returncode == 75, result.stderr
        server.start()
        write(moving_18, f"k-{server is moving_18.source}", to_target=False)
    moving_18.done("cut-over")
    kill_server(moving_18.target)
    moving_18.target.start()
    write(moving_18, "k-target", to_target=True)
    kill_server(moving_18.source)
    moving_18.source.start()
    moving_18.done("abort", "--noinput")
    assert names(moving_18, in_target=False) == {"k-True", "k-False", "k-target"}
    assert moving_18.leftovers() == []
