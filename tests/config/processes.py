"""Handles on processes that use an embedded server, and what is true of the server itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.embedded.home import Home
from config.embedded.locks import is_locked
from tests.support.commands import ROOT, process_environment

SECONDS = 60


PROBE = """
from config.embedded.cluster import Cluster
from config.embedded.programs import packaged_folder
(packaged_folder() / "postgres").stat()
"""


@dataclass(frozen=True)
class Account:
    """Who runs a process, and with which interpreter."""

    python: str
    options: Mapping[str, object]
    environment: Mapping[str, str]

    @property
    def ids(self) -> tuple[int, int]:
        return (
            self.options.get("user", os.geteuid()),
            self.options.get("group", os.getegid()),
        )

    def works(self) -> bool:
        """Whether it can read the interpreter, the project and the server's programs."""
        environment = process_environment(self.environment)
        try:
            done = subprocess.run(
                [self.python, "-c", PROBE],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                **self.options,
            )
        except OSError:
            return False
        return done.returncode == 0


OURSELVES = Account(sys.executable, {}, {})


class User:
    """A running process that uses the server in `folder`."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str | None] | None = None,
        account: Account = OURSELVES,
    ) -> None:
        self.process = subprocess.Popen(
            [account.python, "-m", "tests.config.embedded_user", str(folder), *arguments],
            cwd=ROOT,
            env=process_environment({**account.environment, **(environment or {})}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **account.options,
        )

    def __enter__(self) -> User:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.leave()

    def ready(self) -> User:
        answer = self.process.stdout.readline().strip()
        assert answer == "ready", self.process.stderr.read()
        return self

    def ask(self, line: str) -> str:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def query(self, statement: str) -> str:
        return self.ask(f"query {statement}")

    def leave(self) -> None:
        self.process.stdin.close()
        self.process.wait(SECONDS)
        self._close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)
        self.process.stdin.close()
        self._close()

    def refusal(self) -> str:
        """The last line of a process that could not start."""
        _, errors = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode != 0
        return errors.strip().splitlines()[-1].partition(": ")[2]

    def _close(self) -> None:
        self.process.stdout.close()
        self.process.stderr.close()


def is_up(folder: Path) -> bool:
    """Whether a process of the server or a user of it is left: each of them holds a lock."""
    home = Home(folder)
    return is_locked(home.server_lock) or is_locked(home.users_lock)


def server_pid(folder: Path) -> int:
    return int((Home(folder).data / "postmaster.pid").read_text().split("\n", 1)[0])


def kill_server(folder: Path) -> None:
    os.kill(server_pid(folder), signal.SIGKILL)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
