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
UID_VARIABLE, GID_VARIABLE, PROGRAMS_VARIABLE = "TEST_UID", "TEST_GID", "TEST_PROGRAMS"


@dataclass(frozen=True)
class Account:
    """Who a process becomes once it has imported everything.

    Not before: root's interpreter and virtual environment are often closed to others.
    """

    uid: int
    gid: int
    programs: Path

    @property
    def environment(self) -> dict[str, str | None]:
        return {
            UID_VARIABLE: str(self.uid),
            GID_VARIABLE: str(self.gid),
            PROGRAMS_VARIABLE: str(self.programs),
            # The account may not write into this folder, where coverage keeps its data.
            "COVERAGE_PROCESS_CONFIG": None,
        }


def become_ordinary() -> None:
    """In such a process: give up root's rights, for good."""
    if UID_VARIABLE in os.environ and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(os.environ[GID_VARIABLE]))
        os.setuid(int(os.environ[UID_VARIABLE]))


class User:
    """A running process that uses the server in `folder`."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        environment: Mapping[str, str | None] | None = None,
        account: Account | None = None,
    ) -> None:
        merged = {**(account.environment if account else {}), **(environment or {})}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.config.embedded_user", str(folder), *arguments],
            cwd=ROOT,
            env=process_environment(merged),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
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
