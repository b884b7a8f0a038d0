"""A hundred sites, some of them broken, and commands that are killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.fleet.test_migrate_fleet import NEW, error_of, statuses
from tests.support.fleet import Fleet, dsn, free_port, password_role

pytestmark = pytest.mark.slow_stress

SEED = 15
KILLS = {"short": 6, "full": 20}
TIMES_DONE = """
SELECT count(*) FROM lab.django_migrations_lab_journal
WHERE name = '0002_note' AND status = 'done'
"""
STATE = """
SELECT EXISTS (SELECT FROM lab.django_migrations_lab WHERE name = '0002_note'),
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'lab.things'::regclass AND attname = 'note')
"""
"""Whether the migration is recorded, and whether it is done: at one moment."""


def test_three_broken_sites_of_a_hundred(fleet: Callable[..., Fleet]) -> None:
    sites = fleet(100)
    role = f"fleet_{os.getpid()}"
    whole = dict(sites.sites)
    address = {"host": "127.0.0.1", "port": str(free_port())}
    sites.sites["branch-013"] = dsn(sites.server, sites.names[12], **address)
    wrong = {"user": role, "password": "SENTINEL"}
    sites.sites["branch-055"] = dsn(sites.server, sites.names[54], **wrong)
    with sites.connect("branch-077") as session:
        session.execute("ALTER TABLE lab.things ADD COLUMN note integer")
    with password_role(sites.server, role, "right"):
        verified, status = sites.json("verify_fleet", "lab")
        assert status == 1
        (drifted,) = [site for site in verified["sites"] if site["status"] == "differs"]
        assert drifted["site"] == "branch-077"
        assert drifted["domains"][0]["differences"] == ["column lab.things.note: added"]
        found, status = sites.json("migrate_fleet", "lab", "--canary=3")
        text = sites.manage("show_fleet", "lab")
    assert status == 1
    assert Counter(statuses(found).values()) == {"migrated": 97, "failed": 2, "refused": 1}
    assert {site: error_of(found, site)["code"] for site in ("branch-013", "branch-055")} == {
        "branch-013": "connection",
        "branch-055": "invalid_configuration",
    }
    assert error_of(found, "branch-077")["sqlstate"] == "42701"
    assert "SENTINEL" not in f"{verified}{found}{text.stdout}{text.stderr}"
    assert text.stdout.startswith("97 sites: branch-001, ")
    assert "1 site: branch-077\n  lab: 0001_initial (1 applied, 1 pending)\n" in text.stdout
    sites.sites = whole
    with sites.connect("branch-077") as session:
        session.execute("ALTER TABLE lab.things DROP COLUMN note")
    again, status = sites.json("migrate_fleet", "lab", "--only-pending")
    assert status == 0
    assert Counter(statuses(again).values()) == {"unchanged": 97, "migrated": 3}


def test_kill_at_random_moments_and_resume(fleet: Callable[..., Fleet], stress_size: str) -> None:
    sites = fleet(40)
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    for number in range(KILLS[stress_size]):
        with sites.started("migrate_fleet", "lab", "--parallel=4", "--lock-wait=30") as process:
            time.sleep(chance.uniform(0.3, 3.0))
            children = list(_children(process.pid))
            if number % 2 and children:
                os.kill(chance.choice(children), signal.SIGKILL)
                time.sleep(0.2)
            process.kill()
        for site in sites.sites:
            ((recorded, done),) = sites.query(site, STATE)
            assert recorded == done
    found, status = sites.json("migrate_fleet", "lab")
    assert status == 0
    assert set(statuses(found).values()) <= {"migrated", "unchanged"}
    for site in sites.sites:
        assert sites.applied(site) == NEW
        assert sites.query(site, TIMES_DONE) == [(1,)]


def _children(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            yield int(path.parent.name)
