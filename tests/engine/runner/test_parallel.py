"""`migrate_domain --all --jobs`: domains in processes of their own, after core."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from domain_migrations.domains import Domain
from tests.engine.runner.test_live_traffic import output_of, started
from tests.support.catalog import execute, query, schemas, tables
from tests.support.projects import Project, domain_app
from tests.support.sessions import running

Write = Callable[..., Project]

LABS = ("lab_a", "lab_b", "lab_c")


def lab(name: str, *operations: str) -> dict[str, str]:
    """A domain with a foreign key to core, and whatever else its migration does."""
    table = f'"{name}"."things"'
    fields = """
            ("id", models.BigAutoField(primary_key=True)),
            ("owner", models.ForeignKey("auth.User", models.PROTECT, null=True)),
    """
    return domain_app(
        name,
        models=f"""
class Thing(models.Model):
    owner = models.ForeignKey("auth.User", models.PROTECT, null=True)
    class Meta:
        db_table = '{table}'
""",
        migrations={
            "0001_initial": f"""
    import os, signal
    class Migration(migrations.Migration):
        initial = True
        dependencies = [migrations.swappable_dependency("auth.User")]
        operations = [
            migrations.CreateModel("Thing", fields=[{fields}], options={{"db_table": '{table}'}}),
            {", ".join(operations)}
        ]
    """
        },
    )


def labs(**more: str) -> dict[str, dict[str, str]]:
    return {name: lab(name, *([more[name]] if name in more else [])) for name in LABS}


def outcomes(output: str) -> dict[str, tuple[str, list[str]]]:
    """Each domain's status and applied migrations, of `--format json`."""
    return {
        domain["domain"]: (domain["status"], [ran["name"] for ran in domain["applied"]])
        for domain in json.loads(output)["domains"]
    }


@pytest.fixture
def decoy(scratch_database: str) -> None:
    execute("CREATE TABLE public.things (note text); INSERT INTO public.things VALUES ('mine')")


def assert_decoy_survived() -> None:
    assert query("SELECT note FROM public.things") == [("mine",)]


def test_every_domain_is_applied_once(project: Write, decoy: None) -> None:
    written = project(labs())
    done = written.manage("migrate_domain", "--all", "--jobs=2", "--format=json")
    assert done.returncode == 0, done.stderr
    found = outcomes(done.stdout)
    assert list(found) == ["core", *LABS]
    assert [found[name] for name in LABS] == [("migrated", ["0001_initial"])] * 3
    for name in LABS:
        assert "things" in tables(name)
        assert query(f"SELECT name FROM {name}.django_migrations_{name}") == [("0001_initial",)]
    runs = " UNION ".join(f"SELECT run FROM {n}.django_migrations_{n}_journal" for n in LABS)
    assert len(query(runs)) == 1
    again = written.manage("migrate_domain", "--all", "--jobs=2", "--format=json")
    assert {status for status, _ in outcomes(again.stdout).values()} == {"unchanged"}
    assert_decoy_survived()


def test_output_stays_per_domain(project: Write, decoy: None) -> None:
    done = project(labs()).manage("migrate_domain", "--all", "--jobs=3", "-v2")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for name in LABS:
        start = lines.index(f"Domain {name} (schema {name}):")
        assert re.fullmatch(
            rf"  Applying {name}\.0001_initial\.\.\. OK \(\d\.\d\d\ds\)", lines[start + 1]
        )
        assert not lines[start + 1].endswith("(0.000s)")
    assert lines.index("Domain core (schema public):") < lines.index("Domain lab_a (schema lab_a):")


PRINTS = "migrations.RunPython(lambda apps, editor: print('filled by', __name__)),"


def test_what_migrations_print_stays_with_their_domain(project: Write, decoy: None) -> None:
    written = project(labs(**dict.fromkeys(LABS, PRINTS)))
    done = written.manage("migrate_domain", "--all", "--jobs=3", "-v2")
    assert done.returncode == 0, done.stdout + done.stderr
    progress, _, _ = done.stdout.partition("\nlab_a: ")
    for section in progress.split("Domain lab_")[1:]:
        name = f"lab_{section[0]}"
        assert f"filled by {name}.migrations.0001_initial\n" in section
        assert f"Adding content type '{name} | thing'" in section
        assert set(re.findall(r"lab_[abc]", section)) == {name}


def test_a_line_without_an_end_is_printed_too(project: Write, decoy: None) -> None:
    half = "migrations.RunPython(lambda *_: print('half a line', end='')),"
    done = project(labs(lab_b=half)).manage("migrate_domain", "--all", "--jobs=3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "half a line\n" in done.stdout
    assert_decoy_survived()


def test_notes_and_warnings_are_passed_on(project: Write, decoy: None) -> None:
    hooks = {"lab_a": {"before": [["true"]]}, "lab_b": {"failed": [["false"]]}}
    written = project(
        labs(lab_b='migrations.RunSQL("SELECT 1 / 0", "")'),
        settings={"DOMAIN_MIGRATIONS": {"HOOKS": hooks}},
    )
    done = written.manage("migrate_domain", "--all", "--jobs=3", "-v2")
    assert done.returncode == 1
    _, _, lab_a = done.stdout.partition("Domain lab_a ")
    assert "Hook before the run: true\n" in lab_a.partition("Domain lab_")[0]
    (warning,) = [line for line in done.stderr.splitlines() if "The run had failed before." in line]
    assert "false" in warning
    assert_decoy_survived()


@pytest.mark.parametrize("jobs", [(), ("--jobs=3",)])
def test_json_is_alone_on_standard_output(
    project: Write, decoy: None, jobs: tuple[str, ...]
) -> None:
    written = project(labs(**dict.fromkeys(LABS, PRINTS)))
    done = written.manage("migrate_domain", "--all", "--format=json", *jobs)
    assert outcomes(done.stdout)["lab_a"] == ("migrated", ["0001_initial"])
    for name in LABS:
        assert f"filled by {name}.migrations.0001_initial" in done.stderr


def test_the_holder_of_a_lock_is_reported_immediately(project: Write, decoy: None) -> None:
    written = project(labs())
    written.manage("migrate_domain", "core")  # It would wait for every domain's run.
    with (
        running(Domain("lab_b", "lab_b", ("lab_b",))) as (holder,),
        started(written, "migrate_domain", "--all", "--jobs=3") as process,
    ):
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        line = next(line for line in lines if "Waiting for the lock of" in line)
        assert line.startswith(f'  Waiting for the lock of "lab_b": pid {holder.pid} (user ')
        assert holder.holds
        holder.end()
        assert (output_of(process).count("1 applied"), process.returncode) == (3, 0)
    for name in LABS:
        assert query(f"SELECT name FROM {name}.django_migrations_{name}") == [("0001_initial",)]
    assert_decoy_survived()


def test_one_failure_does_not_stop_the_others(project: Write, decoy: None) -> None:
    written = project(labs(lab_b='migrations.RunSQL("SELECT 1 / 0", "")'))
    done = written.manage("migrate_domain", "--all", "--jobs=2", "--format=json")
    assert done.returncode == 1
    found = outcomes(done.stdout)
    assert found["lab_a"] == found["lab_c"] == ("migrated", ["0001_initial"])
    assert found["lab_b"] == ("failed", [])
    assert tables("lab_b") == {"django_migrations_lab_b", "django_migrations_lab_b_journal"}
    assert_decoy_survived()


def test_process_that_dies(project: Write, decoy: None) -> None:
    kill = "migrations.RunPython(lambda *_: os.kill(os.getpid(), signal.SIGKILL))"
    written = project(labs(lab_b=kill))
    done = written.manage("migrate_domain", "--all", "--jobs=2", "--format=json")
    assert done.returncode == 1
    (error,) = [d["error"] for d in json.loads(done.stdout)["domains"] if d["error"]]
    assert (error["code"], error["message"], error["hint"]) == (
        "migration_failed",
        'The process that migrated the domain "lab_b" ended with exit code -9 before it was done.',
        "Run: manage.py migrate_domain lab_b, which reports its state.",
    )
    found = outcomes(done.stdout)
    assert found["lab_a"] == found["lab_c"] == ("migrated", ["0001_initial"]), done.stdout
    assert "things" not in tables("lab_b")
    assert_decoy_survived()


def test_core_that_fails_stops_the_domains(project: Write, decoy: None) -> None:
    execute("CREATE TABLE public.auth_user (id int)")
    done = project(labs()).manage("migrate_domain", "--all", "--jobs=2", "--format=json")
    assert done.returncode == 1
    found = outcomes(done.stdout)
    assert found["core"][0] == "failed"
    assert [found[name] for name in LABS] == [("skipped", [])] * 3
    assert "lab_a" not in schemas()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lab_a", "--jobs=2"), "--jobs needs --all."),
        (("--all", "--jobs=0"), "--jobs takes a whole number from 1."),
    ],
)
def test_usage(project: Write, decoy: None, arguments: tuple[str, ...], sentence: str) -> None:
    done = project(labs()).manage("migrate_domain", *arguments)
    assert (done.returncode, done.stderr.strip()) == (2, f"CommandError: {sentence}")
    assert "lab_a" not in schemas()
