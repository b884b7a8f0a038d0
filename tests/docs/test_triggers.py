"""The module of the guide to django-pgtrigger, in a domain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.support.catalog import query
from tests.support.commands import ROOT
from tests.support.projects import Project, domain_app

pytest.importorskip("pgtrigger", exc_type=ImportError)
Write = Callable[..., Project]

PAGE = (ROOT / "docs/how-to/triggers.md").read_text()
MODULE, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MODELS = """
import pgtrigger
from triggers import Protect

class Sample(models.Model):
    code = models.CharField(max_length=10)
    class Meta:
        db_table = '"lab"."samples"'
        triggers = [Protect(name="protect", operation=pgtrigger.Delete)]
"""
APPS = ["domain_migrations", "django.contrib.contenttypes", "django.contrib.auth", "pgtrigger"]
USE = """
import pgtrigger
from django.db import DatabaseError
from lab.models import Sample

sample = Sample.objects.create(code="a")
try:
    sample.delete()
except DatabaseError as exc:
    print("protected")
with pgtrigger.ignore("lab.Sample:protect"):
    sample.delete()
print("left", Sample.objects.count())
"""
OBJECTS = """
SELECT 'function', p.oid::regprocedure::text FROM pg_proc p
WHERE p.proname LIKE '%pgtrigger%' UNION ALL
SELECT 'trigger', tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
"""


def test_triggers_of_a_domain(project: Write) -> None:
    lab = domain_app("lab", models=MODELS, migrations={})
    foreign = project({"lab": lab}, settings={"INSTALLED_APPS": [*APPS, "lab"]})
    foreign.write("triggers.py", MODULE)

    def manage(*arguments: str) -> str:
        result = foreign.manage(*arguments)
        assert result.returncode == 0, (arguments, result.stdout, result.stderr)
        return result.stdout

    manage("makemigrations", "lab")
    manage("migrate")
    ((_, function), (_, table)) = query(OBJECTS)
    assert (function.partition(".")[0], table) == ("lab", "lab.samples")
    assert manage("shell", "-v", "0", "-c", USE).split("\n")[-3:-1] == ["protected", "left 0"]
    manage("verify_domain")

    models = foreign.path / "lab/models.py"
    models.write_text(models.read_text().replace("gger.Delete", "gger.Delete | pgtrigger.Update"))
    manage("makemigrations", "lab")
    manage("migrate")
    manage("snapshot_domain", "lab")
    assert json.loads(manage("verify_domain", "--format", "json"))["findings"] == []
    manage("prove_domain", "lab")
    manage("migrate_domain", "lab", "zero", "--noinput")
    assert query(OBJECTS) == []
