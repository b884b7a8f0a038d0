"""The steps of the gate, a session each: `nox --list` shows them, `nox -s lint` runs one.

The sessions run in the environment in which nox is installed, so nothing is installed twice.
Two of them need another one, with Django 6.1: with the test command of README.md, which `.ci/run`
runs before the sessions with the tag `gate`, the tests then run on both versions of Django and on
two of PostgreSQL, without a third run.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import nox

BUILD = Path("build")

# What these test depends neither on the version of Django nor on that of the server, and is not
# the engine: the test command of README.md has run them.
ONCE = (
    "tests/config/test_embedded.py",
    "tests/config/test_embedded_backend.py",
    "tests/config/test_embedded_root.py",
    "tests/deploy",
    "tests/docs",
    "tests/test_words.py",
)

CITUS = ("CITUS_URL", "CITUS_PG_BIN")

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "imports", "project", "docs"]
nox.options.stop_on_first_error = True

PRODUCTION = {
    "DJANGO_ENV": "production",
    "ALLOWED_HOSTS": "example.com",
    "DATABASE_URL": "postgres://nobody@localhost/none",
}


def run_python(session: nox.Session, *arguments: str, **environment: str) -> None:
    session.run(sys.executable, *arguments, env=environment, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on the embedded PostgreSQL; arguments after `--` go to pytest."""
    run_python(session, "-m", "pytest", *session.posargs)


@nox.session(tags=["gate"])
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    run_python(session, "-m", "ruff", "check", ".")
    run_python(session, "-m", "ruff", "format", "--check", ".")


@nox.session(tags=["gate"])
def types(session: nox.Session) -> None:
    """Check the types with mypy."""
    run_python(session, "-m", "mypy")


@nox.session(tags=["gate"])
def imports(session: nox.Session) -> None:
    """Check the contracts on imports with import-linter."""
    session.run(str(Path(sys.executable).with_name("lint-imports")), external=True)


@nox.session(tags=["gate"])
def project(session: nox.Session) -> None:
    """Check that no migration is missing and that the production settings are safe."""
    run_python(session, "manage.py", "makemigrations", "--check", "--dry-run")
    production = {**PRODUCTION, "SECRET_KEY": secrets.token_urlsafe(50)}
    run_python(session, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **production)


@nox.session(tags=["gate"])
def prove(session: nox.Session) -> None:
    """Prove that every domain depends on core alone and can be reverted."""
    run_python(session, "manage.py", "prove_domain")


@nox.session(tags=["gate"])
def packaging(session: nox.Session) -> None:
    """Install the engine alone, use it in other projects, and build it twice."""
    run_python(session, "-m", "tests.packaging")


@nox.session(tags=["gate"])
def docs(session: nox.Session) -> None:
    """Build the documentation, with warnings as errors."""
    run_python(session, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", "build/docs")


@nox.session(tags=["gate"])
def coverage(session: nox.Session) -> None:
    """Measure the coverage of tests and short stress tests, on PostgreSQL 15 and Django 6.1."""
    python = django61(session) or sys.executable
    environment = {
        "TEST_POSTGRES": os.environ.get("TEST_POSTGRES") or "debian",
        # Workers that a command forks in another folder would write their data there.
        "COVERAGE_FILE": str(Path(".coverage").absolute()),
    }
    ignored = (f"--ignore={path}" for path in ONCE)
    tests = ("-m", "pytest", "-q", "--stress=short", *ignored, *session.posargs)
    session.run(python, "-m", "coverage", "erase", external=True)
    session.run(python, "-m", "coverage", "run", *tests, env=environment, external=True)
    session.run(python, "-m", "coverage", "combine", "--quiet", external=True)
    session.run(python, "-m", "coverage", "report", external=True)


@nox.session(tags=["gate"])
def django_suite(session: nox.Session) -> None:
    """Run Django's own tests with every model in a schema, on Django 5.2 and 6.1."""
    run_python(session, "-m", "tests.django_suite")
    run_python(session, "-m", "tests.django_suite", "--suite", "migrations", "--rendering")
    if python := django61(session):
        environment = {"TEST_POSTGRES": "debian"}
        session.run(python, "-m", "tests.django_suite", env=environment, external=True)


@nox.session(tags=["gate"])
def benchmarks(session: nox.Session) -> None:
    """Run small benchmarks, without judging the numbers: they are measured on an idle machine."""
    report = BUILD / "deploys.json"
    run_python(session, "-m", "benchmarks.orm_calls", "--calls", "500", "--limit", "100")
    run_python(
        session, "-m", "benchmarks.guard", "--relations", "500", "--runs", "1", "--limit", "100"
    )
    run_python(
        session, "-m", "benchmarks.inspection", "--tables", "40", "--runs", "1", "--limit", "1000"
    )
    run_python(session, "-m", "pip", "install", "--quiet", "-r", "requirements/benchmarks.txt")
    run_python(
        session,
        *("-m", "benchmarks.deploys", "--domains", "2", "--migrations", "4", "--runs", "1"),
        *("--json", str(report)),
    )
    pages = BUILD / "benchmarks"
    pages.mkdir(parents=True, exist_ok=True)
    shutil.copy("docs/performance.md", pages)
    run_python(session, "-m", "benchmarks.deploys.report", str(report), "--docs", str(pages))


@nox.session
def compat(session: nox.Session) -> None:
    """Try third-party packages, and write docs/reference/compatibility.md from what happened."""
    python, results = str(BUILD / "compat/bin/python"), str(BUILD / "compat-results")
    session.run(sys.executable, "-m", "venv", "build/compat", external=True)
    # One after the other: packages that are tried may need another version of what the tests need.
    for requirements in ("requirements-dev.txt", "requirements/compat.txt"):
        session.run(python, "-m", "pip", "install", "-q", "-r", requirements, external=True)
    tests = ("-m", "pytest", "-q", "--dist=load", "tests/compat", f"--compat={results}")
    session.run(python, *tests, external=True)
    session.run(python, "-m", "tests.compat.page", results, external=True)


@nox.session
def other_tools(session: nox.Session) -> None:
    """Run other migration tools, of PyPI, npm and Debian, and read their histories."""
    tests = ("-m", "pytest", "-n0", "tests/other_tools", f"--other-tools={BUILD / 'other-tools'}")
    run_python(session, *tests)


@nox.session
def citus(session: nox.Session) -> None:
    """Run the tests that need a Citus cluster: that of CITUS_URL, or one of CITUS_PG_BIN."""
    if not any(map(os.environ.get, CITUS)):
        session.error(
            "Set CITUS_URL to the URL of a coordinator's database, or CITUS_PG_BIN to the folder of"
            " PostgreSQL programs that have Citus."
        )
    run_python(session, "-m", "pytest", "-m", "citus", "tests/citus", *session.posargs)


def django61(session: nox.Session) -> str | None:
    """The interpreter of an environment with Django 6.1; None if there is no Python for it."""
    newer = newer_python()
    if newer is None:
        session.warn("Django 6.1 needs Python 3.12 or later, and none is installed.")
        return None
    python = str(BUILD / "django61/bin/python")
    session.run(newer, "-m", "venv", "build/django61", external=True)
    session.run(
        python, "-m", "pip", "install", "-q", "-r", "requirements-django61.txt", external=True
    )
    return python


def newer_python() -> str | None:
    """An interpreter of at least Python 3.12, which Django 6.1 needs."""
    versions = sorted((Path.home() / ".pyenv/versions").glob("3.1[2-4].*/bin/python"))
    for candidate in ("python3.13", "python3.12", "python3.14", *map(str, versions), "python3"):
        test = "import sys; sys.exit(sys.version_info < (3, 12))"
        try:
            found = subprocess.run([candidate, "-c", test], capture_output=True).returncode == 0
        except FileNotFoundError:
            continue
        if found:
            return candidate
    return None
