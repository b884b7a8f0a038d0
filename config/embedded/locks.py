"""File locks that the kernel releases when their holder ends, for whatever reason."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.02


class LockTimeout(Exception):
    """Another process held the lock until the timeout."""


def open_lock_file(path: Path) -> int:
    """Open or create a lock file with the owner of its folder, who can then use it too."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Try to take the lock without waiting; failure releases a lock already held on it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive_lock(path: Path, *, seconds: float) -> Iterator[None]:
    descriptor = open_lock_file(path)
    try:
        deadline = time.monotonic() + seconds
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise LockTimeout(str(path))
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether any process holds the lock."""
    descriptor = open_lock_file(path)
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)
