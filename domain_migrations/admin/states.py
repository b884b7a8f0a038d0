"""The states of domains, migrations and runs, each with a sign, a word and a colour."""

from __future__ import annotations

from typing import NamedTuple


class State(NamedTuple):
    """A state; ``key`` names its colour, which the sign and the word do not depend on."""

    key: str
    sign: str
    word: str


UP_TO_DATE = State("ok", "✓", "up to date")
APPLIED = State("ok", "✓", "applied")
DONE = State("ok", "✓", "done")
FAKED = State("faked", "◇", "faked")
PENDING = State("pending", "○", "pending")
EDITED = State("edited", "✎", "edited since")
REPLACED = State("replaced", "≡", "replaced")
SEEDED = State("ok", "✓", "seeded")
SKIPPED = State("replaced", "◌", "for other tags")
REPAIRED = State("repaired", "✎", "repaired")
BROUGHT_IN = State("repaired", "✎", "brought in")
FAILED = State("failed", "✕", "failed")
INTERRUPTED = State("interrupted", "‼", "interrupted")
UNFINISHED = State("unfinished", "…", "not finished")
RUNNING = State("running", "▶", "running")
UNKNOWN = State("unknown", "?", "unknown")
UNREADABLE = State("unreadable", "!", "cannot be read")

OF_DOMAINS = (UP_TO_DATE, PENDING, UNKNOWN, FAILED, UNFINISHED, RUNNING, UNREADABLE)

OF_JOURNAL = {
    "done": DONE,
    "failed": FAILED,
    "running": UNFINISHED,
    "faked": FAKED,
    "adopted": State("repaired", "✎", "accepted"),
    "repaired": REPAIRED,
}


def of_journal(status: str) -> State:
    """Return the state for a journal's status; one that newer code wrote is shown as it is."""
    return OF_JOURNAL.get(status, State("unfinished", "…", status))
