"""The test runner for Django's ``runtests.py``: it runs one shard and records every result."""

# ruff: noqa: N802 - the names are unittest's
from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any

from django.db import connections
from django.test import TransactionTestCase
from django.test.runner import DiscoverRunner, iter_test_cases

from tests.django_suite import audit, relocation

_run = json.loads(os.environ["DJANGO_SUITE_RUN"])


class RecordingResult(unittest.TextTestResult):
    """Collects the outcome of each test by its id; a failed subtest fails its test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcomes: dict[str, tuple[str, str]] = {}

    def _record(self, test: Any, outcome: str, detail: str = "") -> None:
        previous = self.outcomes.get(test.id(), ("passed", ""))[0]
        if previous != "failed":
            self.outcomes[test.id()] = (outcome, detail)

    def addSuccess(self, test: Any) -> None:
        super().addSuccess(test)
        self._record(test, "passed")

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._record(test, "failed", self.errors[-1][1])

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._record(test, "failed", self.failures[-1][1])

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        # A skipped subtest says something about its test only when nothing else does.
        if self.outcomes.get(test.id(), ("skipped",))[0] == "skipped":
            self._record(getattr(test, "test_case", test), "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._record(test, "passed")

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._record(test, "failed", "Unexpected success.")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._record(test, "failed", self._exc_info_to_string(err, test))


class ShardRunner(DiscoverRunner):
    """Runs every n-th test and writes the outcomes where the parent process looks for them."""

    def build_suite(self, *args: Any, **kwargs: Any) -> unittest.TestSuite:
        tests = list(iter_test_cases(super().build_suite(*args, **kwargs)))
        return self.test_suite(tests[_run["shard"] :: _run["shards"]])

    def setup_databases(self, **kwargs: Any) -> Any:
        if not _run["plain"]:
            relocation.re_aim(type(connections["default"]))
            _audit_after_each_test()
        return super().setup_databases(**kwargs)

    def get_resultclass(self) -> type[RecordingResult]:
        return RecordingResult

    def suite_result(self, suite: Any, result: Any, **kwargs: Any) -> int:
        Path(_run["outcomes"]).write_text(json.dumps(result.outcomes))
        return 0


def _audit_after_each_test() -> None:
    original = TransactionTestCase._callTestMethod

    def call(self: TransactionTestCase, method: Any) -> None:
        original(self, method)
        for alias in type(self)._validate_databases():
            connection = connections[alias]
            if connection.needs_rollback or not connection.is_usable():
                continue
            problems = audit.differences(connection)
            if problems:
                self.fail("Introspection and pg_catalog differ:\n" + "\n".join(problems))

    TransactionTestCase._callTestMethod = call
