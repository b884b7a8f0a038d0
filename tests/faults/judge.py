"""What a command or a page may do with a database whose tables were edited by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.faults.clinic import STEPS, Outcome

STATUSES = (0, 1, 2, 75)
LOSSES = ("deleted", "history: app", "history: name", "h dropped", "schema dropped")
"""The beginnings, or parts, of the names of edits that take migrations out of the history."""
UNEXECUTED = ("--fake", "--mark-applied", "extract_domain", "flush")


def faults(outcomes: Sequence[Outcome]) -> list[str]:
    """Everything that must not happen, in what was done after some edits.

    The actions without an edit are among the outcomes, with an empty name.
    """
    healthy = {outcome.action: outcome for outcome in outcomes if not outcome.edit}
    return [
        f"{outcome.edit or 'unedited'} | {outcome.action}: {fault}"
        for outcome in outcomes
        for fault in _faults(outcome, healthy)
    ]


def _faults(outcome: Outcome, healthy: Mapping[str, Outcome]) -> Iterator[str]:
    if outcome.traceback or "Traceback (most recent call last)" in outcome.text:
        yield f"a traceback: {(outcome.traceback or outcome.text)[-700:]}"
    elif outcome.is_page:
        if outcome.status not in (200, 404, 503):
            yield f"the status {outcome.status}"
    elif outcome.status not in STATUSES:
        yield f"the exit status {outcome.status}"
    elif outcome.status and not outcome.text.strip():
        yield "no sentence"
    expected = healthy.get(outcome.action)
    if expected and outcome.status != expected.status and not outcome.names_what_was_edited:
        yield f"the status {outcome.status}, and no table is named: {outcome.text[-300:]}"
    if outcome.tallies is not None and outcome.recorded is not None:
        yield from _runs(outcome)


def _runs(outcome: Outcome) -> Iterator[str]:
    """Yield the migrations that ran twice, or that were recorded or forgotten without a run."""
    assert outcome.tallies is not None
    assert outcome.recorded is not None
    for app, ran in outcome.tallies.items():
        twice = [step for step in STEPS if ran.get(step, 0) > 1]
        if twice and not (app == "lab" and any(word in outcome.edit for word in LOSSES)):
            yield f"{app}: {twice} ran twice"
        recorded = outcome.recorded.get(app)
        if recorded is None or any(word in outcome.action for word in UNEXECUTED):
            continue
        if app == "lab" and outcome.edit.startswith(("history: ", "h", "schema")):
            recorded = [*recorded, *ran]
        if missing := [step for step in STEPS if ran.get(step) and step not in recorded]:
            yield f"{app}: {missing} ran, and {'is' if len(missing) == 1 else 'are'} not recorded"
    everything = outcome.action == "migrate_domain --all --noinput"
    if everything and outcome.tallies["ward"].get(STEPS[-1]) != 1:
        yield "the edit of lab has stopped ward"
