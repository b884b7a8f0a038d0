"""Who runs the engine, where, and in which versions: what the journal says of each run."""

from __future__ import annotations

import functools
import getpass
import importlib
import os
import socket
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import django
from django.conf import ENVIRONMENT_VARIABLE, settings

from ... import __version__
from ...conf import get_settings

GIT_SECONDS = 5.0


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id often has no name
        return str(os.getuid()) if hasattr(os, "getuid") else ""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One run of a command, as every domain that it works on records it."""

    run: uuid.UUID = field(default_factory=uuid.uuid4)
    os_user: str = field(default_factory=_os_user)
    host: str = field(default_factory=socket.gethostname)
    engine_version: str = __version__
    django_version: str = django.__version__


def project_version() -> str:
    """Return the version that the settings give, else the git commit, else ``""``."""
    return get_settings().project_version or _git_commit()


@functools.cache
def _git_commit() -> str:
    """Return the git commit of the project that the settings module is in, or ``""``."""
    # Overridden settings do not know their module.
    name = getattr(settings, "SETTINGS_MODULE", None) or os.environ.get(ENVIRONMENT_VARIABLE)
    origin = getattr(importlib.import_module(name), "__file__", None) if name else None
    if not origin:
        return ""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 (where git is differs)
            cwd=Path(origin).parent,
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
