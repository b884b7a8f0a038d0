"""`migrate_fleet`: one release at many sites, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from domain_migrations.api.fleet.workers import GRACE_SECONDS
from tests.support.commands import ROOT
from tests.support.fleet import Fleet, dsn, free_port, password_role, processes_with, silent_server
from tests.support.sessions import until
from tests.support.terminals import run_on_terminal

Make = Callable[..., Fleet]

NEW = ["0001_initial", "0002_note"]
OLD = NEW[:1]

SLOW = """
import time
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [
        migrations.AddField("Thing", "note", models.TextField(default="")),
        migrations.RunSQL("SELECT pg_sleep({seconds})", ""),
    ]
"""
SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {site["site"]: site["status"] for site in found["sites"]}


def error_of(found: dict[str, Any], site: str) -> dict[str, Any]:
    (error,) = [each["error"] for each in found["sites"] if each["site"] == site]
    return error


def sleeping(sites: Fleet) -> int:
    names = ", ".join(f"'{name}'" for name in sites.names)
    statement = f"{SLEEPING} AND datname IN ({names})"
    with sites.server.connect() as session:
        return int(session.execute(statement).fetchone()[0])


def test_every_site_is_migrated_once(fleet: Make) -> None:
    sites = fleet(3)
    found, status = sites.json("migrate_fleet", "lab")
    assert status == 0
    assert statuses(found) == dict.fromkeys(sites.sites, "migrated")
    for site in sites.sites:
        assert sites.columns(site) == ["id", "code", "note"]
        assert sites.columns(site, "public.things") == ["id"]
        assert sites.applied(site) == NEW
        journal = "SELECT DISTINCT run::text FROM lab.django_migrations_lab_journal"
        assert sites.query(site, f"{journal} WHERE name = '0002_note'") == [(found["run"],)]
    again, status = sites.json("migrate_fleet", "lab")
    assert (status, set(statuses(again).values())) == (0, {"unchanged"})


def test_domains_are_objects_of_migrate_domain(fleet: Make) -> None:
    sites = fleet(1)
    found, _ = sites.json("migrate_fleet", "lab", "--plan")
    (site,) = found["sites"]
    alone = json.loads(
        sites.project.manage("migrate_domain", "lab", "--plan", "--format=json").stdout
    )
    for domain in (*site["domains"], *alone["domains"]):
        domain["seconds"] = 0
    assert (site["status"], site["domains"]) == ("planned", alone["domains"])
    assert site["domains"][0]["steps"][0]["sql"]
    assert list(site) == ["site", "status", "domains", "error", "seconds"]
    assert list(found) == ["format", "run", "sites", "stopped", "seconds"]


def test_broken_sites_are_reported_and_the_others_are_migrated(fleet: Make) -> None:
    sites = fleet(4)
    first, drifted, *_ = sites.sites
    with sites.connect(drifted) as session:
        session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    sites.sites["down"] = dsn(sites.server, "postgres", host="127.0.0.1", port=str(free_port()))
    sites.sites["unknown-role"] = dsn(sites.server, "postgres", user="nobody_here")
    found, status = sites.json("migrate_fleet", "lab")
    assert status == 1
    assert statuses(found) == {
        **dict.fromkeys(sites.sites, "migrated"),
        drifted: "failed",
        "down": "failed",
        "unknown-role": "refused",
    }
    assert error_of(found, drifted)["sqlstate"] == "42701"
    assert error_of(found, "down")["code"] == "connection"
    message, hint = (error_of(found, "down")[key] for key in ("message", "hint"))
    assert message.startswith('The database of the site "down" (postgres on 127.0.0.1:')
    assert f"line 5 of {sites.file} has its host and port" in hint
    assert error_of(found, "unknown-role")["code"] == "invalid_configuration"
    assert sites.applied(drifted) == OLD
    assert sites.columns(first) == ["id", "code", "note"]
    # The others cannot be reached now; what passes by itself is 75.
    sites.sites = {"down": sites.sites["down"]}
    assert sites.json("migrate_fleet", "lab")[1] == 75


def test_wrong_password_is_1_and_that_of_a_command_is_used(fleet: Make) -> None:
    sites = fleet(2)
    role = f"fleet_{os.getpid()}"
    pairs = {"user": role, "password": "wrong"}
    sites.sites = {
        name: dsn(sites.server, database, **pairs)
        for name, database in zip(sites.sites, sites.names, strict=True)
    }
    with password_role(sites.server, role, "right-branch-2"):
        found, status = sites.json("migrate_fleet", "lab", "--site=branch-1")
        assert (status, statuses(found)) == (1, {"branch-1": "refused"})
        assert error_of(found, "branch-1")["code"] == "invalid_configuration"
        assert "password authentication failed" in error_of(found, "branch-1")["message"]
        found, status = sites.json("migrate_fleet", "lab", "--password-command=echo right-{site}")
        assert statuses(found) == {"branch-1": "refused", "branch-2": "migrated"}
        assert status == 1


def test_text_says_what_happened_where_and_what_to_do_next(fleet: Make) -> None:
    sites = fleet(3)
    last = list(sites.sites)[-1]
    with sites.connect(last) as session:
        session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    done = sites.manage("migrate_fleet", "lab", "--parallel=1")
    assert done.returncode == 1
    assert re.search(r"^1/3  branch-1: lab: 1 applied in \d+\.\d s$", done.stdout, re.MULTILINE)
    assert re.search(r"^2 migrated, 1 failed in \d+\.\d s$", done.stdout, re.MULTILINE)
    *_, sentence, advice = done.stderr.strip().splitlines()
    assert sentence.startswith("CommandError: branch-3: Migration lab.0002_note failed")
    assert advice == "Next: correct the cause, and run the command again with: --site branch-3"
    with sites.connect(last) as session:
        session.execute("ALTER TABLE lab.things DROP COLUMN note")
    again = sites.manage("migrate_fleet", "lab", "--site=branch-3")
    assert again.returncode == 0, again.stderr
    assert "1 migrated in" in again.stdout


def test_equal_plans_are_printed_once(fleet: Make) -> None:
    sites = fleet(3)
    sites.manage("migrate_fleet", "lab", "--site=branch-2")
    done = sites.manage("migrate_fleet", "lab", "--plan", "-v1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Add field note to Thing") == 1
    assert "2 sites: branch-1, branch-3\n" in done.stdout
    assert sites.applied("branch-1") == OLD


def test_check_names_the_sites_with_pending_migrations(fleet: Make) -> None:
    sites = fleet(3)
    sites.manage("migrate_fleet", "lab", "--site=branch-2")
    done = sites.manage("migrate_fleet", "lab", "--check")
    assert done.returncode == 1
    assert "branch-1, branch-3: There are pending migrations: lab.0002_note.\n" in done.stderr


def test_dry_run_changes_nothing(fleet: Make) -> None:
    sites = fleet(2)
    found, status = sites.json("migrate_fleet", "lab", "--dry-run")
    assert (status, set(statuses(found).values())) == (0, {"planned"})
    assert [sites.applied(site) for site in sites.sites] == [OLD, OLD]


def test_canary_that_fails_stops_the_fleet(fleet: Make) -> None:
    sites = fleet(4)
    with sites.connect("branch-2") as session:
        session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    found, status = sites.json("migrate_fleet", "lab", "--canary=2")
    assert status == 1
    assert statuses(found) == {
        "branch-1": "migrated",
        "branch-2": "failed",
        "branch-3": "skipped",
        "branch-4": "skipped",
    }
    assert found["stopped"] == 'The canary "branch-2" has failed.'
    assert sites.applied("branch-3") == OLD


def test_canaries_are_sites_with_pending_migrations(fleet: Make) -> None:
    sites = fleet(4)
    sites.manage("migrate_fleet", "lab", "--site=branch-1")
    with sites.connect("branch-2") as session:
        session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    found, _ = sites.json("migrate_fleet", "lab", "--canary=1", "--only-pending")
    assert statuses(found) == {
        "branch-1": "unchanged",
        "branch-2": "failed",
        "branch-3": "skipped",
        "branch-4": "skipped",
    }


def test_failures_stop_the_fleet(fleet: Make) -> None:
    sites = fleet(5)
    for site in ("branch-1", "branch-3"):
        with sites.connect(site) as session:
            session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    arguments = ("migrate_fleet", "lab", "--parallel=1", "--max-failures=2")
    found, status = sites.json(*arguments)
    assert status == 1
    words = ["failed", "migrated", "failed", "skipped", "skipped"]
    assert list(statuses(found).values()) == words
    assert found["stopped"] == "2 sites failed."


def test_site_that_never_answers_does_not_hold_up_the_others(fleet: Make) -> None:
    sites = fleet(2)
    with silent_server() as port:
        address = {"host": "127.0.0.1", "port": str(port)}
        sites.sites = {"silent": dsn(sites.server, "x", **address), **sites.sites}
        arguments = ("migrate_fleet", "lab", "--parallel=1", "--site-timeout=1")
        sites.names = ["x", *sites.names]
        found, status = sites.json(*arguments)
    assert status == 75
    assert list(statuses(found).values()) == ["failed", "migrated", "migrated"]
    error = error_of(found, "silent")
    assert error["code"] == "site_timeout"
    assert error["message"] == 'The site "silent" took longer than 1 s, and was stopped.'


def test_silent_site_without_a_timeout_ends_by_that_of_the_connection(fleet: Make) -> None:
    sites = fleet(1)
    with silent_server() as port:
        address = {"host": "127.0.0.1", "port": str(port), "connect_timeout": "2"}
        sites.sites = {"silent": dsn(sites.server, "x", **address)}
        found, status = sites.json("migrate_fleet", "lab")
    assert (status, error_of(found, "silent")["code"]) == (75, "connection")


def test_site_with_a_held_table_lock_is_stopped_and_rolled_back(fleet: Make) -> None:
    sites = fleet(2)
    with sites.connect("branch-1") as holder:
        holder.autocommit = False
        holder.execute("LOCK TABLE lab.things IN ACCESS SHARE MODE")
        arguments = ("--site-timeout=2", "--lock-timeout=0")
        found, status = sites.json("migrate_fleet", "lab", *arguments)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        assert sites.query("branch-1", f"{waiting} AND datname = current_database()") == [(0,)]
    assert status == 75
    assert statuses(found) == {"branch-1": "failed", "branch-2": "migrated"}
    assert error_of(found, "branch-1")["code"] == "site_timeout"
    assert sites.columns("branch-1") == ["id", "code"]
    again, status = sites.json("migrate_fleet", "lab")
    assert (status, list(statuses(again).values())) == (0, ["migrated", "unchanged"])


def test_site_with_another_run_is_busy(fleet: Make) -> None:
    sites = fleet(2)
    sites.migration("0002_note", SLOW.format(seconds=2))
    with sites.started("migrate_fleet", "lab", "--site=branch-1") as other:
        until(lambda: sleeping(sites))
        found, status = sites.json("migrate_fleet", "lab", "--lock-wait=0", "--site=branch-1")
        assert (status, statuses(found)) == (75, {"branch-1": "busy"})
        assert other.wait(timeout=60) == 0


KILLS = """
import os, signal
from django.db import connections
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [
        migrations.AddField("Thing", "note", models.TextField(default="")),
        migrations.RunPython(lambda apps, editor:
            "{name}" == editor.connection.settings_dict["NAME"]
            and os.kill(os.getpid(), signal.SIGKILL), migrations.RunPython.noop),
    ]
"""


def test_process_that_is_killed_is_a_failed_site(fleet: Make) -> None:
    sites = fleet(2)
    sites.migration("0002_note", KILLS.format(name=sites.names[0]))
    found, status = sites.json("migrate_fleet", "lab")
    assert status == 1
    assert statuses(found) == {"branch-1": "failed", "branch-2": "migrated"}
    error = error_of(found, "branch-1")
    assert (error["code"], error["message"]) == (
        "site_failed",
        'The process of the site "branch-1" ended with exit code -9 before it was done.',
    )
    assert sites.applied("branch-1") == OLD


def output(process: subprocess.Popen[str]) -> tuple[str, str]:
    return process.communicate(timeout=60)


@pytest.mark.parametrize("name", ["SIGTERM", pytest.param("SIGINT", marks=pytest.mark.slow_stress)])
def test_signal_lets_started_sites_finish_and_skips_the_rest(fleet: Make, name: str) -> None:
    sites = fleet(3)
    sites.migration("0002_note", SLOW.format(seconds=1))
    arguments = ("migrate_fleet", "lab", "--parallel=2", "--format=json")
    with sites.started(*arguments) as process:
        until(lambda: sleeping(sites) == 2)
        process.send_signal(getattr(signal, name))
        stdout, stderr = output(process)
    assert process.returncode == 1
    found = json.loads(stdout)
    assert list(statuses(found).values()) == ["migrated", "migrated", "skipped"]
    assert found["stopped"] == f"It was stopped by {name}."
    assert f"{name}: no other site is started. Those that run are finished: branch-1" in stderr
    assert [sites.applied(site) for site in sites.sites] == [NEW, NEW, OLD]


def test_second_signal_rolls_back(fleet: Make) -> None:
    sites = fleet(2)
    sites.migration("0002_note", SLOW.format(seconds=60))
    with sites.started("migrate_fleet", "lab", "--parallel=1", "--format=json") as process:
        until(lambda: sleeping(sites) == 1)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        stdout, _ = output(process)
    found = json.loads(stdout)
    assert found["stopped"] in ("It was stopped by SIGTERM.", "It was stopped by SIGINT.")
    assert list(statuses(found).values()) == ["failed", "skipped"]
    assert error_of(found, "branch-1")["code"] == "stopped"
    assert sites.applied("branch-1") == OLD
    assert sites.columns("branch-1") == ["id", "code"]
    assert sleeping(sites) == 0


STUBBORN = """
import time
def wait(apps, editor):
    try:
        editor.execute("SELECT pg_sleep(60)")
    except BaseException:
        time.sleep(60)
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [
        migrations.AddField("Thing", "note", models.TextField(default="")),
        migrations.RunPython(wait),
    ]
"""


def test_third_signal_ends_what_does_not_stop(fleet: Make) -> None:
    sites = fleet(3)
    sites.migration("0002_note", STUBBORN)
    with sites.started("migrate_fleet", "lab", "--parallel=2", "--format=json") as process:
        until(lambda: sleeping(sites) == 2)
        for word in ("no other site", "is rolled back"):
            process.send_signal(signal.SIGINT)
            assert word in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        stdout, stderr = output(process)
    assert time.monotonic() - started < GRACE_SECONDS
    assert (process.returncode, stderr.count("Traceback")) == (1, 0)
    found = json.loads(stdout)
    assert list(statuses(found).values()) == ["failed", "failed", "skipped"]
    assert error_of(found, "branch-2")["code"] == "stopped"
    assert sleeping(sites) == 0
    assert not processes_with(str(sites.file))
    assert [sites.applied(site) for site in sites.sites] == [OLD, OLD, OLD]


TALKS = """
        migrations.RunPython(lambda *_: print("x" * 300_000), migrations.RunPython.noop),
    ]
"""


def test_kill_of_the_command_leaves_nothing_half_done(fleet: Make) -> None:
    sites = fleet(3)
    sites.migration("0002_note", SLOW.format(seconds=1).rstrip().removesuffix("]") + TALKS)
    with sites.started("migrate_fleet", "lab", "--parallel=2") as process:
        until(lambda: sleeping(sites) == 2)
        process.kill()
        process.wait()
    until(lambda: not processes_with(str(sites.file)))
    found, status = sites.json("migrate_fleet", "lab")
    assert status == 0
    assert set(statuses(found).values()) <= {"migrated", "unchanged"}
    for site in sites.sites:
        assert sites.applied(site) == NEW
        assert sites.columns(site) == ["id", "code", "note"]


PREFIX = "SENTINEL_"
PRINTS = """
import os
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [
        migrations.RunPython(lambda *_: print("seen:", os.environ.get("SITE_PASSWORD")))
    ]
"""


def test_no_secret_in_any_output(fleet: Make) -> None:
    sites = fleet(3)
    sites.migration("0002_note", PRINTS)
    secret = f"{PREFIX}s3cr3t"
    wrong = {"password": secret, "user": "nobody_here"}
    script = sites.project.path / "password.sh"
    script.write_text(f"#!/bin/sh\necho {secret}\necho 'it has failed' >&2\nexit 3\n")
    script.chmod(0o700)
    first, _, second = sites.sites.values()
    sites.sites = {
        "right": f"{first} password=${{SITE_PASSWORD}}",
        "wrong": dsn(sites.server, sites.names[1], **wrong),
        "down": dsn(sites.server, "x", host="127.0.0.1", port=str(free_port()), password=secret),
        "url": f"postgres://u:{secret}@127.0.0.1:{free_port()}/x?options=-c%20x%3D1",
        "second": second,
    }
    texts = []
    for command in (
        ("migrate_fleet", "lab", "-v3", "--traceback"),
        ("migrate_fleet", "lab", "--format=json", "-v3"),
        ("migrate_fleet", "lab", "--rollback", "--noinput", "-v3"),
        ("migrate_fleet", "lab", "-v3", "--password-command", str(script)),
        ("show_fleet", "-v3", "--format=json"),
        ("show_fleet", "-v3", "--traceback"),
        ("verify_fleet", "-v3", "--traceback"),
    ):
        done = sites.manage(*command, SITE_PASSWORD=secret)
        texts.append(done.stdout + done.stderr)
    for text in texts:
        assert PREFIX not in text
    assert "seen: None" in texts[0]
    assert 'The password command of the site "right" has ended with exit status 3.' in texts[3]
    journal = "SELECT string_agg(j::text, '') FROM lab.django_migrations_lab_journal j"
    for name in sites.names:
        with sites.server.connect(name) as session:
            assert PREFIX not in str(session.execute(journal).fetchone())


SPIES = """
import os, pathlib
def read(*_):
    mine = pathlib.Path("/proc", str(os.getpid()))
    pathlib.Path("seen.txt").write_bytes(mine.joinpath("cmdline").read_bytes())
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.RunPython(read)]
"""


def test_password_of_a_command_is_in_no_command_line(fleet: Make) -> None:
    sites = fleet(1)
    sites.migration("0002_note", SPIES)
    command = """python -c 'import os; print("SENTINEL" + os.environ["DOMAIN_MIGRATIONS_SITE"])'"""
    done = sites.manage("migrate_fleet", "lab", "--password-command", command)
    assert done.returncode == 0, done.stderr
    seen = (sites.project.path / "seen.txt").read_bytes()
    assert b"SENTINELbranch" not in seen


LATE = """
import time
def wait(*_):
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise RuntimeError("the query was in progress")
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.RunPython(wait)]
"""


def test_error_that_a_stop_has_caused_is_not_that_of_the_site(fleet: Make) -> None:
    sites = fleet(1)
    sites.migration("0002_note", LATE)
    found, status = sites.json("migrate_fleet", "lab", "--site-timeout=2")
    assert (status, error_of(found, "branch-1")["code"]) == (75, "site_timeout")
    (domain,) = found["sites"][0]["domains"]
    assert "the query was in progress" in domain["error"]["message"]


def test_aliases_of_databases_are_sites(fleet: Make, tmp_path: Any) -> None:
    sites = fleet(3)
    engine = "domain_migrations.backends.postgresql"
    entries = {
        alias: {"ENGINE": engine, **sites.server.settings, "NAME": name}
        for alias, name in zip(("default", "site_a", "site_b"), sites.names, strict=True)
    }
    settings = sites.project.path / "settings.py"
    settings.write_text(settings.read_text() + f"DATABASES = {entries!r}\n")
    done = sites.project.manage("migrate_fleet", "lab", "--databases=site_*", "--format=json")
    assert done.returncode == 0, done.stderr
    assert statuses(json.loads(done.stdout)) == {"site_a": "migrated", "site_b": "migrated"}
    assert [sites.applied(site) for site in sites.sites] == [OLD, NEW, NEW]
    entries |= {
        "site_copy": entries["site_a"],
        "site_lite": {"ENGINE": "django.db.backends.sqlite3"},
    }
    settings.write_text(settings.read_text() + f"DATABASES = {entries!r}\n")
    refused = sites.project.manage("show_fleet", "lab", "--databases=site_*")
    assert (refused.returncode, refused.stderr.splitlines()) == (
        2,
        [
            'CommandError: The alias "site_copy" is the same database as "site_a".',
            'The alias "site_lite" is not a PostgreSQL database. Leave it out of --databases.',
        ],
    )


def test_domain_with_an_alias_of_its_own_is_at_the_site(fleet: Make) -> None:
    elsewhere = {"DATABASES": {"lab": "other"}}
    sites = fleet(2, DOMAIN_MIGRATIONS=elsewhere)
    settings = sites.project.path / "settings.py"
    text = 'DATABASES["other"] = {**DATABASES["default"], "NAME": "nowhere"}\n'
    settings.write_text(settings.read_text() + text)
    found, status = sites.json("migrate_fleet", "lab", "--site=branch-2")
    assert (status, statuses(found)) == (0, {"branch-2": "migrated"})
    assert [sites.applied(site) for site in sites.sites] == [OLD, NEW]


COUNTS = """
from django.db import connections
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.RunSQL(
        "CREATE TABLE lab.seen AS SELECT count(*) AS n FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'", "")]
"""


def test_site_has_one_connection(fleet: Make) -> None:
    sites = fleet(1)
    sites.migration("0002_note", COUNTS)
    assert sites.manage("migrate_fleet", "lab").returncode == 0
    assert sites.query("branch-1", "SELECT n FROM lab.seen") == [(1,)]


def test_processes_import_nothing_again(fleet: Make) -> None:
    sites = fleet(1)
    script = """
import django, json, sys
django.setup()
from pathlib import Path
from domain_migrations.api import migrate_fleet, read_sites
from domain_migrations.api.fleet import workers
real = workers._work_on_site
def spy(*arguments):
    before = set(sys.modules)
    real(*arguments)
    Path("imported.json").write_text(json.dumps(sorted(set(sys.modules) - before)))
workers._work_on_site = spy
result = migrate_fleet(["lab"], read_sites(Path("sites.txt")).sites)
assert result.counts == {"migrated": 1}, result
"""
    _ = sites.file
    sites.project.python("-c", script)
    imported = json.loads((sites.project.path / "imported.json").read_text())
    assert [name for name in imported if not name.startswith("encodings.")] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lab", "--parallel=0"), "--parallel takes a whole number from 1."),
        (("lab", "--canary=-1"), "--canary takes a number of sites, 0 or more."),
        (("lab", "--max-failures=0"), "--max-failures takes a number of sites, 1 or more."),
        (("lab", "--site-timeout=0"), "--site-timeout takes seconds, more than 0."),
        (
            ("lab", "--password-command=echo 'open"),
            "--password-command takes a command line, with its quotes closed.",
        ),
        (("lab", "--all"), "Name either one DOMAIN or --all."),
        (("lab", "--site=other"), 'There is no site "other". There are 1, such as branch-1.'),
    ],
)
def test_usage(fleet: Make, arguments: tuple[str, ...], sentence: str) -> None:
    done = fleet(1).manage("migrate_fleet", *arguments)
    assert (done.returncode, done.stderr.strip()) == (2, f"CommandError: {sentence}")


def test_unknown_domain(fleet: Make) -> None:
    done = fleet(1).manage("migrate_fleet", "lap")
    assert done.returncode == 2
    assert 'There is no domain "lap". Did you mean "lab"?' in done.stderr


def test_hooks_get_the_site(fleet: Make) -> None:
    command = ["sh", "-c", "echo $DOMAIN_MIGRATIONS_SITE >> hooked.txt"]
    sites = fleet(2, DOMAIN_MIGRATIONS={"HOOKS": {"lab": {"after": [command]}}})
    assert sites.manage("migrate_fleet", "lab", "--parallel=1").returncode == 0
    hooked = (sites.project.path / "hooked.txt").read_text()
    assert hooked.split() == ["branch-1", "branch-2"]


def test_terminal_shows_the_sites_that_run(fleet: Make) -> None:
    sites = fleet(2)
    sites.migration("0002_note", SLOW.format(seconds=1))
    with sites.connect("branch-2") as session:
        session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    arguments = ("migrate_fleet", "lab", f"--sites={sites.file}")
    environment = {"PYTHONPATH": str(ROOT)}
    text, status = run_on_terminal(
        *arguments, environment=environment, folder=sites.project.path, columns=200
    )
    assert status == 1
    assert "0 of 2 done: none yet" in text
    assert re.search(r"  branch-1 +\d s", text)
    assert "1 of 2 done: 1 failed" in text
    assert re.search(r"2/2  branch-1: \S*lab: 1 applied in", text)
