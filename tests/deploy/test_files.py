"""The files of deploy/ are what their tools take, and call commands that exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from domain_migrations.management.commands.migrate_domain import migrate_options
from tests.support.commands import ROOT
from tests.support.requirements import check

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd/migrate-domain@.service"
WORKFLOW = DEPLOY / "github/migrate.yml"
PIPELINE = DEPLOY / "gitlab/migrate.gitlab-ci.yml"
CHART = DEPLOY / "helm"
NO_COMMIT = "0" * 40


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def rendered() -> str:
    """The chart's Job, with its values in place."""
    values = load(CHART / "values.yaml")

    def value(match: re.Match[str]) -> str:
        scope, name = match[1].split(".")
        return "lab" if scope == "Release" else str(values[name])

    return re.sub(
        r"\{\{ \.(\w+\.\w+) \}\}", value, (CHART / "templates/migrate-job.yaml").read_text()
    )


def test_dockerfile() -> None:
    assert check("hadolint", DEPLOY / "Dockerfile") == ""
    copied = re.findall(
        r"^COPY (?!--from)(\S+) ", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )
    assert [name for name in copied if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("compose-spec", "compose.yaml"),
        ("github-workflows", "github/migrate.yml"),
        ("gitlab-ci", "gitlab/migrate.gitlab-ci.yml"),
    ],
)
def test_schemas(schema: str, name: str) -> None:
    check("check-jsonschema", "--builtin-schema", f"vendor.{schema}", DEPLOY / name)


def test_kubernetes(tmp_path: Path) -> None:
    job = tmp_path / "migrate-job.yaml"
    job.write_text(rendered())
    assert "{{" not in rendered()
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    said = check("kubernetes-validate", "--strict", *files, job)
    assert said.count(" passed ") == len(files) + 1 == 3
    annotations = yaml.safe_load(rendered())["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-upgrade,post-install"
    assert {"apiVersion", "name", "version"} <= load(CHART / "Chart.yaml").keys()


def test_readiness_probe() -> None:
    pod = load(DEPLOY / "kubernetes/init-container.yaml")["spec"]["template"]["spec"]
    (web,) = pod["containers"]
    assert resolve(web["readinessProbe"]["httpGet"]["path"]).url_name == "ready"


def test_systemd_unit(tmp_path: Path) -> None:
    # The tool insists on a program that is there.
    unit = tmp_path / "migrate-domain@inventory.service"
    unit.write_text(UNIT.read_text().replace("/srv/domains/.venv/bin/python", "/usr/bin/env"))
    assert check("systemd-analyze", "verify", unit) == ""


def test_pre_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path))
    config = DEPLOY / "pre-commit/pre-commit-config.yaml"
    assert check("pre-commit", "validate-config", config) == ""


@pytest.mark.parametrize("before", [NO_COMMIT, "HEAD"])
def test_workflow_finds_the_domains(before: str, tmp_path: Path) -> None:
    if before == "HEAD" and not (ROOT / ".git").exists():
        pytest.skip("This is no clone of the repository, so there is no HEAD to compare with.")
    steps = load(WORKFLOW)["jobs"]["changed"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "domains"]
    output = tmp_path / "output"
    subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=ROOT,
        check=True,
        env={
            **os.environ,
            "BEFORE": before,
            "GITHUB_OUTPUT": str(output),
            "RUNNER_TEMP": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    core, others = output.read_text().splitlines()
    assert core in ("core=false", "core=true")
    if before == NO_COMMIT:
        assert (core, json.loads(others.removeprefix("others="))) == ("core=false", ["--all"])
    else:
        assert isinstance(json.loads(others.removeprefix("others=")), list)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="Only a clone has a commit before.")
@pytest.mark.parametrize(
    ("before", "changed", "jobs"),
    [
        ("HEAD", "docs/index.md", {"nothing to migrate": "core"}),
        ("HEAD", "hr/services.py", {"migrate hr": "domains"}),
        ("HEAD", "core/services.py", {"migrate core": "core"}),
        (NO_COMMIT, "hr/services.py", {"migrate --all": "domains"}),
    ],
)
def test_pipeline_has_a_job_for_each_changed_domain(
    before: str, changed: str, jobs: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--shared", ROOT, folder], check=True)
    with (folder / changed).open("a") as file:
        file.write("\n")
    script = load(PIPELINE)["changed-domains"]["script"][1]
    subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        check=True,
        env={
            **os.environ,
            "CI_COMMIT_BEFORE_SHA": before,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    written = folder / "domains.yml"
    check("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", written)
    pipeline = load(written)
    assert pipeline.pop("stages") == ["core", "domains"]
    assert {name: job["stage"] for name, job in pipeline.items()} == jobs
    for job in pipeline.values():
        assert_calls_exist(job["script"])


def assert_calls_exist(lines: Sequence[str]) -> None:
    for line in lines:
        if line.startswith("python manage.py "):
            name, *rest = shlex.split(line.removeprefix("python manage.py "))
            assert_command_exists(name, rest)


def invocations() -> Iterator[tuple[str, list[str]]]:
    """Every call of manage.py in the files: where, and its arguments."""
    docker = (DEPLOY / "Dockerfile").read_text()
    (command,) = re.findall(r"^CMD (.*)$", docker, re.MULTILINE)
    yield "Dockerfile", json.loads(command)
    yield "compose.yaml", load(DEPLOY / "compose.yaml")["services"]["migrate"]["command"]
    for path in [*(DEPLOY / "kubernetes").glob("*.yaml"), None]:
        pod = (load(path) if path else yaml.safe_load(rendered()))["spec"]["template"]["spec"]
        (container,) = [
            container
            for container in pod.get("initContainers", []) + pod["containers"]
            if container["name"] == "migrate"
        ]
        yield path.name if path else "helm", container["args"]
    texts = {
        "Procfile": (DEPLOY / "Procfile").read_text(),
        "systemd": UNIT.read_text().replace("%i", "inventory"),
        "pre-commit": (DEPLOY / "pre-commit/pre-commit-config.yaml").read_text(),
        "github": "\n".join(
            step["run"]
            for job in load(WORKFLOW)["jobs"].values()
            for step in job["steps"]
            if "run" in step
        ).replace("\\\n", " "),
    }
    for where, text in texts.items():
        for line in re.findall(r"manage\.py (.*)", text):
            parts = shlex.split(line.partition(" > ")[0])
            yield where, ["inventory" if part == "$DOMAIN" else part for part in parts]


CALLS = list(invocations())


def test_every_file_calls_a_command() -> None:
    assert {where for where, _ in CALLS} == {
        *("Dockerfile", "compose.yaml", "migrate-job.yaml", "init-container.yaml", "helm"),
        *("Procfile", "systemd", "pre-commit", "github"),
    }


@pytest.mark.parametrize(("where", "arguments"), CALLS)
def test_commands_and_options_exist(where: str, arguments: Sequence[str]) -> None:
    assert_command_exists(arguments[0], arguments[1:])


def assert_command_exists(name: str, arguments: Sequence[str]) -> None:
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    options = vars(parser.parse_args(list(arguments)))
    if name == "migrate_domain":
        assert bool(options["domain"]) != options["all"]
        assert list(migrate_options(options).validate()) == []
        assert options["interactive"] is False
