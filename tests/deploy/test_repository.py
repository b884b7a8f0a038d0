"""The files that this repository's own tools read: they are valid, and agree with one another."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain_migrations import __version__
from domain_migrations.domains import get_domains
from tests.support.commands import ROOT
from tests.support.requirements import check

WORKFLOW = ROOT / ".github/workflows/ci.yml"
RELEASE = ROOT / ".github/workflows/release.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def sessions() -> list[dict[str, Any]]:
    """The sessions of noxfile.py, as nox lists them."""
    found = json.loads(check("nox", "--list", "--json", "--session", *session_names()))
    assert isinstance(found, list)
    return found


def session_names() -> list[str]:
    source = (ROOT / "noxfile.py").read_text()
    return re.findall(r"^@nox\.session.*\ndef (\w+)\(", source, re.MULTILINE)


def classified(name: str) -> set[str]:
    """The versions of `name` in the classifiers of pyproject.toml."""
    pattern = re.compile(rf"{re.escape(name)} :: (\d+\.\d+)")
    return {match[1] for match in map(pattern.fullmatch, PROJECT["classifiers"]) if match}


@pytest.mark.parametrize("workflow", [WORKFLOW, RELEASE], ids=lambda path: path.stem)
def test_workflow_is_valid(workflow: Path) -> None:
    check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)


def test_release_is_built_by_a_job_that_can_publish_nothing() -> None:
    text = RELEASE.read_text()
    release = yaml.safe_load(text)
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert release["permissions"] == {"contents": "read"}
    assert "permissions" not in build
    assert publish["permissions"] == {"id-token": "write"}
    assert (publish["needs"], publish["environment"]) == ("build", "pypi")
    assert publish["if"] == "vars.PUBLISH == 'true'"
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert "secrets." not in text
    unpinned = re.findall(r"uses: (?!\S+@v\d+\.\d+\.\d+\n)\S+|pip install (?!twine==)\S+", text)
    assert unpinned == []


def test_version_is_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"]
    assert "version" not in PROJECT
    exact = re.compile(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])")
    files = check("git", "-C", ROOT, "ls-files", "*.py", "*.toml", "*.cfg", "*.yml").split()
    found = [
        name
        for name in files
        if not name.startswith(("tests/", "findings/")) and exact.search((ROOT / name).read_text())
    ]
    assert found == ["domain_migrations/__init__.py"]


def test_workflow_tests_the_versions_of_the_classifiers() -> None:
    matrix = yaml.safe_load(WORKFLOW.read_text())["jobs"]["tests"]["strategy"]["matrix"]
    assert set(matrix["python"]) == classified("Programming Language :: Python")
    assert set(matrix["django"]) == classified("Framework :: Django")
    assert matrix["postgresql"] == ["15", "16", "17", "18"]
    left_out = [
        {"python": python, "django": django}
        for python, django in product(matrix["python"], matrix["django"])
        if django == "6.1" and python == "3.11"
    ]
    assert matrix["exclude"] == left_out
    files = {entry["django"]: ROOT / entry["requirements"] for entry in matrix["include"]}
    assert files.keys() == set(matrix["django"])
    for django, file in files.items():
        lines = file.read_text() + (ROOT / "requirements.txt").read_text()
        assert f"Django=={django}." in lines, file.name


def test_workflow_runs_sessions_that_exist() -> None:
    called = re.findall(r"-m nox -s (\w+)", WORKFLOW.read_text())
    assert called == ["tests"]
    assert set(called) <= set(session_names())


def test_gate_runs_the_sessions_with_its_tag(sessions: list[dict[str, Any]]) -> None:
    outside = {session["name"] for session in sessions if "gate" not in session["tags"]}
    assert outside == {"tests", "compat", "other_tools", "citus"}
    assert ".venv/bin/nox --tags gate\n" in (ROOT / ".ci/run").read_text()


def test_contributing_lists_the_sessions(sessions: list[dict[str, Any]]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", CONTRIBUTING.read_text(), re.MULTILINE)
    assert rows == [(session["name"], session["description"]) for session in sessions]


def test_contributing_names_files_that_exist() -> None:
    text = CONTRIBUTING.read_text()
    named = set(re.findall(r"`([\w./-]+/|[\w./-]+/[\w./-]+\.\w+|\.\w[\w-]*(?:\.\w+)?)`", text))
    assert len(named) > 10
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_pre_commit_configuration_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path))
    assert check("pre-commit", "validate-config", HOOKS) == ""


def test_pre_commit_downloads_nothing() -> None:
    repositories = yaml.safe_load(HOOKS.read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    programs = [hook["entry"].split()[0] for hook in hooks]
    assert programs == [f".venv/bin/{name}" for name in ("ruff", "ruff", "mypy", "lint-imports")]


def test_security_rules_are_on_and_every_exception_has_a_reason() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    files = check("git", "-C", ROOT, "ls-files", "*.py").split()
    bare = [
        f"{name}: {line.strip()}"
        for name in files
        for line in (ROOT / name).read_text().splitlines()
        if re.search(r"#\s(?:ruff: )?noqa: S\d+\s*$", line)
    ]
    assert bare == []


def test_codeowners_example_has_every_domain() -> None:
    lines = (ROOT / ".github/CODEOWNERS.example").read_text().splitlines()
    owned = {line.split()[0] for line in lines if line.startswith("/")}
    labels = {label for domain in get_domains()[1:] for label in domain.app_labels} | {"core"}
    assert owned == {f"/{folder}{label}/" for label in labels for folder in ("", "tests/")}
    assert lines[-1] == "# start_domain adds a domain above this line."


def test_changelog_has_the_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", headings[1])
