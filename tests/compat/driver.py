"""Copied into a throw-away project: runs commands in one process, and prints what happened."""

from __future__ import annotations

import io
import json
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any


def problem_of(arguments: list[str], says: str) -> str:
    """Run the command; return the sentence that says what was wrong, or nothing."""
    from django.core.management import call_command

    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out):
            call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as exc:
        if exc.code:
            return last_line(out.getvalue() + err.getvalue())
    except Exception as exc:  # Whatever a package raises is the result.
        printed = findings(out.getvalue())
        return printed[0] if printed else sentence(exc)
    return "" if says in out.getvalue() else last_line(out.getvalue() + err.getvalue())


def sentence(exc: Exception) -> str:
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    checks = [line for line in lines if re.match(r".*: \([\w.]+\.E\d+\)", line)]
    if checks:
        return checks[0]
    if type(exc).__name__ == "CommandError":
        return lines[0]
    return f"{type(exc).__name__}: {lines[0] if lines else ''}"


def findings(text: str) -> list[str]:
    """The lines of `verify_domain` that have the id of a finding."""
    return [line.strip() for line in text.splitlines() if re.search(r"\b[HCDUBL]\d{3}\b", line)]


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (findings(text) or lines[-1:] or ["no output"])[0]


def step(name: str, arguments: list[str], says: str = "") -> tuple[str, str, str]:
    """The command, why it did not end as expected, and the refusal to revert, which may be."""
    problem = problem_of(arguments, says)
    irreversible = "zero" in arguments and problem.startswith("These cannot be reverted: ")
    return name, "" if irreversible else problem, problem if irreversible else ""


def labels(names: list[str]) -> list[str]:
    """The labels of those of the apps that have migrations."""
    from django.apps import apps

    from domain_migrations.engine.sources.files import migrations_on_disk

    return [
        config.label
        for config in apps.get_app_configs()
        if {config.name, f"{type(config).__module__}.{type(config).__name__}"} & set(names)
        and migrations_on_disk([config.label])
    ]


def run(commands: list[Any], revert: list[str]) -> Iterator[tuple[str, str, str]]:
    for name, says, arguments in commands:
        done = step(name, arguments, says)
        yield done
        if done[1]:
            return
    for label in reversed(labels(revert)):
        done = step(f"migrate {label} zero", ["migrate", label, "zero", "--noinput"])
        yield done
        if done[1]:
            return
    if revert:
        yield step("migrate after zero", ["migrate"])


def main() -> None:
    warnings.simplefilter("ignore")
    given = json.loads(sys.argv[1])
    try:
        import django

        django.setup()
    except Exception as exc:  # A package that cannot be loaded is a result, too.
        print(json.dumps([("check", sentence(exc))]))
        return
    with redirect_stdout(io.StringIO()):
        steps = list(run(given["commands"], given["revert"]))
    print(json.dumps(steps))


if __name__ == "__main__":
    main()
