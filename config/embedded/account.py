"""The operating system account of the server, because PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import EmbeddedServerUnusable


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def process_options(self) -> dict[str, Any]:
        """The arguments of `subprocess` to run a program as this account."""
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Return whether the account can access `folder` through all its parents."""
        if self.is_ours:
            return True
        # The kernel decides, for that account: mode bits do not include access control lists.
        test = ["/bin/sh", "-c", 'test -x "$1/."', "sh", str(folder)]
        return subprocess.run(test, cwd="/", **self.process_options).returncode == 0

    def own(self, path: Path) -> None:
        if not self.is_ours:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def server_account(home: Path) -> Account:
    """Return our own account; for root, the owner of `home`, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    owner = home.stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerUnusable(
        "The embedded PostgreSQL cannot run as root, and neither the account postgres nor nobody "
        "exists to run it: run as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
    )
