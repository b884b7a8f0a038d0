"""Knex with the same SQL: one knexfile, one folder and one history table per domain."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from psycopg import sql

from benchmarks.deploys.measuring import Contender
from benchmarks.deploys.site import Site

CLI = "node_modules/knex/bin/cli.js"
PACKAGE = Path(__file__).parent / "knex" / "package.json"
FOLDER = Path(__file__).parents[2] / "build" / "knex"

KNEXFILE = """\
module.exports = {{
  client: "pg",
  connection: {{
    host: process.env.DATABASE_HOST,
    port: Number(process.env.DATABASE_PORT),
    user: process.env.DATABASE_USER,
    database: process.env.DATABASE_NAME,
  }},
  migrations: {{
    directory: "./{label}",
    schemaName: "{label}",
    tableName: "knex_migrations_{label}",
  }},
}};
"""

MIGRATION = """\
exports.up = async (knex) => {{
{statements}
}};

exports.down = async () => {{}};
"""


def install() -> Path | None:
    """Install Knex with npm, once, and return its folder; None if npm is not installed."""
    npm = shutil.which("npm")
    if npm is None:
        print("Knex is left out: it needs npm, of Node.js.", file=sys.stderr)
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "node_modules" / "knex").exists():
        shutil.copy(PACKAGE, FOLDER)
        command = [npm, "install", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=FOLDER, check=True)
    return FOLDER


def write_domain(folder: Path, label: str, migrations: list[list[str]]) -> None:
    """Write a domain's knexfile and migrations.

    Arguments:
        migrations: the SQL statements of each migration.
    """
    folder.joinpath(f"{label}.knexfile.js").write_text(KNEXFILE.format(label=label))
    package = folder / label
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir()
    for number, statements in enumerate(migrations, start=1):
        lines = "\n".join(f"  await knex.raw({_escaped(one)});" for one in statements)
        text = MIGRATION.format(statements=lines)
        package.joinpath(f"{number:04}_step.js").write_text(text)


def _escaped(statement: str) -> str:
    return json.dumps(statement.replace("?", "\\?"))


def knex(site: Site, folder: Path, label: str, database: str) -> Contender:
    """Return the contender that applies a domain's migrations to a database with core."""

    def prepare() -> None:
        site.renew(database, site.core)
        with site.server.connect(database) as session:
            # Knex requires the schema of its history table to exist.
            session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(label)))

    return Contender(
        "Knex, the same statements",
        ["node", CLI, "--knexfile", f"{label}.knexfile.js", "migrate:latest"],
        folder,
        site.server.environment(database),
        prepare=prepare,
    )
