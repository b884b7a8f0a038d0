"""Runs in the process of the edited project: each command and each page after each edit."""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import django
import psycopg

FUNCTIONS = """
CREATE FUNCTION drop_keys(it regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE key name; BEGIN
    FOR key IN SELECT conname FROM pg_constraint WHERE conrelid = it AND contype IN ('p', 'u') LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', it, key);
    END LOOP;
END $$;
CREATE FUNCTION give_away(person text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE it regclass; BEGIN
    FOR it IN SELECT oid FROM pg_class WHERE relkind = 'r'
        AND relnamespace IN ('public'::regnamespace, 'lab'::regnamespace, 'ward'::regnamespace)
    LOOP EXECUTE format('ALTER TABLE %s OWNER TO %I', it, person); END LOOP;
    EXECUTE format('ALTER SCHEMA lab OWNER TO %I', person);
    EXECUTE format('ALTER SCHEMA ward OWNER TO %I', person);
END $$;
"""
DROPPED = "DROP FUNCTION drop_keys, give_away"

READS = (
    "show_domains",
    "show_domains lab -v 2",
    "show_domains --format json",
    "showmigrations",
    "showmigrations lab -v 2",
    "showmigrations --plan -v 2",
    "migrate_domain lab --plan",
    "migrate_domain lab --check",
    "migrate_domain lab --dry-run",
    "migrate_domain lab --rehearse",
    "migrate_domain lab --rollback --plan",
    "migrate_domain lab zero --plan",
    "migrate_domain lab 0001 --plan --format json",
    "migrate_domain core --plan",
    "migrate_domain --all --check --format json",
    "migrate --plan",
    "migrate --check",
    "verify_domain",
    "verify_domain lab --format json",
    "verify_domain --only history,checksum",
    "lint_domain",
    "map_domains --format json",
    "grant_domain --print",
    "distribute_domain lab --check",
    "distribute_domain lab --dry-run",
    "extract_domain lab plan --to other",
    "extract_domain lab status --to other",
    "adopt_domain base",
    "inspect_domain lab --dry-run --no-proof",
    "transfer_model lab.Thing ward --dry-run",
    "transfer_model lab.Thing core --dry-run",
    "sqlmigrate lab 0003",
    "makemigrations --check --dry-run",
    "seed_domain lab --plan",
    "check --database default",
    "changed_domains --since HEAD",
    "snapshot_domain lab --check",
)
WRITES = (
    "migrate_domain lab --noinput",
    "migrate_domain --all --noinput",
    "migrate_domain --all --jobs 2 --noinput --format json",
    "migrate --noinput",
    "migrate lab --noinput",
    "migrate lab --prune",
    "migrate_domain core --noinput",
    "migrate_domain lab --fake --noinput",
    "migrate_domain lab --fake-initial --noinput",
    "migrate_domain lab --rollback --noinput",
    "migrate_domain lab 0001 --noinput",
    "migrate_domain lab zero --noinput",
    "migrate base zero --noinput",
    "repair_domain lab --resume --noinput",
    "repair_domain lab --mark-applied 0003 --noinput",
    "repair_domain lab --mark-unapplied 0002 --noinput",
    "repair_domain lab --accept-checksum 0001 --noinput",
    "repair_domain lab --prune --noinput",
    "migrate --noinput -v 0 && seed_domain lab",
    "migrate --noinput -v 0 && seed_domain lab --force",
    "distribute_domain lab",
    "extract_domain lab start --to other",
    "flush --noinput",
)
ADMIN = "/admin/domain_migrations/domain/"
PAGES = (
    ADMIN,
    f"{ADMIN}?state=pending",
    f"{ADMIN}map/",
    f"{ADMIN}journal/",
    f"{ADMIN}journal/?status=done&person=x",
    f"{ADMIN}journal/RUN/",
    f"{ADMIN}domain/core/",
    f"{ADMIN}domain/lab/",
    f"{ADMIN}domain/ward/",
    f"{ADMIN}domain/lab/lab/0001_initial/",
    f"{ADMIN}domain/lab/lab/0002_step/",
    f"{ADMIN}domain/lab/lab/0003_pending/",
    "/ready/",
    "/ready/?domain=ward",
)
ALL = (*READS, *PAGES, *WRITES)


class Attempts:
    """Edited databases, each a copy of the template, and what was done with them."""

    def __init__(self, template: str, role: str) -> None:
        from django.db import connections

        self.connections = connections
        self.template, self.role = template, role
        self.name = f"{template}_edited"
        self.owner = connections["default"].settings_dict["USER"]

    def connect(self, name: str) -> psycopg.Connection[Any]:
        values = self.connections["default"].settings_dict
        return psycopg.connect(
            host=values["HOST"],
            port=values["PORT"] or None,
            user=self.owner,
            dbname=name,
            autocommit=True,
        )

    def prepare(self, sql: str, *, as_role: bool) -> None:
        self.connections.close_all()
        with self.connect("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            session.execute(f"CREATE DATABASE {self.name} TEMPLATE {self.template}")
        with self.connect(self.name) as session:
            session.execute(f"{FUNCTIONS};{sql};{DROPPED}".encode())
        values = self.connections["default"].settings_dict
        values["NAME"], values["USER"] = self.name, self.role if as_role else self.owner
        self.connections["default"] = self.connections.create_connection("default")

    def drop(self) -> None:
        self.connections.close_all()
        with self.connect("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def state(self) -> tuple[Any, Any]:
        tallies, recorded = {}, {}
        with self.connect(self.name) as session:
            for app, table, history in (
                ("base", "base_tallies", "django_migrations"),
                ("lab", "lab.tallies", "lab.django_migrations_lab"),
                ("ward", "ward.tallies", "ward.django_migrations_ward"),
            ):
                try:
                    rows = session.execute(
                        f"SELECT step, count(*) FROM {table} GROUP BY step"
                    ).fetchall()
                    tallies[app] = dict(rows)
                except psycopg.Error:
                    tallies[app] = {}
                try:
                    rows = session.execute(
                        f"SELECT name::text FROM {history} WHERE app::text = '{app}'"
                    ).fetchall()
                    recorded[app] = [name for (name,) in rows]
                except psycopg.Error:
                    recorded[app] = None
        return tallies, recorded


def run_command(arguments: Sequence[str]) -> tuple[int, str, str]:
    from django.core.management import ManagementUtility

    out, err = io.StringIO(), io.StringIO()
    status, trace = 0, ""
    for command in " ".join(arguments).split(" && "):
        with redirect_stdout(out), redirect_stderr(err):
            try:
                ManagementUtility(["manage.py", *command.split()]).execute()
            except SystemExit as exc:
                status = exc.code if isinstance(exc.code, int) else 1
            except BaseException:
                status, trace = 1, traceback.format_exc()
    return status, out.getvalue() + err.getvalue(), trace


def open_page(address: str) -> tuple[int, str, str]:
    from django.contrib.auth.models import User
    from django.http import Http404
    from django.test import RequestFactory
    from django.urls import resolve

    if "RUN" in address:
        address = address.replace("RUN", "c0ffee00-0000-4000-8000-000000000000")
    request = RequestFactory(SERVER_NAME="testserver").get(address)
    request.user = User(pk=1, username="u", is_staff=True, is_superuser=True, is_active=True)
    request.session = {}
    try:
        match = resolve(address.partition("?")[0])
        response = match.func(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response.render()
    except Http404 as exc:
        return 404, str(exc), ""
    except BaseException:
        return 500, "", traceback.format_exc()
    return response.status_code, response.content.decode(), ""


def outcomes(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    attempts = Attempts(order["template"], order["role"])
    wanted = order["actions"] or ALL
    for name, sql, as_role in order["edits"]:
        try:
            attempts.prepare(sql, as_role=as_role)
        except psycopg.Error as exc:
            yield {
                "edit": name,
                "action": "the edit itself",
                "status": 0,
                "text": "",
                "traceback": f"EDIT {exc}",
                "tallies": None,
                "recorded": None,
            }
            continue
        is_clean = True
        for action in wanted:
            if action in WRITES and not is_clean:
                attempts.prepare(sql, as_role=as_role)
            if action.startswith("/"):
                found = open_page(action)
                after = (None, None)
            else:
                found = run_command(action.split())
                after = attempts.state() if action in WRITES else (None, None)
                is_clean = is_clean and action not in WRITES
            yield {
                "edit": name,
                "action": action,
                "status": found[0],
                "text": found[1],
                "traceback": found[2],
                "tallies": after[0],
                "recorded": after[1],
            }
    attempts.drop()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    django.setup()
    print(json.dumps(list(outcomes(json.loads(Path(sys.argv[1]).read_text())))))
