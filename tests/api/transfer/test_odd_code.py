"""Code that names a model in unusual ways, in a project of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from textwrap import dedent, indent
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


STARS = """
from shop.models import *
from .local import *


class Item(models.Model):
    tag = models.ForeignKey(Tag, models.CASCADE)
    size = models.IntegerField(default=local)

    class Meta:
        db_table = '"lab"."items"'
"""
TAG = """
class Tag(models.Model):
    pass
"""


def test_a_name_of_a_star_import__that_the_other_module_defines(
    moved: Callable[..., Moved],
) -> None:
    item = STARS.replace("from .local import *\n", "def local():\n    return 1\n")
    found = moved("lab.Item", "shop", {"lab": lab(item), "shop": shop(TAG)})
    assert found.blockers == []
    assert found["shop/models.py"].startswith("from django.db import models\n\nclass Tag(")


def test_a_name_of_a_star_import__that_may_not_be_imported(moved: Callable[..., Moved]) -> None:
    local = "def local():\n    return 1\n"
    found = moved("lab.Item", "shop", {"lab": lab(STARS, local=local), "shop": shop(TAG)})
    assert found.blockers == [
        "lab.Item uses lab.local.local, which shop may not import."
        " Move it to core, or to a module outside of the domains, before."
    ]


ODD = """
class Tag(models.Model):
    class Meta:
        db_table = '"lab"."tags"'


class Item(models.Model):
    name = models.CharField("Tag", max_length=9)
    parent = models.ForeignKey("self", models.CASCADE, related_name="%(app_label)s_items")
    group = models.ForeignKey("auth.Group", models.CASCADE, null=True)
    sets = models.ManyToManyField("auth.Group", related_name="+", db_table='"lab"."item_sets"')

    class Meta:
        app_label = "lab"
        db_table = '"lab"."items"'
        indexes = [models.Index(fields=["name"])]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="%(app_label)s_%(class)s_name"),
        ]

    def tags(self) -> "list[Tag]":
        return Tag.objects.all()
"""


def test_names_in_the_database_stay(moved: Callable[..., Moved]) -> None:
    found = moved("lab.Item", "shop", {"lab": lab(ODD), "shop": shop("")})
    assert found.blockers == []
    text = found["shop/models.py"]
    name = re.search(r'models.Index\(fields=\["name"\], name="(lab_\w+|items_\w+|\w+)"\)', text)
    assert name is not None
    expected = dedent(ODD[ODD.index("class Item") :])
    for old, new in (
        ("%(app_label)s", "lab"),
        ('\'"lab"."items"\'', '"items"'),
        ('\'"lab"."item_sets"\'', '"item_sets"'),
        ('app_label = "lab"', 'app_label = "shop"'),
        ('fields=["name"])]', f'fields=["name"], name="{name[1]}")]'),
        ('"list[Tag]"', '"list[Any]"'),
        ("        return Tag", '        Tag = apps.get_model("lab", "Tag")\n        return Tag'),
    ):
        assert old in expected
        expected = expected.replace(old, new)
    assert text == (
        "from typing import Any\n\n"
        f"from django.apps import apps\nfrom django.db import models\n\n\n{expected}"
    )
    assert [(line, reason) for _, line, _, reason in found.by_hand] == [
        (21, '"list[Tag]" cannot be imported; the annotation is Any')
    ]


LOOKUPS = """
from __future__ import annotations

from django import forms
from django.db.models.signals import post_save
from django.dispatch import receiver

from lab.models import Item, Tag


@receiver(post_save, sender=Item)
def saved(**values):
    # Look at it.
    return Item.objects.count()


def typed(item: Item) -> list[Item]:
    '''Return it.'''
    first = Item.objects.first()
    return [first, item]


def short(): return Item


class Early:
    shown: Tag
"""


def test_a_class_that_may_not_be_imported_is_looked_up(moved: Callable[..., Moved]) -> None:
    tag = '\n\nclass Tag(models.Model):\n    class Meta:\n        db_table = \'"lab"."tags"\'\n'
    form = "from lab.models import Item\n\n\nclass Form:\n    model = Item\n"
    found = moved(
        "lab.Item",
        "ward",
        {"lab": lab(ITEM + tag, lookups=LOOKUPS, form=form), "ward": ward("")},
    )
    assert found.blockers == []
    expected = LOOKUPS.replace(
        "from django import forms",
        "from typing import Any\n\nfrom django import forms\nfrom django.apps import apps",
    )
    for old, new in (
        ("import Item, Tag", "import Tag"),
        ("sender=Item", 'sender="ward.Item"'),
        ("    # Look at it.\n", '    Item = apps.get_model("ward", "Item")\n    # Look at it.\n'),
        ("item: Item) -> list[Item]", "item: Any) -> list[Any]"),
        ("    first =", '    Item = apps.get_model("ward", "Item")\n    first ='),
        ("return Item\n", 'return apps.get_model("ward", "Item")\n'),
    ):
        assert old in expected
        expected = expected.replace(old, new)
    assert found["lab/lookups.py"] == dedent(expected)
    assert found["lab/form.py"] == (
        'from django.apps import apps\n\nItem = apps.get_model("ward", "Item")\n\n\n'
        "class Form:\n    model = Item\n"
    )


@pytest.mark.parametrize(
    ("apps", "message"),
    [
        (
            {"lab": lab(f"if True:\n{indent(ITEM, '    ')}"), "shop": shop("")},
            "does not define the class Item outside of other statements",
        ),
        (
            {
                "lab": lab(
                    "from lab.sizes import SIZE\n" + ITEM.replace("=9", "=SIZE"), sizes="SIZE = 9\n"
                ),
                "shop": shop(""),
            },
            "lab.Item uses lab.sizes.SIZE, which shop may not import.",
        ),
        ({"lab": lab(ITEM), "shop": shop("Item = 1\n")}, "has something of the name Item already"),
        (
            {
                "lab": lab(
                    f"import json as uuid\n{ITEM}    def dump(self):\n        return uuid\n"
                ),
                "shop": shop("import uuid\n"),
            },
            "uses the name uuid for something else",
        ),
    ],
)
def test_what_cannot_be_moved_is_refused(
    moved: Callable[..., Moved], apps: Mapping[str, Mapping[str, str]], message: str
) -> None:
    found = moved("lab.Item", "shop", apps)
    assert len(found.blockers) == 1
    assert message in found.blockers[0]
    assert "class Item" not in found["shop/models.py"]


def test_encodings_and_line_breaks_stay(project: Callable[..., Project]) -> None:
    made = project({"lab": lab(ITEM), "shop": shop("")})
    path, target, view = (
        made.path / name for name in ("lab/models.py", "shop/models.py", "lab/views.py")
    )
    path.write_bytes(b"\xef\xbb\xbf" + path.read_text().replace("\n", "\r\n").encode())
    target.write_bytes(b"\xef\xbb\xbffrom django.db import models\r\n")
    view.write_bytes(
        b"# -*- coding: latin-1 -*-\nfrom .models import Item\n\nUSED = Item, '\xe9'\n"
    )
    assert json.loads(made.python("-c", SCRIPT, "lab.Item", "shop"))["blockers"] == []
    assert view.read_bytes() == (
        b"# -*- coding: latin-1 -*-\nfrom shop.models import Item\n\nUSED = Item, '\xe9'\n"
    )
    assert path.read_bytes() == b"\xef\xbb\xbf"
    head, text = target.read_bytes().split(b"\r\n", 1)
    assert head == b"\xef\xbb\xbffrom django.db import models"
    assert text.startswith(b"\r\n\r\nclass Item(models.Model):\r\n")
    assert text.count(b"\n") == text.count(b"\r\n")
    made.python("-c", IMPORTS)


def test_a_package_of_models_has_a_file_for_each(moved: Callable[..., Moved]) -> None:
    item = f"from django.db import models\n\n{ITEM}"
    labs = {
        **domain_app("lab"),
        "models/item.py": item,
        "models/__init__.py": "from .item import *\n",
    }
    shops = {
        "models/tag.py": "from django.db import models\n",
        "models/__init__.py": 'from shop.models.tag import models as x\n\n__all__ = ["x"]\n',
    }
    del labs["models.py"]
    found = moved("lab.Item", "shop", {"lab": labs, "shop": shops})
    assert found.blockers == []
    assert not (found.project.path / "lab/models/item.py").exists()
    assert found["shop/models/item.py"] == (
        f"from django.db import models\n\n{ITEM}".replace('\'"lab"."items"\'', '"items"')
    )
    assert found["shop/models/__init__.py"] == (
        "from shop.models.item import Item\nfrom shop.models.tag import models as x\n\n"
        '__all__ = ["Item", "x"]\n'
    )


def test_sql_that_names_the_table_is_listed(moved: Callable[..., Moved]) -> None:
    reports = """
    TABLE = '"lab"."items"'
    COUNT = "SELECT count(*) FROM lab.items"
    OTHER = "SELECT count(*) FROM lab.items_old JOIN items USING (id)"
    WORDS = "the lab.items are many"


    def total(cursor, name):
        cursor.execute(f'''
            SELECT sum(n) FROM "lab"."items"
            WHERE name = {name}''')
    """
    apps = {"lab": {**lab(ITEM, reports=reports)}, "shop": shop("")}
    apps["lab"]["sql/totals.sql"] = "SELECT 1;\nSELECT count(*) FROM lab.items;\n"
    found = moved("lab.Item", "shop", apps)
    reason = "the table is public.items after the move"
    assert [each for each in found.by_hand if each[3] == reason] == [
        ("reports.py", 2, '"lab"."items"', reason),
        ("reports.py", 3, "SELECT count(*) FROM lab.items", reason),
        ("reports.py", 10, 'SELECT sum(n) FROM "lab"."items"', reason),
        ("totals.sql", 2, "SELECT count(*) FROM lab.items;", reason),
    ]


def test_sql_that_names_a_table_of_core_is_listed(moved: Callable[..., Moved]) -> None:
    item = ITEM.replace('"lab"."items"', "items")
    reports = "TEXTS = ['SELECT 1 FROM items', 'SELECT 1 FROM public.items', 'items of x']\n"
    apps = {"shop": shop(item, reports=reports), "lab": lab("")}
    found = moved("shop.Item", "lab", apps)
    reason = "the table is lab.items after the move"
    assert [each[2] for each in found.by_hand if each[3] == reason] == [
        "SELECT 1 FROM items",
        "SELECT 1 FROM public.items",
    ]
