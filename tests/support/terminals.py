"""Running a command on a pseudo terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import fork_server
from tests.support.commands import ROOT, SECONDS, process_environment

COLUMNS = 120


def run_on_terminal(
    *arguments: str,
    environment: Mapping[str, str | None],
    folder: Path = ROOT,
    columns: int = COLUMNS,
    answer: str = "",
) -> tuple[str, int]:
    """Run manage.py of `folder`; what the terminal got, and the exit status.

    Arguments:
        answer: what is typed, for the command to read when it asks.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    plain = {"TERM": "xterm-256color", "NO_COLOR": None, "COLUMNS": None, "LINES": None}
    environment = process_environment({**plain, **environment})
    streams = (theirs, theirs, theirs)
    process = _start(arguments, folder, environment, streams)
    os.close(theirs)
    os.write(ours, answer.encode())
    got = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # What Linux says when the other end is closed.
            break
        if not chunk:
            break
        got += chunk
    os.close(ours)
    return got.decode().replace("\r\n", "\n"), process.wait(SECONDS)


def _start(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[int, int, int],
) -> fork_server.Fork | subprocess.Popen[bytes]:
    if fork_server.can_fork(folder, environment):
        return fork_server.start(
            arguments, folder=folder, environment=environment, streams=streams, session=True
        )
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
