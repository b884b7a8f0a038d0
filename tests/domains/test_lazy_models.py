"""Models of other domains: deferred by a domain's run, and imported on first access."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from domain_migrations.domains.lazy_models import should_defer
from tests.support.catalog import tables
from tests.support.commands import ROOT, process_environment
from tests.support.projects import Project, domain_app, plain_app, write_project

Write = Callable[..., Project]
NO_DATABASE = {"NAME": "none"}


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write a project that needs no database."""

    def write(apps: dict[str, dict[str, str]]) -> Project:
        return write_project(tmp_path / "offline", apps, database=NO_DATABASE)

    return write


def thing(domain: str, *, more: str = "") -> dict[str, str]:
    """The files of a domain with one model."""
    return domain_app(domain, models=model(domain, more))


def model(domain: str, more: str = "", name: str = "Thing") -> str:
    lines = f"{more}\n" if more else ""
    return (
        f"class {name}(models.Model):\n"
        f"    size = models.IntegerField()\n{lines}"
        "    class Meta:\n"
        f'        db_table = \'"{domain}"."{name.lower()}s"\'\n'
    )


def set_up(project: Project, code: str, *arguments: str) -> str:
    """Run code after `django.setup()` in a process started for `migrate_domain ARGUMENTS`."""
    result = run(project, code, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def run(project: Project, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import os, sys, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
        f"sys.argv = {['manage.py', 'migrate_domain', *arguments]!r}\n"
        "from django.apps import apps\n"
        "def imported(): return [n for n in sys.modules if n.endswith('.models') and\n"
        "    n.count('.') == 1 and n != 'domain_migrations.models']\n"
        "def names(): return [m._meta.label for m in apps.get_models()]\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program + dedent(code)],
        cwd=project.path,
        env=process_environment({"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [
        (["migrate_domain", "lab"], True),
        (["migrate_domain", "lab", "0002", "--plan"], True),
        (["migrate_domain", "--settings", "site.settings", "lab"], True),
        (["migrate_domain", "core"], True),
        (["migrate_domain", "shop"], False),
        (["migrate_domain", "lab", "shop"], False),
        (["migrate_domain", "--all"], False),
        (["migrate_domain", "--al"], False),
        (["migrate_domain", "--all", "--jobs", "2"], False),
        (["migrate"], False),
        (["migrate", "lab"], False),
        (["check", "lab"], False),
        (["runserver"], False),
        (["test", "migrate_domain"], False),
        ([], False),
    ],
)
def test_a_domain_is_left_out_of_runs_of_others(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], left_out: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", *arguments])
    assert should_defer("shop") is left_out


def test_models_of_other_domains_are_imported_on_demand(written: Write) -> None:
    ready = (
        "    def ready(self):\n"
        "        from lab.models import Thing\n"
        "        assert self.get_model('Thing') is Thing\n"
    )
    lab = thing("lab")
    apps = {"farm": thing("farm"), "lab": {**lab, "apps.py": lab["apps.py"] + ready}}
    project = written({**apps, "shop": thing("shop"), "bank": thing("bank")})
    out = set_up(
        project,
        """
        django.setup()
        from django.db import models
        User = apps.get_model("auth.User")
        key = models.ForeignKey(User, models.CASCADE)
        key.deconstruct(), key.clone()
        class Late(models.Model):
            class Meta: app_label = "auth"
        print(imported())
        first = names()
        print([name for name in first if name.endswith("Thing")])
        print(imported(), type(apps).__name__, apps.ready, apps.models_ready)
        assert names() == first and "auth.Late" in first
        """,
        "lab",
    )
    assert out.splitlines() == [
        "['lab.models']",
        "['farm.Thing', 'lab.Thing', 'shop.Thing', 'bank.Thing']",
        "['lab.models', 'farm.models', 'shop.models', 'bank.models'] Apps True True",
    ]


QUESTIONS = (
    "apps.get_model('shop.Thing')",
    "apps.get_model('shop', 'thing', require_ready=False)",
    "apps.get_app_config('shop').get_model('Thing')",
    "list(apps.get_app_config('bank').get_models())",
    "apps.get_app_config('shop').models['thing']",
    "apps.get_app_config('shop').models_module",
    "apps.get_model('auth.User')._meta.related_objects",
    "connection.introspection.django_table_names()",
)


def test_every_query_of_the_registry_imports_them_all(written: Write) -> None:
    project = written({name: thing(name) for name in ("lab", "shop", "bank")})
    code = f"""
    import os
    django.setup()
    from django.db import connection
    for question in {QUESTIONS}:
        child = os.fork()
        if not child:
            assert imported() == ["lab.models"]
            eval(question)
            assert imported() == ["lab.models", "shop.models", "bank.models"], question
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, question
    """
    assert set_up(project, code, "lab") == ""


def test_the_models_are_complete_wherever_they_come_from(written: Write) -> None:
    """A model of an app that was asked before those left out were imported."""
    relation = "    users = models.ManyToManyField('auth.User')"
    stray = "class Stray(models.Model):\n    class Meta:\n        app_label = 'auth'\n"
    shop = domain_app("shop", models=model("shop", relation) + stray)
    project = written({"lab": thing("lab"), "shop": shop})
    code = """
    django.setup()
    User = apps.get_model("auth.User")
    print([f.name for f in User._meta.get_fields() if f.auto_created and not f.concrete])
    print("auth.Stray" in names(), "shop.Thing_users" in
          [m._meta.label for m in apps.get_models(include_auto_created=True)])
    """
    assert set_up(project, code, "lab").splitlines() == ["['thing']", "True True"]


def test_150_domains_are_imported_in_their_order(written: Write) -> None:
    names = [f"part_{number:03}" for number in range(150)]
    project = written({name: thing(name) for name in names})
    out = set_up(
        project,
        """
        django.setup()
        assert imported() == ["part_099.models"], imported()
        assert len([name for name in names() if name.endswith(".Thing")]) == 150
        order = imported()
        order.remove("part_099.models")
        assert order == sorted(order) and len(order) == 149
        """,
        "part_099",
    )
    assert out == ""


def test_a_module_that_cannot_be_imported_raises_each_time(written: Write) -> None:
    shop = {**thing("shop"), "models.py": "import no_such_module\n"}
    project = written({"lab": thing("lab"), "shop": shop, "bank": thing("bank")})
    out = set_up(
        project,
        """
        django.setup()
        for _ in range(2):
            try:
                print(names())
            except ModuleNotFoundError as exc:
                print(exc, apps.ready, apps.models_ready)
        apps.get_model("lab.Thing")
        """,
        "lab",
    )
    assert out.splitlines() == ["No module named 'no_such_module' True True"] * 2


def test_models_can_query_the_registry_while_imported(written: Write) -> None:
    early = "from django.apps import apps\nGood = apps.get_model('bank.Thing', require_ready=False)"
    lab, shop = thing("lab"), thing("shop")
    asking = {"models.py": f"{thing('shop')['models.py']}\n{early}\n"}
    project = written({"lab": lab, "shop": {**shop, **asking}, "bank": thing("bank")})
    code = "django.setup(); print(*imported()); names(); print(*imported())"
    assert set_up(project, code, "lab").splitlines() == [
        "lab.models",
        "lab.models bank.models shop.models",
    ]
    # As the one that is being imported asks for one that was left out.
    assert set_up(project, code, "shop").splitlines() == ["lab.models bank.models shop.models"] * 2


def test_other_processes_import_every_model(written: Write) -> None:
    project = written({"lab": thing("lab"), "shop": thing("shop")})
    code = "sys.argv[1] = 'runserver'; django.setup(); print(imported(), type(apps).__name__)"
    assert set_up(project, code, "lab") == "['lab.models', 'shop.models'] Apps"


PROBE = """
import atexit, sys
atexit.register(lambda: print("IMPORTED", *sorted(name for name in sys.modules
    if name.split(".")[0] in ("lab", "shop", "bank") and (".models" in name or ".0" in name)),
    file=sys.stderr))
"""
INITIAL = """
def look(apps, schema_editor):
    {look}

class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.CreateModel("Thing", fields=[
            ("id", models.BigAutoField(primary_key=True)),
            ("size", models.IntegerField()),
        ], options={{"db_table": '"{domain}"."things"'}}),
        migrations.AddField("Thing", "owner", models.ForeignKey(
            "auth.User", models.CASCADE, null=True)),
        migrations.RunPython(look, look),
    ]
"""
OWNER = "    owner = models.ForeignKey('auth.User', models.CASCADE, null=True)"


def with_migration(domain: str, look: str = "pass") -> dict[str, str]:
    migrations = {"0001_initial": INITIAL.format(domain=domain, look=look)}
    return domain_app(domain, models=model(domain, OWNER), migrations=migrations)


def imported_by(project: Project, *arguments: str) -> list[str]:
    result = project.manage("migrate_domain", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stderr.rpartition("IMPORTED")[2].split()


def test_a_run_imports_nothing_of_other_domains(project: Write) -> None:
    foreign = project({name: with_migration(name) for name in ("lab", "shop", "bank")})
    settings = foreign.path / "settings.py"
    settings.write_text(settings.read_text() + PROBE)

    lab = ["lab.migrations.0001_initial", "lab.models"]
    assert imported_by(foreign, "lab", "--with-dependencies") == lab
    assert "things" in tables("lab")
    assert imported_by(foreign, "lab") == ["lab.models"]
    assert imported_by(foreign, "lab", "--check") == ["lab.models"]
    everything = ["bank.models", "lab.models", "shop.models"]
    assert set(everything) < set(imported_by(foreign, "--all"))
    assert imported_by(foreign, "--all") == everything
    assert imported_by(foreign, "--all", "--check") == everything


def test_a_data_migration_and_a_receiver_see_every_model(project: Write) -> None:
    every = "[m._meta.label for m in every.get_models() if m.__name__ == 'Thing']"
    expected = ["lab.Thing", "shop.Thing", "bank.Thing"]
    look = f"from django.apps import apps as every; assert {every} == {expected}, {every}"
    shop = with_migration("shop")
    ready = (
        "    def ready(self):\n"
        "        from domain_migrations.signals import domain_pre_migrate\n"
        "        domain_pre_migrate.connect(look)\n"
        f"\n\ndef look(**kwargs):\n    {look}\n    open('looked', 'w').close()\n"
    )
    foreign = project(
        {
            "lab": with_migration("lab"),
            "shop": {**shop, "apps.py": shop["apps.py"] + ready},
            "bank": with_migration("bank", look),
        }
    )
    for name in ("bank", "shop"):
        result = foreign.manage("migrate_domain", name, "--with-dependencies")
        assert result.returncode == 0, result.stderr
        assert "things" in tables(name)
    assert (foreign.path / "looked").exists()


FIELDS = (
    "models.ForeignKey('shop.Thing', models.CASCADE, related_name='+')",
    "models.ForeignKey('shop.thing', models.CASCADE, related_name='+')",
    "models.OneToOneField('shop.Thing', models.CASCADE, related_name='+')",
    "models.ManyToManyField('shop.Thing', related_name='+')",
    "models.ManyToManyField('lab.Plain', through='shop.Between', related_name='+')",
    "GenericRelation('shop.Thing')",
)
CROSSING = "\n".join(f"    field_{number} = {field}" for number, field in enumerate(FIELDS))


@pytest.fixture
def crossing() -> dict[str, dict[str, str]]:
    """A domain and an app of core whose models use another domain in every way."""
    generic = "from django.contrib.contenttypes.fields import GenericRelation\n"
    between = model(
        "shop",
        "    one = models.ForeignKey('lab.Thing', models.CASCADE)\n"
        "    two = models.ForeignKey('lab.Plain', models.CASCADE)",
        name="Between",
    )
    inherits = "from shop.models import Thing as ShopThing\nclass Child(ShopThing): pass\n"
    lab = generic + model("lab", name="Plain") + model("lab", CROSSING) + inherits
    main = f"class Main(models.Model):\n{CROSSING.splitlines()[0]}\n"
    return {
        "lab": domain_app("lab", models=lab),
        "shop": domain_app("shop", models=model("shop") + between),
        "main": plain_app(models=main),
    }


def test_references_to_deferred_models_are_still_found(
    written: Write, crossing: dict[str, dict[str, str]]
) -> None:
    project = written(crossing)
    code = """
    django.setup()
    from domain_migrations.engine.boundary.installed_models import (
        model_problems, refuse_model_problems
    )
    from domain_migrations.domains import get_domain
    from domain_migrations.exceptions import BoundaryViolation
    for name in ("core", "lab"):
        domain = get_domain(name)
        unresolved = {(p.id, p.message.lower()) for p in model_problems(only=domain)}
        try:
            refuse_model_problems(domain)
        except BoundaryViolation as exc:
            print(exc)
        for problem in model_problems(only=domain):
            print(problem.id, problem.message, problem.hint)
            assert (problem.id, problem.message.lower()) in unresolved
    """
    # A target of another domain's name lets its models be imported.
    found = set_up(project, code, "lab")
    assert found == set_up(project, code, "lab", "shop")
    for number in range(len(FIELDS)):
        assert f"lab.Thing.field_{number} is a " in found
    assert "lab.Child inherits from shop.Thing" in found
    assert "main.Main.field_0 is a foreign key to shop.Thing" in found


def test_a_reference_to_a_deferred_model_is_still_refused(project: Write) -> None:
    key = "    other = models.ForeignKey('shop.thing', models.CASCADE)"
    foreign = project({"lab": thing("lab", more=key), "shop": thing("shop")})
    left_out = foreign.manage("migrate_domain", "lab")
    imported = foreign.manage("migrate_domain", "lab", "shop")
    assert left_out.returncode == imported.returncode == 1
    assert left_out.stderr == imported.stderr
    assert "lab.Thing.other is a foreign key to shop.Thing" in left_out.stderr
