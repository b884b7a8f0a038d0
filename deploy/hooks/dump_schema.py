#!/usr/bin/env python3
"""Hook before a run: dump the domain's schema with pg_dump, so that it can be restored.

    {
        "command": [sys.executable, "deploy/hooks/dump_schema.py", "--folder", "/var/backups"],
        "credentials": True,
        "timeout": 1800,
    }

The newest dumps of each domain are kept. To restore one, together with the code that it belongs to:

    psql -c 'DROP SCHEMA "inventory" CASCADE'
    pg_restore --exit-on-error --dbname=NAME inventory-20261122T100000Z-1b9d6bcd.dump
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

NOTHING_THERE = "no matching schemas were found"


def main() -> int:
    parser = argparse.ArgumentParser(description="Dump the schema of the domain that is migrated.")
    parser.add_argument("--folder", type=Path, required=True, help="created if it does not exist")
    parser.add_argument("--keep", type=int, default=5, help="dumps of each domain to keep")
    parser.add_argument("--pg-dump", default="pg_dump", help="not older than the server")
    options = parser.parse_args()
    run = json.load(sys.stdin)
    (domain,) = run["domains"]
    os.umask(0o077)  # A dump contains rows.
    options.folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    path = options.folder / f"{domain['domain']}-{moment}-{run['run'][:8]}.dump"
    partial = path.with_suffix(".partial")
    try:
        result = dump(options.pg_dump, domain["schema"], partial)
        if NOTHING_THERE in result.stderr:
            print(f"There is no schema {domain['schema']} yet, so there is nothing to dump.")
            return 0
        sys.stderr.write(result.stderr)
        if result.returncode:
            return result.returncode
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{path} has {path.stat().st_size} bytes.")
    forget(options.folder, domain["domain"], options.keep)
    return 0


def dump(program: str, schema: str, path: Path) -> subprocess.CompletedProcess[str]:
    quoted = schema.replace('"', '""')  # The option is a pattern; quotes make it literal.
    command = [
        program,
        "--format=custom",
        "--no-password",
        "--lock-wait-timeout=10s",
        f'--schema="{quoted}"',
        f"--file={path}",
    ]
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)


def forget(folder: Path, domain: str, keep: int) -> None:
    dumps = sorted(folder.glob(f"{domain}-[0-9]*T[0-9]*Z-????????.dump"))
    for path in dumps[: -keep if keep > 0 else None]:
        path.unlink()


if __name__ == "__main__":
    sys.exit(main())
