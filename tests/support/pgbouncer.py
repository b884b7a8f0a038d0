"""A PgBouncer that forwards to the test server."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.requirements import need_program
from tests.support.servers import TestServer

SECONDS = 20


@dataclass(frozen=True)
class Pooler:
    host: str
    port: str
    user: str
    log: Path

    @property
    def settings(self) -> dict[str, str]:
        """HOST, PORT and USER of a DATABASES entry."""
        return {"HOST": self.host, "PORT": self.port, "USER": self.user}

    @property
    def parameters(self) -> dict[str, str]:
        """psycopg's."""
        return {key.lower(): value for key, value in self.settings.items()}


@contextmanager
def pgbouncer(
    server: TestServer,
    *,
    mode: str,
    users: Sequence[str] = ("postgres",),
    size: int = 20,
    **options: str,
) -> Iterator[Pooler]:
    """Run PgBouncer with `pool_mode = mode` on a Unix socket; `options` are more of its settings.

    Every database of the server is served under its own name.
    """
    program = need_program("pgbouncer", "/usr/sbin", package="pgbouncer")
    # It refuses root, and must reach the server's socket: so it runs as the server's account.
    account = server.cluster.home.account()
    target = server.parameters
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir=server.cluster.home.path) as name:
        folder = Path(name)
        values = {
            "listen_addr": "",
            "listen_port": "6432",
            "unix_socket_dir": name,
            "auth_type": "trust",
            "auth_file": str(folder / "users.txt"),
            "admin_users": "postgres",
            "pool_mode": mode,
            "default_pool_size": str(size),
            "ignore_startup_parameters": "extra_float_digits",
            **options,
        }
        lines = ["[databases]", f"* = host={target['host']} port={target['port']}", "[pgbouncer]"]
        lines += [f"{key} = {value}" for key, value in values.items()]
        (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        (folder / "users.txt").write_text("".join(f'"{user}" ""\n' for user in users))
        for path in (folder, *folder.iterdir()):
            account.own(path)
        pooler = Pooler(name, values["listen_port"], users[0], folder / "log")
        with pooler.log.open("wb") as log:
            process = subprocess.Popen(
                [program, str(folder / "pgbouncer.ini")],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **account.process_options,
            )
        try:
            _wait(pooler, process)
            yield pooler
        finally:
            process.terminate()
            process.wait(SECONDS)


def _wait(pooler: Pooler, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            # Its own console, which needs no server and takes no place in a pool.
            psycopg.connect(
                host=pooler.host,
                port=pooler.port,
                user="postgres",
                dbname="pgbouncer",
                autocommit=True,
            ).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{error}\n{pooler.log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
