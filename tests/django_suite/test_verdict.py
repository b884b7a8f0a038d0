"""The evaluation of Django's suites, which must not pass by mistake."""

from __future__ import annotations

from tests.django_suite.run import Outcome
from tests.django_suite.verdict import doubtful, expected_failures, judge

PASSED = Outcome(outcome="passed", detail="")
FAILED = Outcome(outcome="failed", detail="Traceback")
SKIPPED = Outcome(outcome="skipped", detail="No.")


def test_judge__failures() -> None:
    outcomes = {"schema.new": FAILED, "schema.listed": FAILED, "schema.server": FAILED}

    verdict = judge(
        outcomes, {"schema.listed": "why"}, {"schema.server": FAILED}, suites={"schema"}
    )

    assert verdict.failed == ("schema.new",)
    assert verdict.justified == ("schema.listed",)
    assert verdict.unsupported == ("schema.server",)
    assert verdict.problems == 1


def test_judge__stale_entries() -> None:
    listed = {"schema.passes": "why", "schema.gone": "why", "indexes.not_run": "why"}

    verdict = judge({"schema.passes": PASSED}, listed, {}, suites={"schema"})

    assert verdict.stale == ("schema.gone", "schema.passes")
    assert verdict.passed == ()
    assert verdict.problems == 2


def test_judge__skips() -> None:
    outcomes = {"schema.here": SKIPPED, "schema.everywhere": SKIPPED}
    plain = {"schema.here": PASSED, "schema.everywhere": SKIPPED}

    verdict = judge(outcomes, {}, plain, suites={"schema"})

    assert verdict.skipped_here_only == ("schema.here",)
    assert verdict.skipped == ("schema.everywhere",)
    assert verdict.problems == 1


def test_doubtful__class_fixtures_are_run_as_their_class() -> None:
    outcomes = {"setUpClass (schema.tests.A)": FAILED, "schema.b": PASSED, "schema.c": FAILED}

    assert doubtful(outcomes, {"schema.c": "why"}) == ["schema.tests.A"]


def test_expected_failures__by_version() -> None:
    only_61 = {*expected_failures("6.1.3", 18)} - {*expected_failures("5.2.19", 18)}

    assert only_61 == {
        "migrations.test_commands.MigrateTests.test_migrate_syncdb_installed_truncated_db_model"
    }
    assert all(expected_failures("6.1.3", 18).values())
