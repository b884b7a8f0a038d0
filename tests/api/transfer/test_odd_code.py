"""Code that names a model in unusual ways, in a project of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any

import pytest

from tests.support.projects import Project, domain_app, plain_app

SCRIPT = """
import json, sys
import django
django.setup()
from django.apps import apps
from domain_migrations.api.source_code.file_changes import apply_changes
from domain_migrations.api.transfer.code_move import edit_code
from domain_migrations.api.transfer.model_move import plan_move
label, target = sys.argv[1:]
edits = edit_code(plan_move(apps.get_model(label), apps.get_app_config(target)))
if not edits.blockers:
    apply_changes(edits.changes)
print(json.dumps({
    "by_hand": [[each.path.name, each.line, each.text, each.reason] for each in edits.by_hand],
    "blockers": [f"{each.message} {each.hint}" for each in edits.blockers],
}))
"""
IMPORTS = """
import django
django.setup()
import importlib, pathlib
for path in sorted(pathlib.Path().rglob("*.py")):
    if "migrations" not in path.parts and path.name != "manage.py":
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
"""
ITEM = """
class Item(models.Model):
    name = models.CharField(max_length=9)

    class Meta:
        db_table = '"lab"."items"'
"""


@pytest.fixture
def moved(project: Callable[..., Project]) -> Callable[..., Moved]:
    """`moved(label, target, apps)`: the model has moved, and the project starts."""

    def move(label: str, target: str, apps: Mapping[str, Mapping[str, str]]) -> Moved:
        made = project(apps)
        answer = json.loads(made.python("-c", SCRIPT, label, target))
        if not answer["blockers"]:
            made.python("-c", IMPORTS)
            checked = made.manage("check")
            assert checked.returncode == 0, checked.stderr
        return Moved(made, answer)

    return move


class Moved:
    """A project after the move, and what is left to do."""

    def __init__(self, project: Project, answer: Mapping[str, Any]) -> None:
        self.project = project
        self.by_hand = [tuple(each) for each in answer["by_hand"]]
        self.blockers: list[str] = answer["blockers"]

    def __getitem__(self, name: str) -> str:
        return (self.project.path / name).read_text()


def app(kind: Callable[..., dict[str, str]], models: str, **files: str) -> dict[str, str]:
    """An app's files; a keyword is the name of a module."""
    named = {f"{name}.py": dedent(text) for name, text in files.items()}
    return {**kind(models=models), **named}


def lab(models: str, **files: str) -> dict[str, str]:
    return app(lambda **values: domain_app("lab", **values), models, **files)


def ward(models: str, **files: str) -> dict[str, str]:
    return app(lambda **values: domain_app("ward", **values), models, **files)


def shop(models: str, **files: str) -> dict[str, str]:
    return app(plain_app, models, **files)


def test_every_way_to_import_a_class(moved: Callable[..., Moved]) -> None:
    uses = """
    import lab.models
    import lab.models as m
    from lab import models
    from lab.models import Item as Thing, Tag


    def one():
        return lab.models.Item, m.Item.objects, models.Item, Thing, Tag


    def two():
        from lab.models import Item

        return Item


    def three():
        from lab import models

        return models.Item
    """
    stars = "from lab.models import *\n\nFOUND = Item\n"
    patched = "PATHS = ['lab.models.Item', 'lab.models.Item.objects', 'lab.models.Items']\n"
    tag = '\n\nclass Tag(models.Model):\n    class Meta:\n        db_table = \'"lab"."tags"\'\n'
    found = moved(
        "lab.Item",
        "shop",
        {"lab": lab(ITEM + tag, uses=uses, stars=stars, patched=patched), "shop": shop("")},
    )
    assert found.blockers == []
    assert found["lab/uses.py"] == dedent("""
    from lab.models import Tag
    from shop.models import Item, Item as Thing


    def one():
        return Item, Item.objects, Item, Thing, Tag


    def two():
        from shop.models import Item

        return Item


    def three():
        from shop.models import Item

        return Item
    """)
    assert (
        found["lab/stars.py"]
        == "from lab.models import *\nfrom shop.models import Item\n\nFOUND = Item\n"
    )
    assert found["lab/patched.py"] == (
        "PATHS = ['shop.models.Item', 'shop.models.Item.objects', 'lab.models.Items']\n"
    )
    assert found["shop/models.py"] == dedent("""\
    from django.db import models


    class Item(models.Model):
        name = models.CharField(max_length=9)

        class Meta:
            db_table = "items"
    """)


NEEDS = """
import uuid
from decimal import Decimal

KINDS = [("a", "A")]
SIZES = [("s", "S")]
log = dict(name="lab")


def number():
    return Decimal(1)


def code():
    return uuid.uuid4().hex


class Base(models.Model):
    class Meta:
        abstract = True


# What is kept.
@str
class Ignored:
    pass


# An item,
# in stock.
class Item(Base):
    code = models.CharField(max_length=32, default=code)
    kind = models.CharField(max_length=1, choices=KINDS)
    size = models.CharField(max_length=1, choices=SIZES)
    price = models.IntegerField(default=number)

    class Meta(Base.Meta):
        abstract = False
        db_table = "items"

    def log(self):
        return log
    # The end.


class Other(Base):
    size = models.CharField(max_length=1, choices=SIZES)

    class Meta:
        db_table = "others"

    log = log
"""
MIGRATION = """
import lab.models

class Migration(migrations.Migration):
    code = lab.models.code
"""


def _lab_with_needs() -> dict[str, str]:
    models = NEEDS.replace('"items"', '\'"lab"."items"\'').replace('"others"', '\'"lab"."others"\'')
    return domain_app("lab", models=models, migrations={"0001_initial": MIGRATION})


def test_what_a_class_needs_moves_along__to_core(moved: Callable[..., Moved]) -> None:
    found = moved("lab.Item", "shop", {"lab": _lab_with_needs(), "shop": shop("")})
    assert found.blockers == []
    assert found.by_hand == []
    assert found["lab/models.py"] == dedent("""\
    from django.db import models

    from shop.models import SIZES, Base
    from shop.models import code  # noqa: F401  (migrations import it from here)

    log = dict(name="lab")


    # What is kept.
    @str
    class Ignored:
        pass


    class Other(Base):
        size = models.CharField(max_length=1, choices=SIZES)

        class Meta:
            db_table = '"lab"."others"'

        log = log
    """)
    assert found["shop/models.py"] == dedent("""\
    import uuid
    from decimal import Decimal

    from django.db import models


    KINDS = [("a", "A")]
    SIZES = [("s", "S")]
    log = dict(name="lab")


    def number():
        return Decimal(1)


    def code():
        return uuid.uuid4().hex


    class Base(models.Model):
        class Meta:
            abstract = True


    # An item,
    # in stock.
    class Item(Base):
        code = models.CharField(max_length=32, default=code)
        kind = models.CharField(max_length=1, choices=KINDS)
        size = models.CharField(max_length=1, choices=SIZES)
        price = models.IntegerField(default=number)

        class Meta(Base.Meta):
            abstract = False
            db_table = "items"

        def log(self):
            return log
        # The end.
    """)


def test_what_a_class_needs_is_copied__to_another_domain(moved: Callable[..., Moved]) -> None:
    found = moved("lab.Item", "ward", {"lab": _lab_with_needs(), "ward": ward("")})
    assert found.blockers == []
    copied = "is copied, because neither may import the other: models.py"
    assert [(text, reason) for _, _, text, reason in found.by_hand] == [
        ('SIZES = [("s", "S")]', f"SIZES {copied}"),
        ('log = dict(name="lab")', f"log {copied}"),
        ("def code():", f"code {copied}"),
        ("class Base(models.Model):", f"Base {copied}"),
    ]
    assert "def code" in found["lab/models.py"]
    assert "def code" in found["ward/models.py"]
    assert "def number" not in found["lab/models.py"]
    assert "KINDS" not in found["lab/models.py"]


def test_what_a_class_needs_is_imported__from_core(moved: Callable[..., Moved]) -> None:
    found = moved("shop.Item", "lab", {"shop": shop(NEEDS), "lab": lab("")})
    assert found.blockers == []
    assert "from shop.models import SIZES, Base\n" in found["lab/models.py"]
    assert 'KINDS = [("a", "A")]' in found["lab/models.py"]
    assert 'log = dict(name="lab")' in found["lab/models.py"]
    assert "KINDS" not in found["shop/models.py"]
    assert "SIZES = " in found["shop/models.py"]
