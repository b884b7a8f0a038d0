"""The hooks of deploy/hooks do what they say, called by a run on a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings

from domain_migrations.engine.catalog.fingerprint import fingerprint
from tests.support.catalog import execute, query, snapshot
from tests.support.commands import ROOT, Result
from tests.support.servers import TestServer

Call = Callable[..., Result]
HOOKS = ROOT / "deploy/hooks"
# PostgreSQL prints CHECK (name IN ('a')) of a varchar in one way, and in another once it has
# read what it has printed; pg_dump alone turns the first into the second.
CAST_BEHIND = re.compile(r"\(ARRAY\[((?:'[^']*'::character varying(?:, )?)+)\]\)::text\[\]")
BACK = ("migrate_domain", "finance", "0010")
FORTH = ("migrate_domain", "finance")


def script(name: str, *arguments: object) -> list[str]:
    return [sys.executable, str(HOOKS / name), *map(str, arguments)]


def hooks(**events: list[Any]) -> Any:
    return override_settings(DOMAIN_MIGRATIONS={"HOOKS": {"finance": events}})


@contextmanager
def web_server(*statuses: int) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """A local server that answers with these statuses, the last one again and again."""
    seen: list[tuple[str, dict[str, str], bytes]] = []
    answers = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.path, dict(self.headers), body))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_dump_is_made_before_the_run_and_can_be_restored(
    migrated_database: str, postgres_server: TestServer, call: Call, tmp_path: Path
) -> None:
    execute("CREATE TABLE public.accounts (id int)")
    execute(
        "INSERT INTO finance.accounts (code, name_en, name_th, kind, is_active)"
        " VALUES ('1000', 'Cash', 'เงินสด', 'asset', true)"
    )
    before = _catalog(), _rows()
    folder = tmp_path / "dumps"
    dump = {
        "command": script(
            *("dump_schema.py", "--folder", folder, "--keep", 2),
            *("--pg-dump", postgres_server.program("pg_dump")),
        ),
        "credentials": True,
    }
    with hooks(before=[dump]):
        result = call(*BACK)
    assert result.exit_status == 0, result.stderr
    (path,) = folder.iterdir()
    assert path.name.startswith("finance-")
    assert path.stat().st_mode & 0o077 == 0
    assert _catalog()["finance"] != before[0]["finance"]
    execute("DROP SCHEMA finance CASCADE")
    postgres_server.run_program(
        *("pg_restore", "--exit-on-error", str(path), "--dbname"), database=migrated_database
    )
    assert (_catalog(), _rows()) == before
    assert call("verify_domain", "finance", "--only", "drift").stdout == "Nothing found.\n"
    assert call(*FORTH).stdout.endswith("finance: nothing to do\n")
    assert query("SELECT to_regclass('public.accounts') IS NOT NULL") == [(True,)]
    for number in range(3):
        (folder / f"finance-2020010{number}T000000Z-12345678.dump").touch()
        (folder / f"finance_old-2020010{number}T000000Z-12345678.dump").touch()
    with hooks(before=[dump]):
        assert call(*BACK).exit_status == 0
    left = sorted(file.name for file in folder.glob("finance-*"))
    assert len(left) == 2
    assert path.name in left
    assert len(list(folder.glob("finance_old-*"))) == 3


def _catalog() -> dict[str, str]:
    return {schema: CAST_BEHIND.sub(_cast_inside, text) for schema, text in snapshot().items()}


def _cast_inside(match: re.Match[str]) -> str:
    values = re.sub(r"('[^']*'::character varying)", r"(\1)::text", match[1])
    return f"ARRAY[{values}]"


def _rows() -> list[tuple[Any, ...]]:
    return [
        row
        for table in ("accounts", "django_migrations_finance")
        for row in query(f"SELECT x.* FROM finance.{table} x ORDER BY id")
    ]


def test_dump_that_fails_stops_the_run(
    migrated_database: str, postgres_server: TestServer, call: Call, tmp_path: Path
) -> None:
    program = postgres_server.program("pg_dump")
    command = script("dump_schema.py", "--folder", tmp_path, "--pg-dump", program)
    before = fingerprint(connections["default"], "finance")
    with hooks(before=[{"command": [*command, "--no-such-option"], "credentials": True}]):
        assert call(*BACK).exit_status == 1
    (tmp_path / "false").write_text("#!/bin/sh\necho 'pg_dump: error: no' >&2\nexit 1\n")
    (tmp_path / "false").chmod(0o755)
    failing = script("dump_schema.py", "--folder", tmp_path, "--pg-dump", tmp_path / "false")
    with hooks(before=[{"command": failing, "name": "dump"}]):
        result = call(*BACK)
    assert (
        'The before-hook "dump" of the domain "finance" failed: exit status 1: pg_dump: error: no.'
    ) in result.stderr
    assert list(tmp_path.glob("*.dump")) + list(tmp_path.glob("*.partial")) == []
    assert fingerprint(connections["default"], "finance") == before


def test_nothing_is_dumped_before_the_first_run(
    scratch_database: str, postgres_server: TestServer, tmp_path: Path
) -> None:
    run = {"run": "12345678", "domains": [{"domain": "lab", "schema": 'my "lab".*'}]}
    program = postgres_server.program("pg_dump")
    result = subprocess.run(
        script("dump_schema.py", "--folder", tmp_path, "--pg-dump", program),
        env={
            **{f"PG{key.upper()}": value for key, value in postgres_server.parameters.items()},
            "PGDATABASE": scratch_database,
        },
        input=json.dumps(run),
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == 'There is no schema my "lab".* yet, so there is nothing to dump.\n'
    assert list(tmp_path.iterdir()) == []


def test_webhook_receives_the_result(
    migrated_database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_TOKEN", "secret")
    with web_server(503, 200) as (url, seen):
        monkeypatch.setenv("WEBHOOK_URL", f"{url}/hook")
        notify = {
            "command": script("notify_webhook.py"),
            "environment": ["WEBHOOK_URL", "WEBHOOK_TOKEN"],
        }
        with hooks(after=[notify], failed=[notify]):
            assert call(*BACK).exit_status == 0
            assert len(seen) == 2
            execute("ALTER TABLE finance.invoices ADD COLUMN purchase_order_id bigint")
            failed = call(*FORTH)
    path, headers, body = seen[1]
    assert (path, headers["Authorization"]) == ("/hook", "Bearer secret")
    sent = json.loads(body)
    assert sent["text"] == (
        "finance: reverted 0013_balance_by_columns, 0012_alter_verbose_names,"
        " 0011_invoice_purchase_order."
    )
    assert sent["run"]["event"] == "after"
    sent = json.loads(seen[2][2])
    assert sent["text"].startswith("finance: failed. Migration finance.0011_invoice_purchase_order")
    assert sent["run"]["domains"][0]["error"]["message"] in failed.stderr


def test_unreachable_webhook_fails_the_deploy_only_with_the_option() -> None:
    run = {
        "event": "after",
        "plan": [],
        "domains": [
            {"domain": "lab", "status": "unchanged", "error": None, "applied": [], "reverted": []}
        ],
    }
    with web_server(404) as (url, seen):
        for arguments, status in (((), 0), (("--strict",), 1)):
            result = subprocess.run(
                script("notify_webhook.py", "--url", url, *arguments),
                input=json.dumps(run),
                capture_output=True,
                text=True,
            )
            assert (result.returncode, result.stderr) == (status, "The webhook answered 404.\n")
    assert len(seen) == 2
    for wrong in ("file:///etc/passwd", ""):
        result = subprocess.run(
            script("notify_webhook.py", "--url", wrong), input="{}", capture_output=True, text=True
        )
        assert result.returncode == 2


WORKER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from worker import turn
while True:
    with turn(sys.argv[2]):
        with open(sys.argv[3], "a") as log:
            log.write("begin\\n"); log.flush(); time.sleep(0.2); log.write("end\\n")
    time.sleep(0.01)
"""


def test_worker_is_paused_between_two_jobs_and_resumed(
    migrated_database: str, call: Call, tmp_path: Path
) -> None:
    lock, log = tmp_path / "worker", tmp_path / "log"
    look = [
        sys.executable,
        *("-c", "import sys; print(open(sys.argv[1]).read().split()[-1])", str(log)),
    ]
    resume = script("worker.py", "resume", lock)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(HOOKS), str(lock), str(log)])
    try:
        _wait_for(lambda: log.exists() and log.read_text())
        with hooks(before=[script("worker.py", "pause", lock), look], after=[look, resume]):
            result = call(*BACK)
        assert result.exit_status == 0, result.stderr
        said = query(
            "SELECT details ->> 'output' FROM finance.django_migrations_finance_journal"
            " WHERE direction = 'hook' ORDER BY id"
        )
        assert said == [("",), ("end\n",), ("end\n",), ("",)]
        count = log.read_text().count("begin")
        _wait_for(lambda: log.read_text().count("begin") > count)
        with hooks(
            before=[script("worker.py", "pause", lock), [sys.executable, "-c", "exit(1)"]],
            failed=[resume],
        ):
            assert call(*FORTH).exit_status == 1
        assert not (tmp_path / "worker.paused").exists()
    finally:
        worker.kill()
        worker.wait()


def test_busy_worker_stops_the_run_and_is_not_paused(tmp_path: Path) -> None:
    log = tmp_path / "log"
    busy = WORKER.replace("time.sleep(0.2)", "time.sleep(60)")
    command = [sys.executable, "-c", busy, str(HOOKS), str(tmp_path / "worker"), str(log)]
    worker = subprocess.Popen(command)
    try:
        _wait_for(lambda: log.exists() and log.read_text())
        result = subprocess.run(
            script("worker.py", "pause", tmp_path / "worker", "--wait", "0.3"),
            capture_output=True,
            text=True,
        )
    finally:
        worker.kill()
        worker.wait()
    assert (result.returncode, result.stderr) == (1, "A job is still at work after 0.3 s.\n")
    assert not (tmp_path / "worker.paused").exists()


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_cache_is_warmed() -> None:
    with web_server(200, 500, 200) as (url, seen):
        result = subprocess.run(
            script("warm_cache.py", f"{url}/a", f"{url}/b", f"{url}/c"),
            capture_output=True,
            text=True,
        )
    assert [path for path, _, _ in seen] == ["/a", "/b", "/c"]
    assert result.returncode == 1
    lines = [line.partition(" in ")[0] for line in result.stdout.splitlines()]
    assert lines == [f"{url}/a: 200", f"{url}/b: 500", f"{url}/c: 200"]
    assert subprocess.run(script("warm_cache.py", "file:///x"), capture_output=True).returncode == 2
