"""`show_fleet` and `verify_fleet`: which site is where, and which one differs."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.fleet import Fleet, dsn, free_port, processes_with, silent_server
from tests.support.sessions import until

Make = Callable[..., Fleet]


def sql(sites: Fleet, site: str, *statements: str) -> None:
    with sites.connect(site) as session:
        for statement in statements:
            session.execute(statement)


def lab_of(found: dict[str, Any], site: str) -> dict[str, Any]:
    (domains,) = [each["domains"] for each in found["sites"] if each["site"] == site]
    (lab,) = [domain for domain in domains if domain["domain"] == "lab"]
    return lab


def add_unreachable(sites: Fleet) -> None:
    address = {"host": "127.0.0.1", "port": str(free_port())}
    sites.sites["down"] = dsn(sites.server, "postgres", **address)


def test_sites_at_the_same_migrations_share_a_line(fleet: Make) -> None:
    sites = fleet(4)
    sites.manage("migrate_fleet", "lab", "--site=branch-2")
    newer = (
        "INSERT INTO lab.django_migrations_lab (app, name, applied) VALUES ('lab', '0009', now())"
    )
    sql(sites, "branch-4", newer)
    done = sites.manage("show_fleet", "lab")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "2 sites: branch-1, branch-3",
        "  lab: 0001_initial (1 applied, 1 pending)",
        "    [ ] lab.0002_note",
        "1 site: branch-2",
        "  lab: 0002_note (2 applied)",
        "1 site: branch-4",
        "  lab: 0009 (2 applied, 1 pending, 1 unknown)",
        "    [ ] lab.0002_note",
        "    [?] lab.0009 (applied, not on disk)",
    ]


def test_overview_as_json_has_the_objects_of_show_domains(fleet: Make) -> None:
    sites = fleet(1)
    add_unreachable(sites)
    found, status = sites.json("show_fleet")
    assert status == 75
    assert [site["status"] for site in found["sites"]] == ["pending", "failed"]
    assert list(found["sites"][0]) == ["site", "status", "domains", "error", "seconds"]
    assert [domain["domain"] for domain in found["sites"][0]["domains"]] == ["core", "lab"]
    assert [row["name"] for row in lab_of(found, "branch-1")["applied"]] == ["0001_initial"]
    assert lab_of(found, "branch-1")["pending"] == [{"app": "lab", "name": "0002_note"}]
    assert found["sites"][1]["error"]["code"] == "connection"


def test_show_creates_nothing(fleet: Make) -> None:
    sites = fleet(1)
    sites.manage("show_fleet")
    sites.manage("verify_fleet")
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert sites.query("branch-1", tables) == [("things",)]


@pytest.mark.parametrize("command", ["show_fleet", "verify_fleet"])
def test_site_that_takes_too_long_was_not_stopped_by_somebody(fleet: Make, command: str) -> None:
    sites = fleet(1)
    arguments = "--site-timeout=1", "--password-command=sleep 60"
    found, status = sites.json(command, "lab", *arguments)
    assert (status, found["sites"][0]["error"]["code"]) == (75, "site_timeout")


@pytest.mark.parametrize(
    ("command", "status"), [("show_fleet", "skipped"), ("verify_fleet", "not compared")]
)
def test_stopped_command_says_so_at_the_third_signal(
    fleet: Make, command: str, status: str
) -> None:
    sites = fleet(2)
    sites.project.write("password.sh", "trap '' TERM\ntouch started\nsleep 60\n")
    stubborn = "--password-command=sh password.sh"
    with sites.started(command, "lab", "--parallel=1", "--format=json", stubborn) as process:
        until((sites.project.path / "started").exists)
        for word in ("no other site", "is rolled back"):
            process.send_signal(signal.SIGINT)
            assert word in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr.count("Traceback")) == (1, 0)
    found = json.loads(stdout)
    assert list(found) == ["format", "sites", "stopped"]
    assert found["stopped"] == "It was stopped by SIGINT."
    assert [site["status"] for site in found["sites"]] == ["failed", status]
    assert found["sites"][0]["error"]["code"] == "stopped"
    assert not processes_with(str(sites.file))


def test_equal_sites(fleet: Make) -> None:
    sites = fleet(3)
    done = sites.manage("verify_fleet")
    assert (done.returncode, done.stdout) == (0, "3 sites equal, 0 different\n")


def test_difference_is_named_as_an_object(fleet: Make) -> None:
    sites = fleet(3)
    drift = "ALTER TABLE lab.things ALTER code TYPE text, ADD COLUMN extra int"
    sql(sites, "branch-1", drift)
    sql(sites, "branch-3", "ALTER TABLE public.things ADD COLUMN extra int")  # a decoy
    found, status = sites.json("verify_fleet", "lab")
    assert status == 1
    assert [site["status"] for site in found["sites"]] == ["differs", "equal", "equal"]
    lab = lab_of(found, "branch-1")
    assert (lab["reference"], lab["tie"], lab["applied"]) == ("branch-2", False, 1)
    assert lab["differences"] == [
        "column lab.things.code differs: character varying(20) / text",
        "column lab.things.extra: added",
    ]
    assert lab_of(found, "branch-2")["differences"] == []


def test_equal_differences_are_printed_once(fleet: Make) -> None:
    sites = fleet(5)
    for site in ("branch-2", "branch-3"):
        sql(sites, site, "ALTER TABLE lab.things ADD COLUMN extra int")
    done = sites.manage("verify_fleet", "lab")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "branch-2, branch-3 differ from branch-1 in lab:",
        "  column lab.things.extra: added",
        "3 sites equal, 2 different",
    ]
    assert done.stderr.strip() == "CommandError: Different: branch-2, branch-3."


def test_only_sites_with_the_same_migrations_are_compared(fleet: Make) -> None:
    sites = fleet(3)
    sites.manage("migrate_fleet", "lab", "--site=branch-3")
    done = sites.manage("verify_fleet", "lab")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == [
        'branch-3: no other site has the same migrations of "lab" applied.',
        "2 sites equal, 0 different, 1 not compared (branch-3)",
    ]
    found, status = sites.json("verify_fleet")
    assert (status, found["stopped"]) == (0, None)
    assert [site["status"] for site in found["sites"]] == ["equal", "equal", "not compared"]


def test_interrupted_verification_calls_no_site_equal_that_was_not_compared(fleet: Make) -> None:
    sites = fleet(4)
    sql(sites, "branch-2", "ALTER TABLE lab.things ADD COLUMN extra int")
    with silent_server() as port:
        silent = {"host": "127.0.0.1", "port": str(port), "connect_timeout": "3"}
        last = sites.sites.pop("branch-4")
        sites.sites |= {"silent": dsn(sites.server, "postgres", **silent), "branch-4": last}
        command = "verify_fleet", "lab", "-v2", "--parallel=1"
        with sites.started(*command) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=60)
    assert [line.split()[-1] for line in lines] == ["read"] * 3
    assert output.splitlines()[1:] == [
        "2 sites equal, 0 different, 2 not compared (branch-2, branch-4)"
    ]
    assert "It was stopped by SIGTERM." in errors
    assert process.returncode == 1  # of the signal, which beats 75


def test_tie_is_said_and_a_reference_settles_it(fleet: Make) -> None:
    sites = fleet(2)
    sql(sites, "branch-1", "ALTER TABLE lab.things ADD COLUMN extra int")
    done = sites.manage("verify_fleet", "lab")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "branch-2 differs from branch-1 in lab, a tie: as many sites are like either:",
        "  column lab.things.extra: missing",
    ]
    settled = sites.manage("verify_fleet", "lab", "--reference=branch-2")
    assert settled.stdout.splitlines()[:2] == [
        "branch-1 differs from branch-2 in lab:",
        "  column lab.things.extra: added",
    ]


def test_unreachable_site_is_75_beside_equal_ones_and_1_beside_different_ones(fleet: Make) -> None:
    sites = fleet(3)
    add_unreachable(sites)
    found, status = sites.json("verify_fleet", "lab")
    assert (status, found["sites"][-1]["status"]) == (75, "failed")
    sql(sites, "branch-2", "DROP TABLE lab.things")
    assert sites.json("verify_fleet", "lab")[1] == 1


@pytest.mark.parametrize(
    ("reference", "status", "words"),
    [
        ("nobody", 2, 'There is no site "nobody" to compare with.'),
        ("down", 75, 'The site "down", which the others are to be compared with, cannot be read'),
    ],
)
def test_reference_that_cannot_be_read(
    fleet: Make, reference: str, status: int, words: str
) -> None:
    sites = fleet(1)
    add_unreachable(sites)
    done = sites.manage("verify_fleet", "lab", f"--reference={reference}")
    assert done.returncode == status
    assert words in done.stderr
