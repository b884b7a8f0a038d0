"""The folder of an embedded server: its paths, owner and links."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from config.embedded.account import Account, account_name, server_account
from config.embedded.errors import EmbeddedServerUnusable

PORT = "5432"
# The size of sockaddr_un's path less its final zero.
SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107


class Home:
    """The paths of an embedded server.

    Everything is in `path`, with two exceptions that are symbolic links: a socket whose path would
    be too long or an invalid host name, and, for root, all files that the server's account must
    reach if it cannot enter a parent of `path`. The modes of parents are never changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.start_lock = path / "start.lock"
        self.users_lock = path / "users.lock"
        self.server_lock = path / "server.lock"
        self.log = path / "server.log"
        self._elsewhere = path / "elsewhere"
        self._socket_link = path / "socket"

    @property
    def root(self) -> Path:
        """The folder with the files of the server's account."""
        return self._elsewhere.resolve() if self._elsewhere.is_symlink() else self.path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def socket_folder(self) -> Path:
        if self._socket_link.is_symlink():
            return self._socket_link.readlink()
        return self.root / "socket"

    def prepare(self) -> None:
        """Create the folder, or raise an error that explains why it is unusable."""
        try:
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
            owner = self.path.stat().st_uid
        except OSError as error:
            raise self._unusable(f"cannot be created: {error.strerror}") from error
        if os.geteuid() not in (0, owner):
            raise EmbeddedServerUnusable(
                f"The folder {self.path} of the embedded PostgreSQL belongs to "
                f"{account_name(owner)}, and {account_name(os.geteuid())} cannot use it: run as "
                f"{account_name(owner)}, or remove the folder with its databases, or set "
                "DATABASE_URL to a PostgreSQL server."
            )
        if os.geteuid() == owner == 0:
            # The umask may have removed the access of the server's account.
            self.path.chmod(0o711)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise self._unusable("is read-only")

    def account(self) -> Account:
        return server_account(self.path)

    def make_reachable(self, account: Account) -> None:
        """Link the server's files to another folder if `account` cannot enter `path`."""
        if self._elsewhere.is_symlink() and _is_private(self.root, os.geteuid()):
            return
        self._elsewhere.unlink(missing_ok=True)
        if account.can_enter(self.path):
            return
        folder = _private_folder([Path("/var/tmp"), Path("/tmp")], mode=0o711)
        self._elsewhere.symlink_to(folder)

    def remove_leftovers(self) -> None:
        """Remove what a killed process left, even if its programs have added to it since."""
        for pattern in ("initdb-*", "programs-*"):
            for left in self.root.glob(pattern):
                shutil.rmtree(left, ignore_errors=True)

    def make_socket_folder(self, account: Account) -> Path:
        folder = self.socket_folder
        if folder.is_dir() and _is_private(folder, account.uid):
            return folder
        self.remove_socket_folder()
        folder = self.socket_folder
        # Clients split host names at commas, even quoted ones.
        fits = len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT
        if fits and "," not in str(folder):
            folder.mkdir(mode=0o700, exist_ok=True)
        else:
            folder = _private_folder([Path(tempfile.gettempdir()), Path("/tmp")], mode=0o700)
            self._socket_link.symlink_to(folder)
        account.own(folder)
        folder.chmod(0o700)
        return folder

    def remove_socket_folder(self) -> None:
        """Remove a short folder with the link to it; one in the usual place is kept."""
        if self._socket_link.is_symlink():
            shutil.rmtree(self.socket_folder, ignore_errors=True)
            self._socket_link.unlink()

    def _unusable(self, what: str) -> EmbeddedServerUnusable:
        return EmbeddedServerUnusable(
            f"The folder {self.path} for the embedded PostgreSQL {what}. Make it writable, or set "
            "DATABASE_URL to a PostgreSQL server."
        )


def _is_private(folder: Path, uid: int) -> bool:
    """Return whether `folder` is a real folder that only its owner `uid` can write to."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o022


def _private_folder(parents: list[Path], *, mode: int) -> Path:
    """Create a folder in the first of `parents` that is short enough and writable."""
    for parent in parents:
        # mkdtemp adds eight characters to the prefix.
        size = len(os.fsencode(parent / f"postgres-12345678/.s.PGSQL.{PORT}"))
        if size <= SOCKET_PATH_LIMIT and os.access(parent, os.W_OK | os.X_OK):
            folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=parent))
            folder.chmod(mode)
            return folder
    names = " and ".join(map(str, parents))
    raise EmbeddedServerUnusable(
        f"The embedded PostgreSQL needs a private folder in {names}, and none can be created: "
        "make one writable, or set DATABASE_URL to a PostgreSQL server."
    )
