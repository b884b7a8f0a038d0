"""Tables, colour and the progress line, on terminals only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.support.catalog import HISTORIES, execute, history, query, tables
from tests.support.projects import domain_app
from tests.support.servers import TestServer
from tests.support.terminals import run_on_terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SLOW = """
import sys, time
from django.db import migrations
def wait(apps, schema_editor):
    time.sleep(1.4)
    print("said by the migration")
class Migration(migrations.Migration):
    operations = [migrations.RunPython(wait)]
"""
FAILING = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_slow")]
    operations = [migrations.RunSQL("SELECT 1 / 0")]
"""


@pytest.fixture
def terminal(migrated_database: str, postgres_server: TestServer) -> Callable[..., Any]:
    def run(
        *arguments: str, columns: int = 120, answer: str = "", **more: str | None
    ) -> tuple[str, int]:
        database = connections["default"].settings_dict["NAME"]
        environment = {**postgres_server.environment(database), **more}
        return run_on_terminal(*arguments, environment=environment, columns=columns, answer=answer)

    return run


@pytest.mark.parametrize("columns", [120, 72])
def test_show_domains_is_a_table(terminal: Callable[..., Any], columns: int) -> None:
    shown, status = terminal("show_domains", columns=columns)
    assert status == 0
    assert COLOUR.search(shown)
    head, *rows = [line.rstrip() for line in CONTROL.sub("", shown).splitlines()]
    titles = ["domain", "schema", "applied", "pending", "unknown", "tables", "last change"]
    assert re.split(r"\s{2,}", head.strip()) == titles
    rows = [row for row in rows if not row.startswith(" ")]  # Without times below dates.
    assert [row.split()[0] for row in rows] == list(HISTORIES)
    ends = {row.index(row.split()[2]) + len(row.split()[2]) for row in rows}
    assert ends == {head.index("applied") + len("applied")}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(("--no-color",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb", "NO_COLOR": "1"})],
    ids=["option", "variable", "dumb"],
)
def test_without_colour_lines_are_plain(
    terminal: Callable[..., Any],
    manage: Callable[..., Any],
    arguments: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    shown, status = terminal("show_domains", *arguments, **environment)
    assert status == 0
    assert "\x1b" not in shown
    assert shown == manage("show_domains").stdout


def test_force_color_is_stronger_than_no_color(
    terminal: Callable[..., Any], manage: Callable[..., Any]
) -> None:
    assert COLOUR.search(terminal("show_domains", "--force-color", NO_COLOR="1")[0])
    piped = manage("show_domains", "--force-color", NO_COLOR="1").stdout
    assert COLOUR.search(piped)
    assert "\x1b[?25l" not in piped


def test_json_is_nothing_but_the_object(terminal: Callable[..., Any]) -> None:
    for arguments in (("show_domains",), ("migrate_domain", "--all")):
        shown, status = terminal(*arguments, "--format", "json", "--force-color")
        assert status == 0
        assert json.loads(shown)["format"] == 1
        assert "\x1b" not in shown


def test_results_stand_below_one_another(terminal: Callable[..., Any]) -> None:
    shown, _ = terminal("migrate_domain", "--all")
    assert [line.rstrip() for line in CONTROL.sub("", shown).splitlines()[-4:]] == [
        "core:      nothing to do",
        "inventory: nothing to do",
        "hr:        nothing to do",
        "finance:   nothing to do",
    ]


def test_the_running_migration_and_its_duration_are_shown(
    project: Callable[..., Any], postgres_server: TestServer
) -> None:
    made = project(
        {"lab": domain_app("lab", migrations={"0001_slow": SLOW, "0002_failing": FAILING})}
    )
    path: Path = made.path
    shown, status = run_on_terminal(
        "migrate_domain",
        "lab",
        environment={"PYTHONPATH": str(Path(__file__).parents[2])},
        folder=path,
    )
    assert status == 1
    assert re.search(r"Applying lab\.0001_slow\.\.\. 0:00:01", CONTROL.sub("", shown))
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") > 0  # The cursor is back.
    lines = [line.rsplit("\r")[-1].rstrip() for line in CONTROL.sub("", shown).splitlines()]
    assert "said by the migration" in lines
    [slow] = [line for line in lines if "0001_slow... OK" in line]
    [failing] = [line for line in lines if "0002_failing... FAILED" in line]
    assert re.fullmatch(r"  Applying lab\.0001_slow\.\.\. OK +[1-9]\d*\.\d\d s", slow)
    assert len(slow) == len(failing)
    assert "division by zero" in lines[-1]


def test_piped_lines_are_djangos(project: Callable[..., Any], postgres_server: TestServer) -> None:
    made = project({"lab": domain_app("lab", migrations={"0001_slow": SLOW})})
    result = made.manage("migrate_domain", "lab")
    assert "\x1b" not in result.stdout
    assert "  Applying lab.0001_slow..." in result.stdout
    assert " OK\n" in result.stdout


def test_without_rich_lines_are_djangos(
    terminal: Callable[..., Any], manage: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich/__init__.py").write_text("raise ImportError('not here')")
    shown, status = terminal("show_domains", PYTHONPATH=str(tmp_path))
    assert status == 0
    assert COLOUR.search(shown)
    assert CONTROL.sub("", shown) == manage("show_domains").stdout


REVERTS = re.compile(
    r"This reverts \d+ migrations and drops \d+ tables with an estimated [\d,]+ rows"
    r" \(.*and \d+ more\)\..* Continue\? \[y/N\] "
)


def hr_tables() -> set[str]:
    return tables("hr") - {"django_migrations_hr", "django_migrations_hr_journal"}


@pytest.mark.parametrize(
    "command",
    [
        ("migrate_domain", "hr", "zero"),
        ("migrate_domain", "hr", "--rollback"),
        ("migrate_domain", "hr", "zero", "--format", "json"),
        ("migrate", "hr", "zero"),
    ],
)
def test_reverts_are_confirmed(terminal: Callable[..., Any], command: tuple[str, ...]) -> None:
    execute("CREATE TABLE public.employees (id int); INSERT INTO public.employees VALUES (1)")
    before, rows = hr_tables(), history("hr.django_migrations_hr")

    shown, status = terminal(*command, answer="n\n")

    assert status == 1
    plain = CONTROL.sub("", shown)
    assert REVERTS.search(" ".join(plain.split())), plain
    assert "Nothing was changed." in plain
    assert (hr_tables(), history("hr.django_migrations_hr")) == (before, rows)

    assert terminal(*command, answer="y\n")[1] == 0
    assert hr_tables() == set()
    assert query("SELECT id FROM public.employees") == [(1,)]


@pytest.mark.parametrize("option", ["--noinput", "--fake"])
def test_nothing_is_asked(terminal: Callable[..., Any], option: str) -> None:
    shown, status = terminal("migrate_domain", "hr", "zero", option)
    assert status == 0
    assert "Continue?" not in shown
    assert ("This reverts" in shown) == (option == "--noinput")
    assert history("hr.django_migrations_hr") == []
