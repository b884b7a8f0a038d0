"""Runs Django's own tests with every model's table in a schema, and evaluates the results.

    python -m tests.django_suite
    python -m tests.django_suite --suite schema --suite constraints
    python -m tests.django_suite --engine django.db.backends.postgresql    # what stock gets wrong
    python -m tests.django_suite schema.tests.SchemaTests.test_add_field   # one test
    python -m tests.django_suite --suite migrations --rendering            # on our project states

The server is the one of DATABASE_URL, on which the role must be a superuser (the harness makes
event triggers), else the one of the tests, chosen by TEST_POSTGRES. Django's source distribution is
fetched once, through pip. The exit status is 1 when a test fails that is not listed in
expected_failures.toml, when a listed one passes, or when one is skipped that stock Django runs on
plain tables. Skipped and failing tests are tried again on stock Django with plain tables: what
fails there too says nothing about us.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time

import django

from tests.django_suite.run import OUR_ENGINE, STOCK_ENGINE, SuiteCrashed, run_tests
from tests.django_suite.server import server_parameters, server_version
from tests.django_suite.source import django_tests_directory
from tests.django_suite.verdict import Verdict, doubtful, expected_failures, judge

DEFAULT_SUITES = ["schema", "migrations"]

SUITES_AT_ONCE = 4
"""Their tables are made in one transaction, homonyms included, and each needs a lock."""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        with server_parameters() as parameters:
            verdict = _run(options, parameters)
    except SuiteCrashed as error:
        print(error)
        return 1
    print(f"{len(verdict.justified)} failed as listed in expected_failures.toml")
    print(f"{len(verdict.unsupported)} fail on stock Django with plain tables too")
    print(f"{len(verdict.skipped)} skipped, as on stock Django with plain tables")
    print(f"took {time.monotonic() - started:.0f} s")
    print(f"{len(verdict.passed)} passed, {verdict.problems} failed")
    return 1 if verdict.problems else 0


def _run(options: argparse.Namespace, parameters: dict[str, str]) -> Verdict:
    labels = options.tests or options.suites or DEFAULT_SUITES
    django_version, postgresql = django.get_version(), server_version(parameters)
    print(f"Django {django_version}, PostgreSQL {postgresql}, {options.engine}:", *labels)
    sys.stdout.flush()
    listed = {}
    if not options.plain:
        listed = expected_failures(django_version, postgresql, rendering=options.rendering)
    run = functools.partial(
        run_tests, tests_directory=django_tests_directory(), parameters=parameters
    )
    outcomes = {}
    for first in range(0, len(labels), SUITES_AT_ONCE):
        batch = labels[first : first + SUITES_AT_ONCE]
        outcomes |= run(
            batch,
            engine=options.engine,
            plain=options.plain,
            rendering=options.rendering,
            shards=options.jobs,
        )
    asked = doubtful(outcomes, listed)
    stock = run(asked, engine=STOCK_ENGINE, plain=True, shards=1) if asked else {}
    verdict = judge(outcomes, listed, stock, suites=set() if options.tests else set(labels))
    for test in verdict.unsupported:
        print(f"UNSUPPORTED {test}: fails on stock Django with plain tables too.")
    for test in verdict.failed:
        print(f"FAIL {test}")
        if not options.brief:
            print(outcomes[test].detail)
    for test in verdict.stale:
        print(f"STALE {test}: in expected_failures.toml, but it does not fail. Remove the entry.")
    for test in verdict.skipped_here_only:
        print(f"SKIPPED {test}: {outcomes[test].detail} Stock Django runs it on plain tables.")
    return verdict


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.django_suite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tests", nargs="*", help="single tests, as Django's runtests.py names them")
    parser.add_argument(
        "--suite",
        dest="suites",
        action="append",
        help="a folder of Django's tests (repeatable; default: schema and migrations)",
    )
    parser.add_argument("--engine", default=OUR_ENGINE)
    parser.add_argument("--plain", action="store_true", help="leave the tables where they are")
    parser.add_argument(
        "--rendering", action="store_true", help="with the project states of migrate_domain"
    )
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--brief", action="store_true", help="name failures without tracebacks")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
