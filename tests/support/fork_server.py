"""manage.py, run by forks of a process that has imported Django and the engine already.

A fork is a process of its own, with its own settings, models and connections. It saves the second
that the imports cost. What registers itself with Django when it is imported, as checks do, is not
imported before the fork. Run as a script, this module is that process.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
PRELOADED = (
    "django.contrib.admin.options",
    "django.contrib.auth.hashers",
    "django.contrib.postgres.fields",
    "django.contrib.postgres.operations",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.template.loader_tags",
    "domain_migrations.apps",
    "domain_migrations.backends.postgresql.compiler",
    "domain_migrations.domains.swappable_names",
    "domain_migrations.engine.runner.adoption.inspected_schema",
    "domain_migrations.engine.runner.core_key_types",
    "domain_migrations.engine.runner.domain_work",
    "domain_migrations.engine.runner.dry_run.plan_preview",
    "domain_migrations.engine.runner.dry_run.trial_executor",
    "domain_migrations.engine.runner.executor",
    "domain_migrations.engine.runner.faked_migrations",
    "domain_migrations.engine.runner.hooks.dispatch",
    "domain_migrations.engine.runner.losses",
    "domain_migrations.engine.runner.migrate_signals",
    "domain_migrations.engine.runner.planner",
    "domain_migrations.engine.runner.snapshot_restore",
    "domain_migrations.engine.runner.transfer.pair_plan",
    "domain_migrations.management.commands.adopt_domain",
    "domain_migrations.management.commands.extract_domain",
    "domain_migrations.management.commands.grant_domain",
    "domain_migrations.management.commands.inspect_domain",
    "domain_migrations.management.commands.migrate_domain",
    "domain_migrations.management.commands.repair_domain",
    "domain_migrations.management.commands.seed_domain",
    "domain_migrations.management.commands.show_domains",
    "domain_migrations.management.commands.snapshot_domain",
    "domain_migrations.management.commands.start_domain",
    "domain_migrations.management.commands.transfer_model",
    "domain_migrations.management.commands.verify_domain",
    "domain_migrations.operations",
    "domain_migrations.permissions",
    "domain_migrations.router",
    "environ",
    "libcst",
)
BACKEND = "DATABASES = {'default': {'ENGINE': 'domain_migrations.backends.postgresql'"
"""The settings of a project that loads the engine's backend before its models, as forks do."""
PER_CALL = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""The variables of the interpreter that a call may set for itself."""
COVERAGE = "COVERAGE_PROCESS_CONFIG"
"""The variable by which a process learns that its coverage is to be measured."""


def can_fork(folder: Path, environment: Mapping[str, str]) -> bool:
    """Return whether a fork would run manage.py of the folder as a new interpreter does.

    It would not with another backend, another copy of the engine, or other variables of the
    interpreter.
    """
    settings = folder / "settings.py"
    if folder != ROOT and not (settings.exists() and BACKEND in settings.read_text()):
        return False
    paths = [str(folder), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    copies = [path for path in paths if path and Path(path, "domain_migrations").is_dir()]
    return (
        sys.platform == "linux"
        and copies[:1] == [str(ROOT)]
        and all(
            environment.get(name) == os.environ.get(name)
            for name in {*environment, *os.environ}
            if name.startswith("PYTHON") and name not in PER_CALL
        )
    )


@dataclass(frozen=True)
class Fork:
    """A process that runs manage.py."""

    command: list[str]
    pid: int
    _connection: socket.socket
    _answers: TextIO

    def wait(self, seconds: float) -> int:
        """Return its exit status, negative for a signal.

        Raises:
            TimeoutExpired: it took longer than `seconds`, and was killed.
        """
        self._connection.settimeout(seconds)
        with self._connection, self._answers:
            try:
                return int(self._answers.readline())
            except TimeoutError as exc:
                os.kill(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(self.command, seconds) from exc


def start(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[int, int, int],
    session: bool = False,
) -> Fork:
    """Start manage.py of the folder, with these descriptors as its input, output and errors.

    Arguments:
        session: the process begins a session of its own.
    """
    command = ["manage.py", *arguments]
    ours, theirs = socket.socketpair()
    with theirs:
        request = json.dumps([command, str(folder), dict(environment), session]).encode()
        socket.send_fds(_server(), [request], [theirs.fileno(), *streams])
    answers = ours.makefile()
    return Fork(command, int(answers.readline()), ours, answers)


def run(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run manage.py of the folder as `subprocess.run` does, with empty input."""
    with (
        Path(os.devnull).open() as stdin,
        tempfile.TemporaryFile("w+") as stdout,
        tempfile.TemporaryFile("w+") as stderr,
    ):
        streams = (stdin.fileno(), stdout.fileno(), stderr.fileno())
        fork = start(arguments, folder=folder, environment=environment, streams=streams)
        status = fork.wait(seconds)
        for file in (stdout, stderr):
            file.seek(0)
        return subprocess.CompletedProcess(fork.command, status, stdout.read(), stderr.read())


@functools.cache
def _server() -> socket.socket:
    """Start the process; it ends when this one does, which closes the socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {name: value for name, value in os.environ.items() if name not in PER_CALL}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    measuring = ["coverage"] if environment.pop(COVERAGE, None) else []
    with theirs:
        subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno()), *measuring],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    return ours


def _preload(*more: str) -> None:
    sys.path.insert(0, str(ROOT))
    for name in (*PRELOADED, *more):
        importlib.import_module(name)
    sys.path.pop(0)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # As in the processes of pytest.


def _serve(control: socket.socket) -> list[str]:
    """Fork for each request; return, in the fork, the command line that it is to run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, *_ = socket.recv_fds(control, 2**20, 4)
        if not request:
            sys.exit()
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    answer, *streams = descriptors
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if pid := os.fork():
        for descriptor in streams:
            os.close(descriptor)
        os.write(answer, f"{pid}\n".encode())
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BrokenPipeError):  # It took too long.
            os.write(answer, f"{status}\n".encode())
        os._exit(0)
    os.close(answer)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    arguments: list[str]
    arguments, folder, environment, session = json.loads(request)
    if session:
        os.setsid()
    if sys.stdout.isatty():
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return arguments


def _begin(arguments: list[str]) -> None:
    """Make the interpreter what `python manage.py` finds, measured where that one would be.

    Lines that run when a module is imported are measured in the process that asks for the fork.
    """
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path.cwd()), *filter(None, added)]
    sys.argv = arguments
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    importlib.invalidate_caches()
    if COVERAGE in os.environ:
        importlib.import_module("coverage").process_startup(force=True)


def _run() -> None:
    """Run manage.py, and end without dismantling the interpreter, which takes as long as `help`.

    Errors that the interpreter reports at its end, it still reports.
    """
    status = 0
    try:
        runpy.run_path(str(Path("manage.py").absolute()), run_name="__main__")
    except SystemExit as exc:
        if not isinstance(exc.code, int):
            raise
        status = exc.code
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(status)
    os._exit(status)


if __name__ == "__main__":
    _preload(*sys.argv[2:])
    _begin(_serve(socket.socket(fileno=int(sys.argv[1]))))
    _run()
