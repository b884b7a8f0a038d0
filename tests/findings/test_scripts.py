"""The scripts of findings/ and the list of them, without running the real ones."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.findings.__main__ import main
from tests.findings.scripts import FINDINGS, choose_scripts, run_scripts
from tests.support.commands import ROOT

SCRIPTS = choose_scripts([])
ROW = re.compile(r"^\| \[(?P<name>[\w-]+)\]\((?P<file>[\w.-]+)\) \| .+ \| (?P<places>.+) \|$", re.M)


def test_results_tell_what_has_changed(tmp_path: Path) -> None:
    (tmp_path / "right.sh").write_text("echo seen\n")
    (tmp_path / "wrong.sh").write_text("echo expected; echo seen >&2; exit 3\n")
    right, wrong = run_scripts(choose_scripts([], tmp_path))
    assert (right.name, right.is_as_described) == ("right", True)
    assert re.fullmatch(r"right +as described +0 s", str(right))
    assert (wrong.name, wrong.is_as_described) == ("wrong", False)
    assert re.fullmatch(r"wrong +CHANGED +0 s\n    expected\n    seen", str(wrong))


def test_scripts_are_chosen_by_name(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.sh").write_text("")
    assert [path.stem for path in choose_scripts(["c", "a.sh"], tmp_path)] == ["c", "a"]


def test_a_name_without_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert capsys.readouterr().err == "findings/ has no script 'nothing'.\n"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_what_it_shows(script: Path) -> None:
    text = script.read_text()
    comment = text.partition("\nset -euo pipefail\n")[0]
    assert comment.startswith("#!/usr/bin/env bash\n# ")
    for part in ("\n# Expected: ", "\n# What happens: ", "\n# Output seen:\n#   "):
        assert part in comment
    assert all(line.startswith("#") for line in comment.splitlines())
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_the_list_has_each_script_and_a_place_that_uses_it() -> None:
    rows = list(ROW.finditer((FINDINGS / "README.md").read_text()))
    assert sorted(row["file"] for row in rows) == [path.name for path in SCRIPTS]
    assert all(row["file"] == f"{row['name']}.sh" for row in rows)
    for row in rows:
        places = re.findall(r"`([^`]+)`", row["places"])
        assert places
        assert [place for place in places if not (ROOT / place).is_file()] == []


def test_every_question_has_an_answer() -> None:
    text = (FINDINGS / "GUESSES.md").read_text()
    assert re.findall(r"^\| .*\| +\|$", text, re.M) == []
    named = set(re.findall(r"`([a-z0-9-]+)`(?=[;,.]| \|| and )", text)) & {
        path.stem for path in SCRIPTS
    }
    assert named
