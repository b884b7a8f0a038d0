"""The throw-away project in which the kinds of migration are tried, on both sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg import sql

from tests.citus.trial_runs import base_sources
from tests.support.cluster import CitusServers
from tests.support.commands import ROOT, process_environment
from tests.support.projects import domain_app, plain_app, write_project

PEOPLE = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Person", fields=[
            ("id", models.BigAutoField(primary_key=True)), ("name", models.TextField(default="")),
        ], options={"db_table": '"public"."people"'}),
        migrations.RunSQL("INSERT INTO public.people (name) VALUES ('P')", ""),
    ]
"""
STOCK = """
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Item", fields=[
            ("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField(default=0)),
        ], options={"db_table": '"stock"."items"'}),
        migrations.RunSQL([
            "INSERT INTO stock.items (n) VALUES (1)",
            "CREATE SEQUENCE stock.numbers",
            "CREATE TYPE stock.mood AS ENUM ('a')",
            "CREATE FUNCTION stock.touch() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN new; END'",
        ], ""),
    ]
"""
Results = list[dict[str, Any]]


def run_both(
    cluster: CitusServers, folder: Path, titles: Sequence[str] = ()
) -> tuple[Results, Results]:
    """Try the kinds on a database without Citus and on the cluster; all of them unless named."""
    distributed, plain = (f"trials_{kind}_{os.getpid()}" for kind in ("distributed", "plain"))
    cluster.create(distributed)
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template1").format(sql.Identifier(plain))
    with cluster.coordinator.connect() as session:
        session.execute(create)
    try:
        processes = [_start(cluster, folder / name, name, titles) for name in (plain, distributed)]
        for process in processes:
            output, _ = process.communicate()
            if process.returncode:
                raise RuntimeError(output)
    finally:
        cluster.drop(distributed)
        cluster.drop(plain)
    first, second = (folder / name / "results.json" for name in (plain, distributed))
    return json.loads(first.read_text()), json.loads(second.read_text())


def _start(
    cluster: CitusServers, path: Path, database: str, titles: Sequence[str]
) -> subprocess.Popen[str]:
    apps = {
        "registry": plain_app(migrations={"0001_initial": PEOPLE}),
        "stock": domain_app("stock", migrations={"0001_initial": STOCK}),
        "lab": domain_app("lab", migrations=base_sources()),
    }
    write_project(path, apps, database=cluster.settings(database))
    environment = process_environment({"PYTHONPATH": str(ROOT)})
    return subprocess.Popen(
        [sys.executable, "-m", "tests.citus.trial_runs", "results.json", *titles],
        cwd=path,
        env=environment | {"DJANGO_SETTINGS_MODULE": "settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
