"""An app of core that becomes the domain `lab`: a project before and after its adoption."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from domain_migrations.engine.sources.adoptions import Adoption
from tests.support.projects import domain_app, plain_app

MODELS = """
class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)
    class Meta:
        db_table = {tag}

class Sample(models.Model):
    code = models.CharField(max_length=20, db_index=True)
    size = models.IntegerField(default=0)
    tags = models.ManyToManyField(Tag)
    owner = models.ForeignKey("auth.User", models.CASCADE, null=True)
    class Meta:
        db_table = {sample}
"""
FIRST = """
class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0001_initial")]
    operations = [
        migrations.CreateModel("Tag", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=50, unique=True)),
        ], options={{"db_table": {tag}}}),
        migrations.CreateModel("Sample", [
            ("id", models.BigAutoField(primary_key=True)),
            ("code", models.CharField(max_length=20, db_index=True)),
            ("tags", models.ManyToManyField("lab.Tag")),
            ("owner", models.ForeignKey("auth.User", models.CASCADE, null=True)),
        ], options={{"db_table": {sample}}}),
    ]
"""
SECOND = """
class Migration(migrations.Migration):
    dependencies = [("lab", "0001_initial")]
    operations = [migrations.AddField("Sample", "size", models.IntegerField(default=0))]
"""
BEFORE = {"tag": "'lab_tag'", "sample": "'lab_sample'"}
ADOPTION = Adoption(
    domain="lab",
    schema="lab",
    apps=("lab",),
    date=datetime.date(2026, 11, 29),
    tables={name: name for name in ("lab_sample", "lab_sample_tags", "lab_tag")},
)


def before(**more: str) -> dict[str, str]:
    """The files of the app in core; `more` maps names of further migrations to their sources."""
    migrations = {"0001_initial": FIRST.format(**BEFORE), "0002_size": SECOND, **more}
    return plain_app(models=MODELS.format(**BEFORE), migrations=migrations)


def after(adoption: Adoption = ADOPTION, **more: str) -> dict[str, str]:
    """The files of the domain, with the declaration."""
    names = {key: repr(_new_name(adoption, old)) for key, old in BEFORE.items()}
    migrations = {"0001_initial": FIRST.format(**names), "0002_size": SECOND, **more}
    files = domain_app("lab", models=MODELS.format(**names), migrations=migrations)
    return {**files, "migrations/adoption.toml": adoption.as_text()}


def undone(adoption: Adoption = ADOPTION, **more: str) -> Mapping[str, str]:
    """The files of the app that is core's again."""
    from dataclasses import replace

    text = replace(adoption, undo=True).as_text()
    return {**before(**more), "migrations/adoption.toml": text}


def _new_name(adoption: Adoption, old: str) -> str:
    return f'"{adoption.schema}"."{adoption.tables[old.strip(chr(39))]}"'
