"""Run in a throw-away project: every kind of migration on one database, as `python -m`.

python -m tests.citus.trial_runs RESULTS.json [TITLE …]
"""

from __future__ import annotations

import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from tests.citus.kinds import BASE, HEADER, KINDS, ROWS, Kind
from tests.citus.violations import VIOLATIONS

TABLES = ("wards", "tags", "things", "thing_tags")
# What is left in the coordinator's shells is not there for queries, but it is for constraints.
TRUNCATE = """
SELECT truncate_local_data_after_distributing_table(logicalrelid) FROM pg_dist_partition
"""
OWN_TABLES = re.compile(r"django_(?:migrations|seeds)_|pg_catalog|information_schema")
CHANGES = re.compile(r"(?:ALTER|CREATE|DROP|COMMENT|SET LOCAL citus|SELECT create_)", re.IGNORECASE)


LAST = {"lab": "0002_rows", "registry": "0001_initial"}
"""The migration of each app that all kinds come after."""


def source(kind: Kind) -> str:
    """The source of a kind's migration."""
    says = f"    {kind.says}\n" if kind.says else ""
    return (
        f"{HEADER}\n{kind.code}\nclass Migration(migrations.Migration):\n{says}"
        f"    dependencies = [('{kind.app}', '{LAST[kind.app]}')]\n"
        f"    operations = [{kind.operations}]\n"
    )


def base_sources() -> dict[str, str]:
    head = f"{HEADER}\nclass Migration(migrations.Migration):"
    return {
        "0001_initial": head + '\n    dependencies = [("registry", "0001_initial")]' + BASE,
        "0002_rows": head + ROWS,
    }


@contextmanager
def statements_kept(kept: list[str]) -> Iterator[None]:
    """Keep the changes of tables as they are sent, in the form that the run gives them."""
    original = CursorWrapper._execute

    def execute(cursor: Any, statement: Any, *rest: Any) -> Any:
        text = str(statement)
        if CHANGES.match(text.strip()) and not OWN_TABLES.search(text):
            kept.append(" ".join(text.split()))
        return original(cursor, statement, *rest)

    CursorWrapper._execute = execute  # type: ignore[method-assign]
    try:
        yield
    finally:
        CursorWrapper._execute = original  # type: ignore[method-assign]


class Trials:
    """The runs on the project's database, whose domains `is_distributed` says are on Citus."""

    def __init__(self) -> None:
        from django.db import connection

        self.connection = connection
        self.is_cluster = bool(self.query("SELECT 1 FROM pg_extension WHERE extname = 'citus'"))
        self.number = 0
        self.sent: list[str] = []

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows

    def migrate(self, *arguments: str) -> dict[str, Any]:
        """What the run says of the domain, or the text that it printed instead."""
        from django.core.management import call_command

        out, err = io.StringIO(), io.StringIO()
        given = ["migrate_domain", *arguments, "--format", "json", "--noinput"]
        self.sent = []
        try:
            with redirect_stdout(out), redirect_stderr(err), statements_kept(self.sent):
                call_command(*given, stdout=out, stderr=err)
        except (Exception, SystemExit) as exc:  # The object that is printed says what happened.
            text = str(exc)
        else:
            text = ""
        try:
            (domain,) = json.loads(out.getvalue())["domains"]
        except ValueError:
            return {"status": "failed", "error": {"code": "none", "message": text}}
        found: dict[str, Any] = domain
        return found

    def prepare(self) -> None:
        """Make the domains, on a cluster distributed, as all kinds find them."""
        for schema in ("lab", "stock"):
            self.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        if self.query("SELECT to_regclass('public.people')") != [(None,)]:
            self.query("DROP TABLE public.people CASCADE")
            self.query("DELETE FROM public.django_migrations WHERE app = 'registry'")
        for domain in ("core", "stock", "lab"):
            done = self.migrate(domain)
            if done["error"]:
                raise RuntimeError(f"{domain}: {done['error']}")
        if self.is_cluster:
            # Or Citus makes the tables that refer to it its own, and resets their identities.
            self.query("SET citus.enable_local_reference_table_foreign_keys = off")
            if not self.query("SELECT 1 FROM pg_dist_partition WHERE partmethod = 'n'"):
                self.query("SELECT create_reference_table('public.people')")
            for domain in ("lab", "stock"):
                self.query(f"SELECT citus_schema_distribute('{domain}')")
            self.query(TRUNCATE)
        self.base = self.state()

    def versions(self) -> dict[str, str]:
        import django

        [(server,)] = self.query("SHOW server_version")
        citus = self.query("SELECT citus_version()")[0][0].split()[1] if self.is_cluster else ""
        return {"django": django.get_version(), "server": server.split()[0], "citus": citus}

    def state(self) -> dict[str, str]:
        from domain_migrations.engine.catalog.fingerprint import fingerprint

        return {
            schema: fingerprint(self.connection, schema) for schema in ("lab", "stock", "public")
        }

    def rows(self) -> list[Any]:
        names = (*(f"lab.{table}" for table in TABLES), "stock.items", "public.people")
        return [self.query(f"SELECT count(*), max(x::text) FROM {name} x") for name in names]

    def unusable(self) -> str:
        """The message of the first table of the lab that cannot be read; empty if all can."""
        from django.db import DatabaseError

        names = self.query(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p')"
            " AND relnamespace = 'lab'::regnamespace"
        )
        for (name,) in names:
            try:
                self.query(f"SELECT * FROM {name} LIMIT 1")
            except DatabaseError as exc:
                return f"{name}: {exc}"
        return ""

    @contextmanager
    def written(self, kind: Kind) -> Iterator[str]:
        self.number += 1
        name = f"0003_trial{self.number}"
        path = Path(kind.app, "migrations", f"{name}.py")
        path.write_text(source(kind))
        importlib.invalidate_caches()
        try:
            yield name
        finally:
            path.unlink()
            importlib.invalidate_caches()

    def trial(self, kind: Kind) -> dict[str, Any]:
        before = self.rows()
        with self.written(kind) as name:
            domain = "lab" if kind.app == "lab" else "core"
            rules = [] if self.is_cluster else self.lint(domain, f"{kind.app}.{name}")
            forwards = self.migrate(domain)
            found: dict[str, Any] = {
                "group": kind.group,
                "title": kind.title,
                "rules": rules,
                "error": error_of(forwards),
                "sent": self.sent,
                "state": self.state(),
                "unusable": self.unusable(),
            }
            found["unchanged"] = bool(found["error"]) and (
                found["state"] == self.base and self.rows() == before
            )
            back: dict[str, Any] = {"error": None}
            if not found["error"]:
                back = self.migrate(domain, f"{kind.app}.{LAST[kind.app]}")
            found["back_error"] = error_of(back)
            found["back_sent"] = self.sent
            found["back"] = self.state()
            found["restored"] = found["back"] == self.base
        if not found["restored"] or self.rows() != before or self.migrate("lab")["error"]:
            self.prepare()
        return found

    def lint(self, domain: str, name: str) -> list[str]:
        from domain_migrations.api import lint_domain

        findings = lint_domain(domain, [name], engine="citus").findings
        errors = [one for one in findings if one.level == "error"]
        return sorted({one.rule for one in errors if one.rule.startswith("citus")})


def error_of(done: dict[str, Any]) -> dict[str, str] | None:
    error = done["error"]
    return {key: error[key] or "" for key in ("code", "message", "hint")} if error else None


def main() -> None:
    import django

    django.setup()
    target, *titles = sys.argv[1:]
    trials = Trials()
    trials.prepare()
    versions = trials.versions()
    results = []
    for kind in [*KINDS, *VIOLATIONS]:
        if not titles or kind.title in titles:
            results.append(trials.trial(kind) | {"versions": versions})
    Path(target).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
