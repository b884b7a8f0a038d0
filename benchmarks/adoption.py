"""Time for which the tables of an adopted app are locked, whatever their number of rows.

    python -m benchmarks.adoption
    python -m benchmarks.adoption --rows 1000000 10000000

Makes a project of 50 apps with 400 tables, of which one with 60 becomes a domain, with views,
trigger functions, policies and grants; fills its tables with the given numbers of rows; runs
`manage.py migrate_domain` with the declaration, and undoes it. `locked` is the time in seconds from
the first lock to the end of the transaction. Prints one JSON object; the exit status is 1 if a time
exceeds the limit.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from domain_migrations.engine.sources.adoptions import Adoption  # noqa: E402
from tests.support import databases, servers  # noqa: E402
from tests.support.projects import Project, domain_app, plain_app, write_project  # noqa: E402

TABLES = 60
OTHER_APPS, OTHER_TABLES = 49, 340
LIMIT = 2.0
ADOPTION = Adoption(
    domain="big",
    schema="big",
    apps=("big",),
    date=datetime.date(2026, 11, 29),
    tables={f"big_model{number}": f"big_model{number}" for number in range(TABLES)},
)

MODEL = """
class Model{number}(models.Model):
    code = models.CharField(max_length=20, db_index=True)
    other = models.ForeignKey("Model{other}", models.CASCADE, null=True)
    size = models.IntegerField(default=0)
    class Meta:
        db_table = {table!r}
"""
CREATE_MODEL = """
    migrations.CreateModel("Model{number}", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False,
                                   verbose_name="ID")),
        ("code", models.CharField(max_length=20, db_index=True)),
        ("size", models.IntegerField(default=0)),
    ], options={{"db_table": {table!r}}}),"""
ADD_KEY = """
    migrations.AddField("Model{number}", "other",
        models.ForeignKey("big.Model{other}", models.CASCADE, null=True)),"""
MIGRATION = """
class Migration(migrations.Migration):
    initial = True
    operations = [{operations}
    ]
"""

SURROUNDINGS = f"""
DO $do$ BEGIN
    FOR n IN 0..{TABLES - 1} LOOP
        EXECUTE format('CREATE VIEW big_view%s AS SELECT id, code FROM big_model%s', n, n);
        EXECUTE format('CREATE FUNCTION big_touch%s() RETURNS trigger LANGUAGE plpgsql AS
            ''BEGIN PERFORM count(*) FROM big_model%s; RETURN NEW; END''', n, n);
        EXECUTE format('CREATE TRIGGER touch AFTER INSERT ON big_model%s EXECUTE FUNCTION
            big_touch%s()', n, n);
        EXECUTE format('CREATE POLICY readers ON big_model%s USING (size >= 0)', n);
        EXECUTE format('GRANT SELECT ON big_model%s TO pg_monitor', n);
    END LOOP;
END $do$
"""  # noqa: S608 (made of constants only)
FILL = (
    "ALTER TABLE big_model{number} DISABLE TRIGGER USER",
    "INSERT INTO big_model{number} (code, size) SELECT n, n FROM generate_series(1, {rows}) n",
    "ALTER TABLE big_model{number} ENABLE TRIGGER USER",
)


def files(*, adopted: bool, undone: bool = False) -> dict[str, str]:
    """The files of the app, in core or as a domain."""
    models, operations = "", ""
    for number in range(TABLES):
        table = f'"big"."big_model{number}"' if adopted else f"big_model{number}"
        names = {"number": number, "other": (number + 1) % TABLES, "table": table}
        models += MODEL.format(**names)
        operations += CREATE_MODEL.format(**names)
    for number in range(TABLES):
        operations += ADD_KEY.format(number=number, other=(number + 1) % TABLES)
    migrations = {"0001_initial": MIGRATION.format(operations=operations)}
    if adopted:
        found = domain_app("big", models=models, migrations=migrations)
        return {**found, "migrations/adoption.toml": ADOPTION.as_text()}
    found = plain_app(models=models, migrations=migrations)
    if undone:
        found["migrations/adoption.toml"] = replace(ADOPTION, undo=True).as_text()
    return found


def others() -> dict[str, dict[str, str]]:
    """The files of the apps that stay in core; each table refers to one of its app."""
    found = {}
    for app in range(OTHER_APPS):
        models, operations = "", ""
        for number in range(app, OTHER_TABLES, OTHER_APPS):
            names = {"number": number, "other": app, "table": f"other_model{number}"}
            models += MODEL.format(**names)
            operations += CREATE_MODEL.format(**names)
            operations += ADD_KEY.replace("big.", f"other{app}.").format(**names)
        migrations = {"0001_initial": MIGRATION.format(operations=operations)}
        found[f"other{app}"] = plain_app(models=models, migrations=migrations)
    return found


@contextmanager
def server() -> Iterator[servers.TestServer]:
    """A server for the benchmark alone."""
    folder = servers.make_folder()
    found = servers.session_server()
    try:
        found.start()
        yield found
    finally:
        found.cluster.leave()
        servers.remove(folder)


def measure(found: servers.TestServer, folder: Path, rows: int) -> dict[str, Any]:
    """Adopt and undo with that many rows in all tables together."""
    with databases.scratch(found, prefix="adoption") as name:
        settings = {**found.settings, "NAME": name}

        def written(kind: str, values: dict[str, str]) -> Project:
            apps = {"big": values, **others()}
            return write_project(folder / f"{kind}{rows}", apps, database=settings)

        def moved(project: Project, domain: str) -> dict[str, Any]:
            answer = project.manage("migrate_domain", domain, "--format=json")
            if answer.returncode:
                raise SystemExit(answer.stderr)
            return dict(json.loads(answer.stdout)["domains"][0]["adoptions"][0])

        before = written("before", files(adopted=False))
        if (migrated := before.manage("migrate")).returncode:
            raise SystemExit(migrated.stderr)
        with found.connect(name) as session:
            session.execute(SURROUNDINGS)
            for number in range(TABLES):
                for statement in FILL:
                    session.execute(statement.format(number=number, rows=rows // TABLES))
        adopted = moved(written("after", files(adopted=True)), "big")
        undone = moved(written("undone", files(adopted=False, undone=True)), "core")
    return {
        "rows": rows,
        "apps": 1 + OTHER_APPS,
        "tables": adopted["tables"],
        "other_tables": OTHER_TABLES,
        "objects": len(adopted["objects"]),
        "locked": adopted["seconds"],
        "undone": undone["seconds"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--limit", type=float, default=LIMIT)
    options = parser.parse_args()
    with server() as found, tempfile.TemporaryDirectory() as folder:
        results = [measure(found, Path(folder), rows) for rows in options.rows]
    print(json.dumps({"limit": options.limit, "results": results}, indent=2))
    return int(any(result["locked"] > options.limit for result in results))


if __name__ == "__main__":
    sys.exit(main())
