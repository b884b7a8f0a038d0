"""The context of a run: what each of its rows in the journals says about it."""

from __future__ import annotations

import getpass
import os
import socket
import uuid

import django

from ... import __version__


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id often has no name
        return str(os.getuid()) if hasattr(os, "getuid") else ""


class RunContext:
    """One run of a command: its id, who runs it, where, and with which versions."""

    engine_version = __version__
    django_version = django.__version__

    def __init__(self) -> None:
        self.run = uuid.uuid4()
        self.os_user = _os_user()
        self.host = socket.gethostname()
