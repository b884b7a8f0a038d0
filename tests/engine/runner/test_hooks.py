"""Hooks and signals of a run: their order, their effects and their rows in the journal."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.dispatch import Signal
from django.test import override_settings

from domain_migrations.engine.sessions.scratch_databases import (
    connections_redirected_to,
    scratch_database,
)
from domain_migrations.signals import domain_migrate_failed, domain_post_migrate, domain_pre_migrate
from tests.support.catalog import execute, histories, query, schemas, snapshot
from tests.support.commands import Result
from tests.support.databases import drop
from tests.support.projects import domain_app

Call = Callable[..., Result]
RECORD = """
import json, sys
run = json.load(sys.stdin)
with open(sys.argv[1], "a") as log:
    print(json.dumps([run["event"] + sys.argv[2], run]), file=log)
"""
JOURNAL = "finance.django_migrations_finance_journal"
LAST = "0013_balance_by_columns"
BACK = ("migrate_domain", "finance", "0012")
FORTH = ("migrate_domain", "finance")


def python(source: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", source, *arguments]


def hooks(domain: str = "finance", **events: list[Any]) -> Any:
    return override_settings(DOMAIN_MIGRATIONS={"HOOKS": {domain: events}})


def hook_rows(table: str = JOURNAL) -> list[tuple[Any, ...]]:
    rows = query(
        f"SELECT name, status, error, details FROM {table} WHERE direction = 'hook' ORDER BY id"
    )
    return [(name, status, error, json.loads(details)) for name, status, error, details in rows]


def run_statuses(table: str = JOURNAL) -> list[str]:
    """Those of the latest run's own rows."""
    return [
        status
        for (status,) in query(
            f"SELECT status FROM {table} WHERE direction = 'run'"
            f" AND run = (SELECT run FROM {table} ORDER BY id DESC LIMIT 1) ORDER BY id"
        )
    ]


REFUSE = {"command": python("print('the moon is full'); raise SystemExit(1)"), "name": "refuse"}


class Calls:
    """The runs that commands which record themselves got, as (event, run)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def command(self, label: str = "") -> dict[str, Any]:
        """Return a hook that records its call, with a label after the event."""
        return {"command": python(RECORD, str(self.path), label), "name": f"record{label}"}

    def runs(self) -> list[tuple[str, dict[str, Any]]]:
        if not self.path.exists():
            return []
        return [tuple(json.loads(line)) for line in self.path.read_text().splitlines()]

    def events(self) -> list[str]:
        return [event for event, _ in self.runs()]

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def receiver(signal: Signal, function: Callable[..., None]) -> Iterator[None]:
    """Connect a receiver of a signal in the block."""
    signal.connect(function)
    try:
        yield
    finally:
        signal.disconnect(function)


@pytest.fixture
def called(migrated_database: str, tmp_path: Path) -> Iterator[Calls]:
    execute("CREATE TABLE public.invoices (id int)")
    yield Calls(tmp_path / "calls")
    assert query("SELECT to_regclass('public.invoices') IS NOT NULL") == [(True,)]


def test_command_gets_the_run_as_json_and_in_variables(
    called: Calls, call: Call, tmp_path: Path
) -> None:
    source = (
        "import json, os, sys; json.dump([json.load(sys.stdin), {k: v for k, v in"
        " os.environ.items() if k.startswith('DOMAIN_MIGRATIONS_')}], open(sys.argv[1], 'w'))"
    )
    with hooks(
        before=[python(source, str(tmp_path / "before"))],
        after=[python(source, str(tmp_path / "after"))],
    ):
        result = call(*BACK, "--format", "json")
    assert result.exit_status == 0, result.stderr
    answer = json.loads(result.stdout)
    before, variables = json.loads((tmp_path / "before").read_text())
    assert before["format"] == 1
    assert before["plan"] == [{"app": "finance", "name": LAST, "direction": "backwards"}]
    assert (before["event"], before["run"], before["fake"]) == ("before", answer["run"], False)
    assert before["domains"][0]["status"] == "planned"
    assert json.loads(variables.pop("DOMAIN_MIGRATIONS_JSON")) == before
    assert {name.removeprefix("DOMAIN_MIGRATIONS_"): v for name, v in variables.items()} == {
        "EVENT": "before",
        "RUN": answer["run"],
        "DATABASE": "default",
        "FAKE": "",
        "DOMAIN": "finance",
        "SCHEMA": "finance",
        "HISTORY_TABLE": "finance.django_migrations_finance",
        "STATUS": "planned",
        "BATCH": "",
        "PENDING": "",
        "APPLIED": "",
        "REVERTED": "",
        "ERROR_CODE": "",
        "ERROR": "",
    }
    after, variables = json.loads((tmp_path / "after").read_text())
    assert (after["event"], after["domains"][0]["status"]) == ("after", "migrated")
    assert after["domains"][0]["reverted"][0]["name"] == LAST
    assert after["domains"][0]["batch"] == answer["domains"][0]["batch"]
    assert variables["DOMAIN_MIGRATIONS_REVERTED"] == f"finance.{LAST}"
    assert [(row[1], row[3]["event"], row[3]["exit"]) for row in hook_rows()] == [
        ("done", "before", 0),
        ("done", "after", 0),
    ]
    assert run_statuses() == ["running", "done"]


def test_before_hook_that_fails_stops_the_run_before_any_change(called: Calls, call: Call) -> None:
    before = snapshot(), histories()
    refusing = {"command": python("print('disk full'); raise SystemExit(3)"), "name": "space"}
    with hooks(before=[refusing, called.command()], failed=[called.command()]):
        result = call(*BACK, "--format", "json")
        text = call(*BACK)
    assert result.exit_status == text.exit_status == 1
    (domain,) = json.loads(result.stdout)["domains"]
    assert (domain["status"], domain["reverted"]) == ("refused", [])
    message = 'The before-hook "space" of the domain "finance" failed: exit status 3: disk full.'
    hint = "Nothing was changed. Correct what it reports, or the hook, and run the command again."
    assert domain["error"] == {
        "code": "hook_failed",
        "message": message,
        "hint": hint,
        "sqlstate": None,
    }
    assert text.stderr == f"CommandError: {message} {hint}\n"
    assert (snapshot(), histories()) == before
    assert called.events() == ["failed", "failed"]
    assert called.runs()[0][1]["domains"] == [{**domain, "seconds": 0.0}]
    assert hook_rows()[0] == (
        "space",
        "failed",
        "exit status 3: disk full",
        {"event": "before", "exit": 3, "output": "disk full\n"},
    )
    assert run_statuses() == ["running", "failed"]
    assert query(f"SELECT error FROM {JOURNAL} ORDER BY id DESC LIMIT 1 OFFSET 1") == [(message,)]


def test_before_hook_that_fails_in_a_first_run_leaves_no_objects(
    scratch_database: str, call: Call
) -> None:
    with hooks("core", before=[REFUSE]):
        result = call("migrate_domain", "--all")
    assert result.exit_status == 1
    assert (
        'The before-hook "refuse" of the domain "core" failed: exit status 1: the moon is full.'
        " Nothing was changed."
    ) in result.stderr
    assert schemas() == ["public"]
    assert query("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [
        (0,)
    ]
    with receiver(domain_pre_migrate, print_on_both_streams):
        assert call("migrate_domain", "core").exit_status == 0
    (row,) = hook_rows("public.django_migrations_core_journal")
    assert row[3]["output"] == "said \N{REPLACEMENT CHARACTER} and ?\non standard error\n"


def test_order_of_hooks_and_no_calls_without_changes(called: Calls, call: Call) -> None:
    both = {event: [called.command(" as well")] for event in ("before", "after", "failed")}
    own = {event: [called.command()] for event in ("before", "after", "failed")}
    with override_settings(DOMAIN_MIGRATIONS={"HOOKS": {"*": both, "finance": own}}):
        assert call(*FORTH).exit_status == 0
        assert call("migrate_domain", "--all").exit_status == 0
        assert call(*BACK, "--plan").exit_status == 0
        assert call(*BACK, "--check").exit_status == 1
        assert called.runs() == []
        assert call(*BACK).exit_status == 0
        assert called.events() == [*("before as well", "before", "after", "after as well")]
        called.clear()
        assert call(*FORTH, "--dry-run").exit_status == 0
        assert call(*FORTH, "--rehearse").exit_status == 0
        assert called.runs() == []
        assert call("migrate_domain", "--all", "--format", "json").exit_status == 0
        assert [(event, run["domains"][0]["domain"]) for event, run in called.runs()] == [
            ("before as well", "finance"),
            ("before", "finance"),
            ("after", "finance"),
            ("after as well", "finance"),
        ]
        called.clear()
        assert call("migrate_domain", "hr", "0012", "--fake").exit_status == 0
        assert [(event, run["fake"]) for event, run in called.runs()] == [
            ("before as well", True),
            ("after as well", True),
        ]
        called.clear()
        assert call("migrate_domain", "hr", "--fake").exit_status == 0
        assert call("migrate_domain", "finance", "--rollback").exit_status == 0
        assert called.runs()[-1][1]["domains"][0]["reverted"][0]["name"] == LAST


def test_failed_migration_calls_the_failed_hooks_after_its_rollback(
    called: Calls, call: Call
) -> None:
    assert call("migrate_domain", "finance", "0010").exit_status == 0
    execute("ALTER TABLE finance.invoices ADD COLUMN purchase_order_id bigint")
    with hooks(
        before=[called.command()],
        after=[called.command()],
        failed=[REFUSE, called.command()],
    ):
        result = call(*FORTH, "--format", "json")
    assert result.exit_status == 1
    (domain,) = json.loads(result.stdout)["domains"]
    assert (domain["status"], domain["error"]["sqlstate"]) == ("failed", "42701")
    assert called.events() == ["before", "failed"]
    assert called.runs()[1][1]["domains"][0]["error"] == domain["error"]
    assert [(row[0], row[1]) for row in hook_rows()] == [
        *(("record", "done"), ("refuse", "failed"), ("record", "done"))
    ]
    with hooks(failed=[REFUSE]):
        text = call(*FORTH)
    assert "the moon is full. The run had failed before.\n" in text.stderr
    execute("ALTER TABLE finance.invoices DROP COLUMN purchase_order_id")
    with hooks(after=[called.command()]):
        assert call(*FORTH).exit_status == 0
    assert called.events()[-1] == "after"


def test_hooks_for_failures_are_called_when_the_connection_is_lost(
    called: Calls, call: Call, tmp_path: Path
) -> None:
    end = ["sh", "-c", 'printf %s "$PGDATABASE" > "$0"', str(tmp_path / "name")]
    with (
        receiver(domain_pre_migrate, end_the_session),
        hooks(failed=[{"command": end, "credentials": True}]),
    ):
        result = call(*BACK, "--format", "json")
    connections["default"].close()
    assert json.loads(result.stdout)["domains"][0]["error"]["code"] == "connection"
    assert result.exit_status == 75
    assert (tmp_path / "name").read_text() == connections["default"].settings_dict["NAME"]
    assert call(*BACK).exit_status == 0


def test_after_hook_that_fails_is_called_again_by_the_next_run(called: Calls, call: Call) -> None:
    failing = [REFUSE, called.command()]
    with hooks(
        before=[called.command(" as well")], after=failing, failed=[called.command(" as well")]
    ):
        result = call(*BACK, "--format", "json")
        assert called.events() == ["before as well", "after"]
        again = call("migrate_domain", "finance", "0012")
    (domain,) = json.loads(result.stdout)["domains"]
    assert result.exit_status == again.exit_status == 1
    assert (domain["status"], domain["error"]["code"]) == ("failed", "hook_failed")
    assert domain["error"]["hint"] == (
        "The changes of the run are kept and recorded. Correct the hook and run the command again:"
        " the next run calls the hooks after the run again."
    )
    assert ("finance", LAST) not in histories()["finance"]
    assert called.events() == ["before as well", "after", "after"]
    assert run_statuses() == ["running", "failed"]
    called.clear()
    with hooks(before=[called.command()], after=[called.command()]):
        assert "finance: nothing to do" in call("migrate_domain", "finance", "0012").stdout
        assert called.events() == ["after"]
        assert call("migrate_domain", "finance", "0012").exit_status == 0
    assert called.events() == ["after"]


def test_run_killed_in_an_after_hook_is_completed_by_the_next(
    called: Calls, call: Call, project: Callable[..., Any], tmp_path: Path
) -> None:
    initial = """
class Migration(migrations.Migration):
    initial = True
    operations = [migrations.RunSQL("CREATE TABLE lab.samples (id int)")]
"""
    marker = tmp_path / "resumed"
    kill_once = python(
        "import os, pathlib, signal, sys; p = pathlib.Path(sys.argv[1]); n = p.exists();"
        " p.touch(); n or os.kill(os.getppid(), signal.SIGKILL); n and p.write_text('yes')",
        str(marker),
    )
    made = project(
        {"lab": domain_app("lab", migrations={"0001_initial": initial})},
        settings={"DOMAIN_MIGRATIONS": {"HOOKS": {"lab": {"after": [kill_once]}}}},
    )
    killed = made.manage("migrate_domain", "lab")
    assert killed.returncode == -9
    assert query("SELECT name FROM lab.django_migrations_lab") == [("0001_initial",)]
    completed = made.manage("migrate_domain", "lab")
    assert (completed.returncode, completed.stderr) == (0, "")
    assert "lab: nothing to do" in completed.stdout
    assert marker.read_text() == "yes"
    assert run_statuses("lab.django_migrations_lab_journal") == ["running", "done"]


def test_time_limit_ends_the_whole_process_group(called: Calls, call: Call, tmp_path: Path) -> None:
    source = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c',"
        " 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " time.sleep(60)']); open(sys.argv[1], 'w').write(str(child.pid));"
        " print('started', flush=True); time.sleep(60)"
    )
    slow = {"command": python(source, str(tmp_path / "pid")), "timeout": 1.5, "name": "slow"}
    started = time.monotonic()
    with hooks(before=[slow]):
        result = call(*BACK)
    assert time.monotonic() - started < 20
    assert 'The before-hook "slow" of the domain "finance" failed: it was stopped after 1.5 s.' in (
        result.stderr
    )
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(child)
    assert hook_rows()[0][3]["output"] == "started\n"


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_output_is_bounded_and_decoded_safely(called: Calls, call: Call) -> None:
    source = (
        "import sys; sys.stdin.close(); out = sys.stdout.buffer; out.write(b'first\\0\\xff\\n');"
        " [out.write(b'x' * 65536) for _ in range(64)]; out.write(b'\\nlast')"
    )
    with hooks(before=[python(source)]):
        assert call(*BACK).exit_status == 0
    ((_, status, _, details),) = hook_rows()
    output = details["output"]
    assert status == "done"
    assert len(output) < 17000
    assert output.startswith("first\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\nxxx")
    assert output.endswith("xxx\nlast")
    assert " bytes left out …\n" in output


def test_a_child_in_the_background_is_not_waited_for(called: Calls, call: Call) -> None:
    started = time.monotonic()
    with hooks(before=[["sh", "-c", "sleep 30 & echo $!"]]):
        assert call(*BACK).exit_status == 0
    assert time.monotonic() - started < 20
    os.kill(int(hook_rows()[0][3]["output"]), 15)


def test_credentials_are_passed_only_on_request(
    called: Calls, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = {
        "DATABASE_URL": "postgres://app:hunter2@db/x",
        "DATABASE_PASSWORD": "hunter2",
        "PGPASSWORD": "hunter2",
        "PGSERVICEFILE": "/etc/services",
        "REPLICA_DB_PASSWORD": "hunter2",
        "HEROKU_POSTGRESQL_PINK": "hunter2",
        "REPORTING": "postgresql+psycopg://app:hunter2@db/x",
        "CONNINFO": "host=db user=app password=hunter2",
        "COPIED": "hunter2",
    }
    secrets |= {
        "SECRET_KEY": "hunter3",
        "DJANGO_SECRET_KEY": "hunter3",
        "AWS_SECRET_ACCESS_KEY": "hunter3",
        "CONFIG": json.dumps({"db": {"password": "hunter2"}}),
        "ENCODED": base64.b64encode(b"postgres://app:hunter2@db/x").decode(),
    }
    kept = {"WEBHOOK_TOKEN": "token", "SENTRY_DSN": "https://key@sentry.example/1"}
    for name, value in {**secrets, **kept}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(connections["default"].settings_dict, "PASSWORD", "hunter2")
    source = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"
    asked = {"command": python(source, str(tmp_path / "asked")), "credentials": True}
    named = {"command": python(source, str(tmp_path / "plain")), "environment": [*kept]}
    with hooks(before=[named, asked]):
        result = call(*BACK)
    assert result.exit_status == 0, result.stderr
    plain = json.loads((tmp_path / "plain").read_text())
    assert secrets.keys() & plain.keys() == set()
    assert "hunter" not in str(plain)
    assert {name: plain[name] for name in kept} == kept
    assert plain["PATH"] == os.environ["PATH"]
    given = json.loads((tmp_path / "asked").read_text())
    assert given["DATABASE_URL"] == secrets["DATABASE_URL"]
    assert given["PGDATABASE"] == connections["default"].settings_dict["NAME"]
    assert given["PGUSER"] == connections["default"].settings_dict["USER"]
    assert given["PGPASSWORD"] == "hunter2"
    assert given.keys() & {"SECRET_KEY", "AWS_SECRET_ACCESS_KEY", *kept} == set()


def print_on_both_streams(**kwargs: Any) -> None:
    print("said \0 and \udc80")
    print("on standard error", file=sys.stderr)


def refuse(**kwargs: Any) -> None:
    raise ValueError("the moon is full\nsecond line")


def insert_a_duplicate(**kwargs: Any) -> None:
    execute("CREATE TEMPORARY TABLE twice (secret text PRIMARY KEY)")
    execute("INSERT INTO twice VALUES ('Miller'), ('Miller')")


def leave_the_process(**kwargs: Any) -> None:
    raise SystemExit(3)


def leave_a_transaction_open(**kwargs: Any) -> None:
    execute("BEGIN")


def close_the_connection(**kwargs: Any) -> None:
    connections["default"].close()


def end_the_session(**kwargs: Any) -> None:
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s, 5000)",
            [connections["default"].connection.info.backend_pid],
        )
    other.close()


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (refuse, "ValueError: the moon is full (tests/engine/runner/test_hooks.py, line "),
        (
            insert_a_duplicate,
            'IntegrityError: duplicate key value violates unique constraint "twice_pkey" (',
        ),
        (leave_the_process, "it exited with 3."),
        (leave_a_transaction_open, "it left a transaction open, which was rolled back."),
        (close_the_connection, "closed the connection of the run, and so lost its lock"),
    ],
)
def test_receiver_that_fails(
    called: Calls, call: Call, function: Callable[..., None], problem: str
) -> None:
    before = snapshot(), histories()
    with receiver(domain_pre_migrate, function):
        result = call(*BACK)
    assert result.exit_status == 1
    assert problem in result.stderr
    rows = query(f"SELECT error, details::text FROM {JOURNAL}")
    assert "(Miller)" not in str(rows) + result.stderr
    assert (snapshot(), histories()) == before


def test_signals(called: Calls, call: Call) -> None:
    heard: list[tuple[str, str]] = []

    def listen(signal: Any, domain: Any, run: Any, using: str, **kwargs: Any) -> None:
        heard.append((run["event"], domain.name))

    def object_to(**kwargs: Any) -> None:
        raise ValueError("not today")

    signals = (domain_pre_migrate, domain_post_migrate, domain_migrate_failed)
    try:
        for signal in signals:
            signal.connect(listen)
        assert call(*BACK).exit_status == 0
        assert heard == [("before", "finance"), ("after", "finance")]
        before = snapshot(), histories()
        domain_pre_migrate.connect(object_to)
        result = call(*FORTH)
        assert (
            'The before-hook "domain_pre_migrate" of the domain "finance" failed: ValueError: not'
            " today (tests/engine/runner/test_hooks.py, line "
        ) in result.stderr
        assert (snapshot(), histories()) == before
        assert heard[2:] == [("before", "finance"), ("failed", "finance")]
    finally:
        for signal in signals:
            signal.disconnect(listen)
        domain_pre_migrate.disconnect(object_to)
    assert call(*FORTH).exit_status == 0


def test_scratch_databases_call_no_hooks(postgres_server: Any, called: Calls, call: Call) -> None:
    with (
        hooks("core", before=[called.command()], after=[called.command()]),
        scratch_database("default", "quiet") as name,
        connections_redirected_to(name, "default"),
    ):
        assert call("migrate_domain", "core").exit_status == 0
    assert called.runs() == []


def test_making_a_test_database_calls_signals_only(
    postgres_server: Any, project: Callable[..., Any], tmp_path: Path
) -> None:
    log = tmp_path / "called"
    source = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    hooks = {event: [python(source, str(log), event[0])] for event in ("before", "after")}
    table = """migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))],
        options={"db_table": '"lab"."things"'})"""
    files = domain_app(
        "lab",
        models="""
class Thing(models.Model):
    class Meta:
        db_table = '"lab"."things"'
""",
        migrations={
            "0001_initial": f"""
    class Migration(migrations.Migration):
        initial = True
        operations = [{table}]
    """
        },
    )
    files["tests.py"] = f"""
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

class Tests(TransactionTestCase):
    def test_hooks(self):
        with open({str(log)!r}, "a") as log, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('lab.things'), to_regclass('public.things')")
            self.assertEqual(cursor.fetchone(), ("lab.things", None))
            log.write("|")
        call_command("migrate_domain", "lab", "zero", verbosity=0)
"""
    files["models.py"] += f"""
from django.dispatch import receiver
from domain_migrations.signals import domain_pre_migrate

@receiver(domain_pre_migrate)
def record(domain, **_):
    with open({str(log)!r}, "a") as log:
        log.write(domain.name[0])
"""
    foreign = project({"lab": files}, settings={"DOMAIN_MIGRATIONS": {"HOOKS": {"lab": hooks}}})
    try:
        done = foreign.manage("test", "--noinput")
        assert done.returncode == 0, done.stderr
    finally:
        drop(postgres_server, f"test_{foreign.database}")
    assert log.read_text() == "cl|lba"


def test_hook_that_cannot_be_called_refuses_the_run(called: Calls, call: Call) -> None:
    with hooks(before=["pg_dump -n finance"]):
        result = call(*BACK, "--format", "json")
    (domain,) = json.loads(result.stdout)["domains"]
    assert (result.exit_status, domain["status"]) == (1, "refused")
    assert domain["error"]["code"] == "invalid_configuration"
    with hooks(before=[["/no/such/program"]]):
        result = call(*BACK)
    assert "it cannot be started: No such file or directory: /no/such/program." in result.stderr
