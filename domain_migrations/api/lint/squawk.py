"""Squawk, a linter of PostgreSQL's SQL, as a program beside ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass

from ...exceptions import InvalidConfiguration

SYNTAX_ERROR = "syntax-error"


@dataclass(frozen=True)
class SquawkFinding:
    """What Squawk says about a statement.

    Attributes:
        statement: its number, from 0.
    """

    statement: int
    rule: str
    message: str
    hint: str


class Squawk:
    """Runs the program.

    Arguments:
        server_version: of PostgreSQL, as ``connection.pg_version`` has it.

    Raises:
        InvalidConfiguration: it is not installed.
    """

    def __init__(self, server_version: int) -> None:
        self.version = f"{server_version // 10000}.{server_version % 10000}"
        folders = [sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
        program = shutil.which("squawk", path=os.pathsep.join(folders))
        if program is None:
            raise InvalidConfiguration(
                "The program squawk, which reads the SQL, is not installed.",
                hint='Run: pip install "django-domain-migrations[lint]"',
            )
        self.program = program

    def knows(self, rule: str) -> bool:
        """Return whether Squawk has a rule of that name."""
        return not rule.startswith("-") and self._run("", f"--exclude={rule}").returncode == 0

    def read(self, statements: list[str], *, in_transaction: bool) -> list[SquawkFinding]:
        """Return what Squawk says about the statements, which it reads as one file.

        A statement that it cannot read is remarked as ``syntax-error``; the others are read all
        the same.
        """
        remarks: list[SquawkFinding] = []
        readable = dict(enumerate(statements))
        while readable:
            found = self._read(readable, in_transaction=in_transaction)
            unread = {remark.statement for remark in found if remark.rule == SYNTAX_ERROR}
            if not unread:
                return sorted([*remarks, *found], key=lambda remark: remark.statement)
            first = {remark.statement: remark for remark in reversed(found)}
            remarks += [first[number] for number in unread]
            readable = {n: sql for n, sql in readable.items() if n not in unread}
        return remarks

    def _read(self, statements: dict[int, str], *, in_transaction: bool) -> list[SquawkFinding]:
        owners: list[int] = []
        for number, sql in statements.items():
            owners += [number] * len(sql.split("\n"))
        # Its own way to ignore a rule asks for no reason.
        script = "\n".join(statements.values()).replace("squawk-ignore", "squawk_ignore")
        wrapped = ["--assume-in-transaction"] if in_transaction else []
        result = self._run(script, f"--pg-version={self.version}", *wrapped)
        try:
            said = json.loads(result.stdout)
        except ValueError as exc:
            raise InvalidConfiguration(
                f"squawk failed: {(result.stderr or result.stdout).strip()[:500]}",
                hint='Run: pip install --upgrade "django-domain-migrations[lint]"',
            ) from exc
        return [
            SquawkFinding(
                owners[min(item["line"], len(owners) - 1)],
                item["rule_name"],
                item["message"],
                item["help"] or "",
            )
            for item in said
        ]

    def _run(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        # A configuration in the project's folder must not decide what is found.
        return subprocess.run(
            [self.program, "--reporter=json", f"--config={os.devnull}", *options],
            input=script,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
