"""Runs during live traffic, in parallel with other runs, and through poolers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from domain_migrations.domains import Domain
from tests.support.commands import ROOT, process_environment
from tests.support.pgbouncer import pgbouncer
from tests.support.projects import Project, domain_app
from tests.support.sessions import advisory_locks, execute, running, until

LOCK_TIMEOUT = 1.0

SHOP = domain_app(
    "shop",
    models="""
        class Order(models.Model):
            note = models.TextField(default="")
            class Meta:
                db_table = '"shop"."orders"'
                indexes = [models.Index(fields=["note"], name="orders_note")]
    """,
    migrations={
        "0001_initial": """
            class Migration(migrations.Migration):
                initial = True
                operations = [
                    migrations.CreateModel(
                        "Order",
                        [("id", models.BigAutoField(primary_key=True))],
                        options={"db_table": '"shop"."orders"'},
                    )
                ]
        """,
        "0002_note": """
            class Migration(migrations.Migration):
                dependencies = [("shop", "0001_initial")]
                operations = [
                    migrations.AddField("order", "note", models.TextField(default=""))
                ]
        """,
        "0003_index": """
            from django.contrib.postgres.operations import AddIndexConcurrently
            class Migration(migrations.Migration):
                atomic = False
                dependencies = [("shop", "0002_note")]
                operations = [
                    AddIndexConcurrently(
                        "order", models.Index(fields=["note"], name="orders_note")
                    )
                ]
        """,
    },
)


@pytest.fixture
def shop(project: Callable[..., Project]) -> Project:
    """A project whose domain shop has its first migration; public.orders is a decoy."""
    made = project({"shop": SHOP})
    done = made.manage("migrate_domain", "shop", "0001", "--with-dependencies")
    assert done.returncode == 0, done.stdout + done.stderr
    execute("CREATE TABLE public.orders (id bigint)")
    return made


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, while the body runs; waited for in the end."""
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=project.path,
        env=process_environment(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def output_of(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=60)[0]


def columns(schema: str) -> list[str]:
    rows = execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY 1",
        [f"{schema}.orders"],
    )
    return [name for (name,) in rows]


def applied() -> list[str]:
    rows = execute("SELECT name FROM shop.django_migrations_shop ORDER BY id")
    return [name for (name,) in rows]


def waits_for_lock() -> bool:
    return bool(
        execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND application_name = 'migrate_domain shop'"
        )
    )


def test_queries_wait_no_longer_than_lock_timeout(shop: Project, postgres_server: Any) -> None:
    waits: list[float] = []
    ended = threading.Event()

    def query() -> None:
        with postgres_server.connect(shop.database) as session:
            while not ended.is_set():
                begun = time.monotonic()
                session.execute("SELECT count(*) FROM shop.orders")
                waits.append(time.monotonic() - begun)
                ended.wait(0.01)

    querying = threading.Thread(target=query)
    with (
        postgres_server.connect(shop.database, autocommit=False) as holder,
        started(shop, "migrate_domain", "shop", "0002", f"--lock-timeout={LOCK_TIMEOUT}") as run,
    ):
        holder.execute("SELECT * FROM shop.orders")
        querying.start()
        until(waits_for_lock)
        until(lambda: not waits_for_lock())
        until(waits_for_lock)
        holder.rollback()
        output = output_of(run)
        ended.set()
        querying.join()
    assert run.returncode == 0, output
    assert applied() == ["0001_initial", "0002_note"]
    assert columns("shop") == ["id", "note"]
    assert columns("public") == ["id"]
    # The queries queued up behind the migration; the excess is the time to cancel it.
    assert LOCK_TIMEOUT / 2 < max(waits) < LOCK_TIMEOUT + 0.5
    assert "shop.0002_note was rolled back: lock timeout, blocked by pid " in output
    assert "last ran: SELECT * FROM shop.orders. Retrying in " in output


def test_concurrent_index_waits_for_older_transactions_while_another_run_waits_for_it(
    shop: Project, postgres_server: Any
) -> None:
    assert shop.manage("migrate_domain", "shop", "0002").returncode == 0
    with (
        postgres_server.connect(shop.database, autocommit=False) as holder,
        started(shop, "migrate_domain", "shop", "--lock-timeout=0.2") as run,
    ):
        holder.execute("INSERT INTO shop.orders (note) VALUES ('')")
        until(waits_for_lock)
        with started(shop, "migrate_domain", "shop", "--lock-wait=60") as other:
            assert other.stdout
            assert 'Waiting for the lock of "shop": pid ' in other.stdout.readline() + (
                other.stdout.readline()
            )
            time.sleep(0.5)
            holder.rollback()
            output, other_output = output_of(run), output_of(other)
    assert (run.returncode, other.returncode) == (0, 0), output + other_output
    assert applied() == ["0001_initial", "0002_note", "0003_index"]
    assert execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'shop.orders_note'::regclass"
    ) == [(True,)]


def test_lock_wait__out_of_time(shop: Project) -> None:
    with running(Domain("shop", "shop", ("shop",))) as (other,):
        done = shop.manage("migrate_domain", "shop", "--lock-wait=0.5", "--format=json")
    assert done.returncode == 75
    result = json.loads(done.stdout)["domains"][0]
    assert result["status"] == "busy"
    assert result["error"]["code"] == "lock_busy"
    assert f"pid {other.pid} (user " in result["error"]["message"]
    assert applied() == ["0001_initial"]
    assert advisory_locks() == 0


@pytest.mark.parametrize(("mode", "status"), [("session", 0), ("transaction", 1)])
def test_through_pgbouncer(
    project: Callable[..., Project],
    postgres_server: Any,
    scratch_database: str,
    mode: str,
    status: int,
) -> None:
    with pgbouncer(postgres_server, mode=mode) as pooler:
        engine = "domain_migrations.backends.postgresql"
        pooled = {"ENGINE": engine, "NAME": scratch_database, **pooler.settings}
        direct = {"ENGINE": engine, "NAME": scratch_database, **postgres_server.settings}
        made = project(
            {"shop": SHOP}, settings={"DATABASES": {"default": pooled, "direct": direct}}
        )
        done = made.manage("migrate_domain", "--all", "--format=json")
        first = json.loads(done.stdout)["domains"][0]
        assert done.returncode == status, done.stdout + done.stderr
        if mode == "transaction":
            assert first["error"]["code"] == "pooled_connection"
            assert "--database direct" in first["error"]["hint"]
            assert execute("SELECT to_regnamespace('shop')") == [(None,)]
            done = made.manage("migrate_domain", "--all", "--database=direct")
            assert done.returncode == 0, done.stdout + done.stderr
    assert applied() == ["0001_initial", "0002_note", "0003_index"]
