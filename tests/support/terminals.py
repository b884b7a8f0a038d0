"""Running a command on a pseudo terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

from tests.support.commands import ROOT, process_environment

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
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=folder,
        env=process_environment({**plain, **environment}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
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
    return got.decode().replace("\r\n", "\n"), process.wait()
