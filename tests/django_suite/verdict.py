"""The comparison of results with the list of failures that no backend can prevent."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.django_suite.run import Outcome

LIST = Path(__file__).with_name("expected_failures.toml")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Every test in one place; the last three are failures of the run.

    ``unsupported`` tests fail on stock Django and plain tables too: this server cannot do what they
    need (collations without ICU, say), or this Django does not know this server yet.
    """

    passed: tuple[str, ...]
    skipped: tuple[str, ...]
    justified: tuple[str, ...]
    unsupported: tuple[str, ...]
    failed: tuple[str, ...]
    stale: tuple[str, ...]
    skipped_here_only: tuple[str, ...]

    @property
    def problems(self) -> int:
        return len(self.failed) + len(self.stale) + len(self.skipped_here_only)


def expected_failures(django: str, postgresql: int, *, rendering: bool = False) -> dict[str, str]:
    """Return the listed tests, with their reasons, that apply to these versions.

    Arguments:
        rendering: whether the project states are ours.
    """
    listed = tomllib.loads(LIST.read_text())["test"]
    return {
        entry["id"]: entry["reason"]
        for entry in listed
        if _applies(entry, django, postgresql) and rendering >= entry.get("rendering", False)
    }


def _applies(entry: dict[str, Any], django: str, postgresql: int) -> bool:
    series = ".".join(django.split(".")[:2])
    return series in entry.get("django", [series]) and postgresql in entry.get(
        "postgresql", [postgresql]
    )


def judge(
    outcomes: dict[str, Outcome],
    expected: dict[str, str],
    plain: dict[str, Outcome],
    *,
    suites: set[str],
) -> Verdict:
    """Sort the tests.

    ``plain`` holds the outcomes, on stock Django and plain tables, of the doubtful tests. Listed
    tests are stale when they did not fail or, in a suite that was run, do not exist.
    """

    def of(outcome: str) -> set[str]:
        return {test for test, result in outcomes.items() if result.outcome == outcome}

    listed = {test for test in expected if test.split(".")[0] in suites}
    failed, skipped = of("failed"), of("skipped")
    here_only = {test for test in skipped if not _same(test, plain, "skipped")}
    unsupported = {test for test in failed - listed if _same(test, plain, "failed")}
    return Verdict(
        passed=tuple(sorted(of("passed") - listed)),
        skipped=tuple(sorted(skipped - here_only)),
        justified=tuple(sorted(failed & listed)),
        unsupported=tuple(sorted(unsupported)),
        failed=tuple(sorted(failed - listed - unsupported)),
        stale=tuple(sorted(listed - failed)),
        skipped_here_only=tuple(sorted(here_only)),
    )


def doubtful(outcomes: dict[str, Outcome], expected: dict[str, str]) -> list[str]:
    """Return the labels of the tests that stock Django must be asked about."""
    return sorted(
        {
            label(test)
            for test, result in outcomes.items()
            if result.outcome == "skipped" or (result.outcome == "failed" and test not in expected)
        }
    )


def _same(test: str, plain: dict[str, Outcome], outcome: str) -> bool:
    return test in plain and plain[test].outcome == outcome


def label(test: str) -> str:
    """Return the label under which Django's runner finds a test, or the class of a class fixture.

    >>> label("setUpClass (schema.tests.SchemaTests)")
    'schema.tests.SchemaTests'
    """
    fixture = re.fullmatch(r"\w+ \((.+)\)", test)
    return fixture[1] if fixture else test
