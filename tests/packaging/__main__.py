"""Build the wheel, install it in an empty environment and use it in foreign projects.

    python -m tests.packaging

Ends with one line, `N passed, N failed`; the exit status is 1 when something failed. Packages come
from the index that pip is configured for, PostgreSQL from where the test suite has it.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.packaging.foreign import FOREIGN_STEPS, Foreign
from tests.packaging.install import make_environment
from tests.packaging.reproducible import REPRODUCIBLE_STEPS
from tests.packaging.typed import TYPED_STEPS
from tests.packaging.wheel import WHEEL_STEPS, build_wheel
from tests.support import servers
from tests.support.servers import TestServer


class Stopped(Exception):
    """A step failed; the steps after it need its result."""


class Tally:
    """How many steps passed and failed."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as failure:
            self.failed += 1
            print(f"FAILED  {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
            raise Stopped from failure
        self.passed += 1
        print(f"ok      {name}", flush=True)


def main() -> int:
    tally = Tally()
    try:
        # A space, because a user's folder may have one.
        with tempfile.TemporaryDirectory(prefix="packaging test ") as folder, _server() as server:
            _run(tally, Path(folder), server)
    except Stopped:
        print("The steps after it did not run.")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


def _run(tally: Tally, folder: Path, server: TestServer) -> None:
    with tally.step("pip builds a wheel of the repository"):
        wheel = build_wheel(folder)
    for step in WHEEL_STEPS:
        with tally.step(str(step.__doc__)):
            step(wheel)
    with tally.step("pip installs the wheel and its dependencies into an empty environment"):
        python = make_environment(folder / "environment", wheel.path)
    foreign = Foreign.write(folder / "foreign project", python, server)
    for foreign_step in FOREIGN_STEPS:
        with tally.step(str(foreign_step.__doc__)):
            foreign_step(foreign)
    for typed_step in TYPED_STEPS:
        with tally.step(str(typed_step.__doc__)):
            typed_step(folder / "typed project", python)
    for reproducible_step in REPRODUCIBLE_STEPS:
        with tally.step(str(reproducible_step.__doc__)):
            reproducible_step(folder)


@contextmanager
def _server() -> Iterator[TestServer]:
    folder = servers.make_folder(servers.memory())
    server = servers.session_server()
    try:
        server.start()
        yield server
    finally:
        server.cluster.leave()
        servers.remove(folder)


if __name__ == "__main__":
    sys.exit(main())
