"""Imports that are added and removed, in the layout of isort and black."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from domain_migrations.api.source_code.import_block import ImportBlock
from domain_migrations.api.source_code.module_source import ModuleSource
from domain_migrations.api.source_code.source_style import Style

STYLE = Style(60, frozenset({"shop", "lab"}))


def edited(text: str, change: Callable[[ImportBlock], None], name: str = "lab.models.x") -> str:
    source = ModuleSource(dedent(text).encode(), name)
    block = ImportBlock(source, STYLE)
    change(block)
    block.finish()
    return source.edited_text()


def add(module: str, name: str = "", asname: str = "") -> Callable[[ImportBlock], None]:
    return lambda block: block.add(module, name, asname)


def remove(*names: str) -> Callable[[ImportBlock], None]:
    def change(block: ImportBlock) -> None:
        for item in block.source.imports():
            if item.bound in names:
                block.remove(item)

    return change


BLOCK = '''\
"""Models."""

from __future__ import annotations

import uuid

from django.db import models

from lab.places import Place

from .base import Base


class A:
    pass
'''


@pytest.mark.parametrize(
    ("module", "name", "before", "after"),
    [
        ("shop.models", "Item", "\nfrom .base", "from shop.models import Item\n\nfrom .base"),
        ("hashlib", "", "import uuid", "import hashlib\nimport uuid"),
        ("typing", "Any", "import uuid", "import uuid\nfrom typing import Any"),
        ("django.apps", "apps", "from django.db", "from django.apps import apps\nfrom django.db"),
        ("django.db", "transaction", "import models", "import models, transaction"),
        ("lab.places", "MAX", "import Place", "import MAX, Place"),
        (".audit", "Audit", "from .base", "from .audit import Audit\nfrom .base"),
        ("..far", "Far", "from .base", "from ..far import Far\nfrom .base"),
    ],
)
def test_a_name_is_added_at_its_place(module: str, name: str, before: str, after: str) -> None:
    assert edited(BLOCK, add(module, name)) == BLOCK.replace(before, after, 1)


def test_a_name_is_added__to_a_module_without_imports() -> None:
    assert edited("X = 1\n", add("django.db", "models")) == (
        "from django.db import models\n\n\nX = 1\n"
    )
    assert edited('"""X."""\n\nX = 1\n', add("django.db", "models")) == (
        '"""X."""\n\nfrom django.db import models\n\nX = 1\n'
    )
    assert edited("", add("a")) == "import a\n"


def test_a_section_is_added__first_and_last() -> None:
    assert edited("from django.db import models\n", add("uuid")) == (
        "import uuid\n\nfrom django.db import models\n"
    )
    assert edited("import uuid\n\nX = 1\n", add(".base", "Base")) == (
        "import uuid\n\nfrom .base import Base\n\nX = 1\n"
    )


def test_several_names_share_a_statement() -> None:
    def change(block: ImportBlock) -> None:
        block.add("shop.models", "Order")
        block.add("shop.models", "Item", "Thing")
        block.add("shop.models", "kept", comment="noqa")

    assert edited("", change) == (
        "from shop.models import Item as Thing, Order\nfrom shop.models import kept  # noqa\n"
    )


def test_a_long_statement_gets_a_line_for_each_name() -> None:
    text = "from shop.models import Alpha, Betas, Gamma, Delta, Zeta\n"
    assert edited(text, add("shop.models", "Theta")) == (
        "from shop.models import (\n"
        "    Alpha,\n    Betas,\n    Gamma,\n    Delta,\n    Zeta,\n    Theta,\n)\n"
    )
    exploded = "from shop.models import (\n    A,\n    B,\n)\n"
    assert edited(exploded, add("shop.models", "Ab")) == exploded.replace("A,\n", "A,\n    Ab,\n")
    assert edited(exploded, remove("A")) == "from shop.models import (\n    B,\n)\n"


def test_comments_stay_with_their_names() -> None:
    text = "from shop.models import (  # all\n    A,  # a\n    B,\n    C,  # c\n)\n"
    assert edited(text, remove("A")) == text.replace("    A,  # a\n", "")
    assert edited(text, add("shop.models", "D")) == text.replace("# c\n", "# c\n    D,\n")
    assert edited("from shop.models import A, B  # both\n", remove("B")) == (
        "from shop.models import A  # both\n"
    )


def test_a_statement_goes_with_its_last_name() -> None:
    assert edited(BLOCK, remove("Place")) == BLOCK.replace("from lab.places import Place\n\n", "")
    assert edited(BLOCK, remove("Base", "Place")) == BLOCK.replace(
        "from lab.places import Place\n\nfrom .base import Base\n\n", ""
    )
    assert edited("import a, b\n", remove("a")) == "import b\n"
    two = "import a\n\nimport lab\nimport shop\n\nX = 1\n"
    assert edited(two, remove("lab", "shop")) == "import a\n\nX = 1\n"


def test_a_block_for_type_checkers_goes_with_its_last_import() -> None:
    text = """\
    from typing import TYPE_CHECKING, Any

    if TYPE_CHECKING:
        from shop.models import Item


    class A:
        item: Item
    """
    assert edited(text, remove("Item")) == ("from typing import Any\n\nclass A:\n    item: Item\n")


def test_an_import_for_type_checkers_is_added() -> None:
    def change(block: ImportBlock) -> None:
        block.add_for_typing("from shop.models import Item")

    assert edited("import uuid\n\nX = 1\n", change) == (
        "import uuid\nfrom typing import TYPE_CHECKING\n\n"
        "if TYPE_CHECKING:\n    from shop.models import Item\n\nX = 1\n"
    )
    text = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import a\n"
    assert edited(text, change) == f"{text}    from shop.models import Item\n"


def test_an_import_in_a_function_is_replaced() -> None:
    def change(block: ImportBlock) -> None:
        (item,) = [each for each in block.source.imports() if each.bound == "Item"]
        block.replace(item, "from lab.models import Item")

    text = "def f():\n    from shop.models import {}\n    return Item\n"
    assert edited(text.format("Item"), change) == text.format("Item").replace("shop", "lab")
    assert edited(text.format("Item, Other"), change) == text.format(
        "Other\n    from lab.models import Item"
    )


def test_line_breaks_stay_those_of_the_file() -> None:
    text = "import uuid\r\n\r\nX = 1\r\n"
    assert edited(text, add("hashlib")) == f"import hashlib\r\n{text}"


def test_a_statement_is_added_below_the_imports() -> None:
    def change(block: ImportBlock) -> None:
        block.add_below("Item = find()")
        remove("B")(block)

    text = "import a\n\nfrom .b import B\n\n\nclass A:\n    pass\n"
    assert edited(text, change) == text.replace("from .b import B", "Item = find()")
