"""System checks: the exact message and hint of each id, and the declarations that are legal.

A test for a new id looks like this: declare the mistake in the registry of the fixture ``apps``,
and compare the problem with its id, message, hint and object::

    def test_e001(apps: Apps) -> None:
        depot = model("depot.Depot")
        order = model("shop.Order", depot=models.ForeignKey(depot, models.CASCADE))
        (problem,) = model_problems(apps)
        assert problem == ("E001", "shop.Order.depot is …", DOMAIN_DEPENDS, order)

Variants are named ``test_e001__case``. Checks of settings use ``override_settings`` and
:func:`settings_errors`; checks of migration files write them with the fixture ``migrations``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import AppConfig
from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.core.checks import ERROR, WARNING, CheckMessage, Tags
from django.core.checks.registry import registry
from django.db import connections, models
from django.test import override_settings
from django.test.utils import isolate_apps

from domain_migrations import checks
from domain_migrations.backends.postgresql.base import DatabaseWrapper
from domain_migrations.conf import Settings
from domain_migrations.domains import DomainConfig, get_domains
from domain_migrations.engine.boundary.declarations import (
    cross_database_key_problems,
    declaration_problems,
)
from domain_migrations.engine.boundary.installed_models import model_problems
from domain_migrations.engine.boundary.rule import CORE_DEPENDS, DOMAIN_DEPENDS, Problem
from domain_migrations.engine.runner.hooks.settings import USE_SIGNALS
from domain_migrations.engine.sessions.database_problems import check_backend_and_encoding
from domain_migrations.exceptions import InvalidConfiguration
from domain_migrations.fields import DomainReference
from domain_migrations.references.resolution import reference_problems
from domain_migrations.router import DomainRouter
from tests.support.catalog import HISTORIES, execute, histories, schemas
from tests.support.projects import Project, domain_app, plain_app

CUT = "PostgreSQL cuts names at 63 bytes; give it a shorter one."
SCHEMA_HINT = (
    "Choose a name of lower-case letters, digits and underscores that does not begin with a digit"
    " or pg_, of at most 63 bytes."
)
NAME_HINT = (
    "It is part of the names of the domain's history tables: choose lower-case letters, digits"
    " and underscores, at most 37 bytes."
)
THAI = "ยา"
"""Two characters of three bytes."""


def config(label: str, base: type[AppConfig] = DomainConfig, **attributes: Any) -> AppConfig:
    """Return an app that has no files."""
    return type("Config", (base,), {"path": "/nowhere", **attributes})(label, ModuleType(label))


@pytest.fixture
def apps() -> Iterator[Apps]:
    """The domains `shop` (of two apps) and `depot`, and `main` of core; models go in here."""
    with isolate_apps(
        config("main", AppConfig),
        config("shop"),
        config("depot"),
        config("counter", domain="shop"),
    ) as registry:
        yield registry


def model(label: str, *bases: type, table: str | None = "", **attributes: Any) -> Any:
    """`app.Name` in the registry of the fixture, by default in its domain's schema.

    `table`: None for Django's own; `meta` in the attributes adds to the class Meta.
    """
    app, name = label.split(".")
    meta = {"app_label": app, **attributes.pop("meta", {})}
    if table == "" and not meta.get("abstract") and not meta.get("proxy"):
        schema = {"counter": "shop"}.get(app, app)
        table = name.lower() if app == "main" else f'"{schema}"."{name.lower()}"'
    if table:
        meta["db_table"] = table
    values = {"__module__": __name__, "Meta": type("Meta", (), meta), **attributes}
    return type(name, bases or (models.Model,), values)


def found(problems: Iterable[Problem]) -> list[tuple[str, str, str]]:
    return [(problem.id, problem.message, problem.hint) for problem in problems]


def messages(found: Iterable[CheckMessage]) -> list[tuple[str, str, str | None]]:
    return [(str(message.id), message.msg, message.hint) for message in found]


# Relations


def test_relations__legal(apps: Apps) -> None:
    """To itself, to its own domain (of another app too) and to core; core to core."""
    user = model("main.User")
    model("main.Group", users=models.ManyToManyField("main.User"))
    base = model(
        "main.Stamped", meta={"abstract": True}, by=models.ForeignKey(user, models.CASCADE)
    )
    item = model("shop.Item", base, parent=models.ForeignKey("self", models.CASCADE))
    model(
        "counter.Sale",
        base,
        item=models.ForeignKey(item, models.CASCADE),
        text=models.OneToOneField("shop.Item", models.CASCADE, related_name="+"),
        users=models.ManyToManyField(user, related_name="+"),
        items=models.ManyToManyField("shop.Item", related_name="+", through="counter.SaleItem"),
    )
    model(
        "counter.SaleItem",
        item=models.ForeignKey(item, models.CASCADE, related_name="+"),
        sale=models.ForeignKey("counter.Sale", models.CASCADE),
    )
    model("shop.Special", item)
    model("shop.Customer", user)
    model("shop.Reader", user, meta={"proxy": True})

    assert found(model_problems(apps)) == []


def test_e001(apps: Apps) -> None:
    depot = model("depot.Depot")
    order = model("shop.Order", depot=models.ForeignKey(depot, models.CASCADE))

    (problem,) = model_problems(apps)

    assert problem == (
        "E001",
        'shop.Order.depot is a foreign key to depot.Depot, but it belongs to the domain "depot".',
        DOMAIN_DEPENDS,
        order,
    )


@pytest.mark.parametrize("target", ["depot.Depot", "depot.Missing"])
def test_e001__string(apps: Apps, target: str) -> None:
    model("shop.Order", depot=models.ForeignKey(target, models.CASCADE))
    model("depot.Depot")

    assert found(model_problems(apps)) == [
        (
            "E001",
            f'shop.Order.depot is a foreign key to {target}, but it belongs to the domain "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e001__core_to_a_domain(apps: Apps) -> None:
    model("main.User", depot=models.ForeignKey("depot.Depot", models.CASCADE))
    model("depot.Depot")

    assert found(model_problems(apps)) == [
        (
            "E001",
            "main.User.depot is a foreign key to depot.Depot, but core may not depend on domains,"
            ' and it belongs to the domain "depot".',
            CORE_DEPENDS,
        )
    ]


def test_e001__second_app_of_a_domain(apps: Apps) -> None:
    model("counter.Sale", depot=models.ForeignKey("depot.Depot", models.CASCADE))
    model("depot.Depot", sale=models.ForeignKey("counter.Sale", models.CASCADE))

    assert found(model_problems(apps)) == [
        (
            "E001",
            "depot.Depot.sale is a foreign key to counter.Sale, but it belongs to the domain"
            ' "shop".',
            DOMAIN_DEPENDS,
        ),
        (
            "E001",
            "counter.Sale.depot is a foreign key to depot.Depot, but it belongs to the domain"
            ' "depot".',
            DOMAIN_DEPENDS,
        ),
    ]


def test_e001__without_constraint(apps: Apps) -> None:
    """No constraint, but joins and a migration that depends on the other's."""
    model("depot.Depot")
    field = models.ForeignKey("depot.Depot", models.DO_NOTHING, db_constraint=False)
    model("shop.Order", depot=field)

    assert [problem.id for problem in model_problems(apps)] == ["E001"]


def test_e001__of_an_abstract_base(apps: Apps) -> None:
    """Told of each model that has the field."""
    depot = models.ForeignKey("depot.Depot", models.CASCADE)
    base = model("shop.Base", meta={"abstract": True}, depot=depot)
    model("depot.Depot")
    model("shop.Order", base)

    assert [problem.message for problem in model_problems(apps)] == [
        'shop.Order.depot is a foreign key to depot.Depot, but it belongs to the domain "depot".'
    ]


@override_settings(SHOP_ITEM_MODEL="depot.Article")
def test_e001__swapped(apps: Apps) -> None:
    """The model that is swapped in decides; the one that is swapped out has no table."""
    model("shop.Item", table='"x', meta={"swappable": "SHOP_ITEM_MODEL"})
    model("shop.Order", item=models.ForeignKey("depot.Article", models.CASCADE))
    model("depot.Article")

    assert found(model_problems(apps)) == [
        (
            "E001",
            "shop.Order.item is a foreign key to depot.Article, but it belongs to the domain"
            ' "depot".',
            DOMAIN_DEPENDS,
        )
    ]


@override_settings(AUTH_USER_MODEL="main.User")
def test_relations__legal_swapped_in_by_core(apps: Apps) -> None:
    model("main.User")
    model("shop.Order", by=models.ForeignKey("main.User", models.CASCADE))

    assert found(model_problems(apps)) == []


def test_e002(apps: Apps) -> None:
    model("depot.Depot")
    model("shop.Order", depot=models.OneToOneField("depot.Depot", models.CASCADE))

    assert found(model_problems(apps)) == [
        (
            "E002",
            "shop.Order.depot is a one-to-one to depot.Depot, but it belongs to the domain"
            ' "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e002__core_to_a_domain(apps: Apps) -> None:
    model("main.User", depot=models.OneToOneField("depot.Depot", models.CASCADE))

    assert found(model_problems(apps)) == [
        (
            "E002",
            "main.User.depot is a one-to-one to depot.Depot, but core may not depend on domains,"
            ' and it belongs to the domain "depot".',
            CORE_DEPENDS,
        )
    ]


@pytest.mark.parametrize("target", ["depot.Depot", "depot.Missing"])
def test_e003(apps: Apps, target: str) -> None:
    """Once: the automatic table's own foreign keys are the same mistake."""
    model("depot.Depot")
    model("shop.Order", depots=models.ManyToManyField(target))

    assert found(model_problems(apps)) == [
        (
            "E003",
            f"shop.Order.depots is a many-to-many to {target}, but it belongs to the domain"
            ' "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e003__core_to_a_domain(apps: Apps) -> None:
    model("depot.Depot")
    model("main.User", depots=models.ManyToManyField("depot.Depot"))

    assert found(model_problems(apps)) == [
        (
            "E003",
            "main.User.depots is a many-to-many to depot.Depot, but core may not depend on domains,"
            ' and it belongs to the domain "depot".',
            CORE_DEPENDS,
        )
    ]


def test_e003__through_a_model_of_its_own(apps: Apps) -> None:
    model("depot.Depot")
    model("shop.Order", depots=models.ManyToManyField("depot.Depot", through="shop.Stop"))
    model(
        "shop.Stop",
        order=models.ForeignKey("shop.Order", models.CASCADE),
        depot=models.ForeignKey("depot.Depot", models.CASCADE),
    )

    assert [(problem.id, problem.message) for problem in model_problems(apps)] == [
        (
            "E003",
            "shop.Order.depots is a many-to-many to depot.Depot, but it belongs to the domain"
            ' "depot".',
        ),
        (
            "E001",
            "shop.Stop.depot is a foreign key to depot.Depot, but it belongs to the domain"
            ' "depot".',
        ),
    ]


def test_e004(apps: Apps) -> None:
    model("main.User")
    model("shop.Order", users=models.ManyToManyField("main.User", through="depot.Stop"))
    model(
        "depot.Stop",
        order=models.BigIntegerField(),
        user=models.ForeignKey("main.User", models.CASCADE),
    )

    assert found(model_problems(apps)) == [
        (
            "E004",
            "shop.Order.users is a many-to-many through depot.Stop, but it belongs to the domain"
            ' "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e004__string_that_is_not_resolved(apps: Apps) -> None:
    model("main.User")
    model("shop.Order", users=models.ManyToManyField("main.User", through="depot.Missing"))

    assert found(model_problems(apps)) == [
        (
            "E004",
            "shop.Order.users is a many-to-many through depot.Missing, but it belongs to the"
            ' domain "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e004__core_through_a_domain(apps: Apps) -> None:
    """With the keys that make it one: each is a mistake of its own or of none."""
    model("main.User")
    model("main.Group", users=models.ManyToManyField("main.User", through="shop.Member"))
    model(
        "shop.Member",
        user=models.ForeignKey("main.User", models.CASCADE),
        group=models.ForeignKey("main.Group", models.CASCADE),
    )

    assert found(model_problems(apps)) == [
        (
            "E004",
            "main.Group.users is a many-to-many through shop.Member, but core may not depend on"
            ' domains, and it belongs to the domain "shop".',
            CORE_DEPENDS,
        )
    ]


def test_e005__multi_table(apps: Apps) -> None:
    """Once: the link that Django makes is the inheritance."""
    depot = model("depot.Depot")
    model("shop.Shop", depot)

    assert found(model_problems(apps)) == [
        (
            "E005",
            'shop.Shop inherits from depot.Depot, but it belongs to the domain "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e005__multi_table_with_a_link_of_its_own(apps: Apps) -> None:
    depot = model("depot.Depot")
    link = models.OneToOneField(depot, models.CASCADE, parent_link=True)
    model("shop.Shop", depot, depot_link=link)

    assert [problem.id for problem in model_problems(apps)] == ["E005", "E002"]


def test_e005__abstract(apps: Apps) -> None:
    base = model("depot.Base", meta={"abstract": True})
    model("shop.Shop", base)

    assert found(model_problems(apps)) == [
        (
            "E005",
            'shop.Shop inherits from depot.Base, but it belongs to the domain "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e005__proxy(apps: Apps) -> None:
    depot = model("depot.Depot")
    model("shop.Shop", depot, meta={"proxy": True})

    assert found(model_problems(apps)) == [
        (
            "E005",
            'shop.Shop inherits from depot.Depot, but it belongs to the domain "depot".',
            DOMAIN_DEPENDS,
        )
    ]


def test_e005__core_from_a_domain(apps: Apps) -> None:
    depot = model("depot.Depot")
    model("main.Place", depot)

    assert found(model_problems(apps)) == [
        (
            "E005",
            "main.Place inherits from depot.Depot, but core may not depend on domains, and it"
            ' belongs to the domain "depot".',
            CORE_DEPENDS,
        )
    ]


def test_e005__reported_once_for_a_chain(apps: Apps) -> None:
    """Of the nearest of the other domain's bases; a grandchild's child tells of its own."""
    base = model("depot.Base", meta={"abstract": True})
    depot = model("depot.Depot", base)
    model("shop.Shop", depot)

    assert [problem.message for problem in model_problems(apps)] == [
        'shop.Shop inherits from depot.Depot, but it belongs to the domain "depot".'
    ]


def test_e006(apps: Apps) -> None:
    model(
        "depot.Tag",
        content_type=models.IntegerField(),
        object_id=models.IntegerField(),
        content_object=GenericForeignKey(),
    )
    model("shop.Order", tags=GenericRelation("depot.Tag"))

    assert found(model_problems(apps)) == [
        (
            "E006",
            "shop.Order.tags is a generic relation to depot.Tag, but it belongs to the domain"
            ' "depot".',
            DOMAIN_DEPENDS,
        )
    ]


# Names of tables


@pytest.mark.parametrize(
    ("table", "schema", "name", "line"),
    [
        ("orders", "public", "orders", "orders"),
        ('"orders"', "public", "orders", "orders"),
        (None, "public", "shop_order", "order"),
        ('"depot"."orders"', "depot", "orders", "orders"),
        ('depot"."orders', "depot", "orders", "orders"),
        ('"nobodys"."orders"', "nobodys", "orders", "orders"),
        ('"Shop"."orders"', "Shop", "orders", "orders"),
        ('"depot"."a ""b"" c"', "depot", 'a "b" c', 'a ""b"" c'),
    ],
    ids=["unqualified", "quoted", "default", "other", "half", "nobodys", "upper", "quotes"],
)
def test_e007(apps: Apps, table: str | None, schema: str, name: str, line: str) -> None:
    order = model("shop.Order", table=table)

    (problem,) = model_problems(apps)

    assert problem == (
        "E007",
        f'The table of shop.Order is "{name}" in the schema "{schema}", outside the schema "shop"'
        ' of the domain "shop".',
        f'db_table = \'"shop"."{line}"\'',
        order,
    )


def test_e007__hint_is_valid_python(apps: Apps) -> None:
    model("counter.Sale", table="it's")
    (problem,) = model_problems(apps)
    pasted: dict[str, str] = {}
    exec(problem.hint, pasted)  # noqa: S102  the reader pastes it

    model("counter.Sold", table=pasted["db_table"])

    assert pasted["db_table"] == '"shop"."it\'s"'
    assert [problem.obj.__name__ for problem in model_problems(apps)] == ["Sale"]


def test_e007__core_in_a_domains_schema(apps: Apps) -> None:
    model("main.User", table='"shop"."users"')
    model("main.Report", table='"reports"."monthly"')

    assert found(model_problems(apps)) == [
        (
            "E007",
            'The table of main.User is "users" in the schema "shop", outside the schema "public"'
            " of core.",
            "db_table = 'users'",
        )
    ]


def test_e007__automatic_many_to_many(apps: Apps) -> None:
    items = models.ManyToManyField("shop.Item", db_table="order_items")
    model("shop.Item")
    model("shop.Order", items=items)

    assert found(model_problems(apps)) == [
        (
            "E007",
            'The table of shop.Order.items is "order_items" in the schema "public", outside the'
            ' schema "shop" of the domain "shop".',
            'db_table = \'"shop"."order_items"\'',
        )
    ]


def test_e007__unmanaged(apps: Apps) -> None:
    """A model of a view may show core's table, never another domain's or nobody's."""
    model("shop.User", table="users", meta={"managed": False})
    model("shop.Depot", table='"depot"."depots"', meta={"managed": False})
    model("shop.Odd", table='"odd"."odds"', meta={"managed": False})

    assert [problem.message.split(" is ")[0] for problem in model_problems(apps)] == [
        "The table of shop.Depot",
        "The table of shop.Odd",
    ]


@pytest.mark.parametrize(
    "table", ['"shop".orders', 'shop"."', '"a"."b"."c"', '"shop"."orders', '"""', 'or"ders']
)
def test_e008(apps: Apps, table: str) -> None:
    model("shop.Order", table=table)

    assert found(model_problems(apps)) == [
        (
            "E008",
            f"The table of shop.Order has a malformed name: db_table = {table!r}.",
            'db_table = \'"shop"."order"\'',
        )
    ]


def test_e008__core(apps: Apps) -> None:
    model("main.User", table='public."users"')

    assert found(model_problems(apps)) == [
        (
            "E008",
            "The table of main.User has a malformed name: db_table = 'public.\"users\"'.",
            "db_table = 'user'",
        )
    ]


def test_e008__automatic_many_to_many(apps: Apps) -> None:
    model("shop.Item")
    model("shop.Order", items=models.ManyToManyField("shop.Item", db_table='"shop".items'))

    assert found(model_problems(apps)) == [
        (
            "E008",
            "The table of shop.Order.items has a malformed name: db_table = '\"shop\".items'.",
            'db_table = \'"shop"."order_items"\'',
        )
    ]


def test_e008__with_an_automatic_many_to_many(apps: Apps) -> None:
    """Its table's name is made of the malformed one."""
    model("shop.Item")
    model("shop.Order", table='"shop".orders', items=models.ManyToManyField("shop.Item"))

    assert found(model_problems(apps)) == [
        (
            "E008",
            "The table of shop.Order has a malformed name: db_table = '\"shop\".orders'.",
            'db_table = \'"shop"."order"\'',
        ),
        (
            "E008",
            "The table of shop.Order.items has a malformed name: db_table ="
            " '\"shop\".orders_items'.",
            'db_table = \'"shop"."order_items"\'',
        ),
    ]


# Lengths


def long(kind: str, label: str, name: str) -> tuple[str, str, str]:
    size = len(name.encode())
    return "E009", f'The {kind} of {label} has a name of {size} bytes: "{name}".', CUT


def test_e009__table(apps: Apps) -> None:
    """The table's name alone counts, without its schema; a byte is not a character."""
    fits, cut = "x" + 31 * "é", 32 * "é"
    model("shop.Fits", table=f'"shop"."{fits}"')
    model("shop.Cut", table=f'"shop"."{cut}"')

    assert (len(fits.encode()), len(cut.encode())) == (63, 64)
    assert found(model_problems(apps)) == [long("table", "shop.Cut", cut)]


def test_e009__message(apps: Apps) -> None:
    model("shop.Order", table='"shop"."{}"'.format(64 * "o"))

    assert found(model_problems(apps)) == [
        (
            "E009",
            f'The table of shop.Order has a name of 64 bytes: "{64 * "o"}".',
            "PostgreSQL cuts names at 63 bytes; give it a shorter one.",
        )
    ]


def test_e009__core(apps: Apps) -> None:
    model("main.User", table=22 * "ย")

    assert found(model_problems(apps)) == [long("table", "main.User", 22 * "ย")]


def test_e009__column(apps: Apps) -> None:
    model(
        "shop.Order",
        fits=models.IntegerField(db_column=21 * "ย"),
        cut=models.IntegerField(db_column=22 * "ย"),
    )
    assert found(model_problems(apps)) == [long("column", "shop.Order.cut", 22 * "ย")]


def test_e009__column_of_a_key(apps: Apps) -> None:
    """The column has `_id` after the field's name."""
    name = 61 * "k"
    model("shop.Item")
    model("shop.Order", **{name: models.ForeignKey("shop.Item", models.CASCADE)})

    assert found(model_problems(apps)) == [long("column", f"shop.Order.{name}", f"{name}_id")]


def test_e009__automatic_many_to_many(apps: Apps) -> None:
    """Django cuts such a name by characters, PostgreSQL by bytes."""
    model("shop.Item")
    model("shop.Order", table=f'"shop"."{20 * "ย"}"', items=models.ManyToManyField("shop.Item"))

    assert found(model_problems(apps)) == [long("table", "shop.Order.items", f"{20 * 'ย'}_items")]


def test_e009__column_of_an_automatic_many_to_many(apps: Apps) -> None:
    name = "Z" + 61 * "z"
    model("shop.Item")
    model(f"shop.{name}", table='"shop"."z"', items=models.ManyToManyField("shop.Item"))

    column = f"{name.lower()}_id"
    assert found(model_problems(apps)) == [
        long("column", f"shop.{name}.items.{name.lower()}", column)
    ]


def test_e009__index(apps: Apps) -> None:
    """Django allows 30 characters, which may be 120 bytes."""
    index = models.Index(fields=["id"], name=22 * "ย")
    model("shop.Order", meta={"indexes": [models.Index(fields=["id"], name=21 * "ก"), index]})

    assert found(model_problems(apps)) == [long("index", "shop.Order", 22 * "ย")]


@pytest.mark.parametrize(
    "constraint",
    [
        models.UniqueConstraint(fields=["id"], name=f"{THAI}{58 * 'u'}"),
        models.CheckConstraint(condition=models.Q(id__gt=0), name=f"{THAI}{58 * 'u'}"),
    ],
    ids=["unique", "check"],
)
def test_e009__constraint(apps: Apps, constraint: models.BaseConstraint) -> None:
    model("shop.Order", meta={"constraints": [constraint]})

    assert found(model_problems(apps)) == [long("constraint", "shop.Order", constraint.name)]


def test_w003(apps: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that only a package could change are no error, in core and in a domain."""
    for label in ("main", "shop"):
        monkeypatch.setattr(apps.get_app_config(label), "path", f"/venv/site-packages/{label}")
    hint = (
        "The name is an installed package's, which the project cannot change. To silence the"
        ' warning: SILENCED_SYSTEM_CHECKS = ["domain_migrations.W003"]'
    )
    model("main.Tag", table=64 * "t")
    model("main.Odd", table='"odd')
    model("shop.Order", meta={"indexes": [models.Index(fields=["id"], name=22 * "ย")]})

    assert found(model_problems(apps)) == [
        (
            "W003",
            f'The table of main.Tag has a name of 64 bytes: "{64 * "t"}".',
            hint,
        ),
        ("W003", "The table of main.Odd has a malformed name: db_table = '\"odd'.", hint),
        (
            "W003",
            f'The index of shop.Order has a name of 66 bytes: "{22 * "ย"}".',
            hint,
        ),
    ]


def test_w003__core(apps: Apps) -> None:
    """A project that exists has such names, which PostgreSQL cuts in every database."""
    model(
        "main.Tag",
        meta={
            "indexes": [models.Index(fields=["id"], name=22 * "ย")],
            "constraints": [models.UniqueConstraint(fields=["id"], name=64 * "u")],
        },
    )
    hint = (
        "PostgreSQL cuts names at 63 bytes, everywhere in the same way; give it a shorter one, or"
        ' silence the warning: SILENCED_SYSTEM_CHECKS = ["domain_migrations.W003"]'
    )
    assert found(model_problems(apps)) == [
        ("W003", f'The index of main.Tag has a name of 66 bytes: "{22 * "ย"}".', hint),
        ("W003", f'The constraint of main.Tag has a name of 64 bytes: "{64 * "u"}".', hint),
    ]


# Declarations


def declared(*configs: AppConfig) -> list[tuple[str, str, str]]:
    return found(declaration_problems(Apps(configs)))


def test_declarations__legal() -> None:
    assert (
        declared(
            config("main", AppConfig),
            config("shop"),
            config("counter", domain="shop"),
            config("depot", schema="_depot2", domain="a" * 37),
            config("far", schema="f" * 63),
        )
        == []
    )


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ('sh"op', "has a name that would need escaping"),
        ("shop;--", "has a name that would need escaping"),
        ("the shop", "has a name that would need escaping"),
        ("shop.a", "has a name that would need escaping"),
        ("2shop", "has a name that would need escaping"),
        ("shop\n", "has a name that would need escaping"),
        (THAI, "has a name that would need escaping"),
        ("Shop", "has a name that would need escaping"),
        ("pg_shop", "has a name that PostgreSQL reserves"),
        ("public", "is core's"),
        ("information_schema", "is PostgreSQL's own"),
        ("s" * 64, "has a name of 64 bytes"),
        ("é" * 32, "has a name of 64 bytes"),
    ],
)
def test_e010(schema: str, wrong: str) -> None:
    assert declared(config("shop", schema=schema)) == [
        ("E010", f'The schema "{schema}" of the domain "shop" {wrong}.', SCHEMA_HINT)
    ]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("a" * 38, "has 38 bytes"),
        ("é" * 19, "has 38 bytes"),
        ("Shop", "would need escaping"),
        ('sh"op', "would need escaping"),
        ("é" * 18, "would need escaping"),
    ],
)
def test_e011(name: str, wrong: str) -> None:
    assert declared(config("shop", domain=name, schema="shop")) == [
        ("E011", f'The name of the domain "{name}" {wrong}.', NAME_HINT)
    ]


@pytest.mark.parametrize(
    ("label", "attributes"),
    [("core", {}), ("shop", {"domain": "core"}), ("core", {"schema": "public"})],
)
def test_e011__core(label: str, attributes: dict[str, str]) -> None:
    assert declared(config("main", AppConfig), config(label, **attributes)) == [
        (
            "E011",
            f'The app "{label}" declares the domain "core", which is reserved for the apps'
            " that declare none.",
            'Make its config an AppConfig, or give it a domain of another name: domain = "…".',
        )
    ]


def test_e012() -> None:
    assert declared(config("shop"), config("depot", schema="shop")) == [
        (
            "E012",
            'The domains "shop" and "depot" both use the schema "shop".',
            'Give "depot" a schema of its own: schema = "depot".',
        )
    ]


def test_e013() -> None:
    assert declared(
        config("shop"),
        config("counter", domain="shop", schema="counter"),
        config("till", domain="shop"),
    ) == [
        (
            "E013",
            'The apps "shop" and "counter" of the domain "shop" disagree on its schema: "shop" and'
            ' "counter".',
            'Write schema = "shop" in the config of "counter".',
        )
    ]


# Settings


@contextmanager
def database(alias: str, engine: str) -> Iterator[None]:
    """One more alias, with the server of "default"; nothing connects to it."""
    connections.settings[alias] = {**connections.settings["default"], "ENGINE": engine}
    try:
        yield
    finally:
        if hasattr(connections._connections, alias):
            del connections[alias]
        del connections.settings[alias]


def settings_errors() -> list[tuple[str, str, str | None]]:
    result = checks.check_settings(None)
    assert {message.level for message in result} <= {ERROR}
    return messages(result)


def test_settings__legal() -> None:
    assert settings_errors() == []


@pytest.mark.parametrize("engine", ["django.db.backends.postgresql", "django.db.backends.sqlite3"])
@override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"hr": "archive"}})
def test_e014(engine: str) -> None:
    with database("archive", engine):
        assert settings_errors() == [
            (
                "domain_migrations.E014",
                f'The database "archive" has the engine {engine}, which does not support the names'
                " of domains' tables.",
                '"ENGINE": "domain_migrations.backends.postgresql"',
            )
        ]


def test_e014__databases_without_domains_may_have_any() -> None:
    with database("archive", "django.db.backends.sqlite3"):
        assert settings_errors() == []


@override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"hr": "archive"}})
def test_e014__subclasses_are_accepted() -> None:
    class Counting(DatabaseWrapper):
        pass

    with database("archive", "elsewhere.counting"):
        connections["archive"] = Counting(connections.settings["archive"], "archive")
        assert settings_errors() == []


@override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"hr": "archive"}})
def test_e025() -> None:
    """A run refuses such a backend too."""
    message = (
        'The schema editor of the database "archive" (elsewhere.direct) runs every migration'
        " without a transaction, so a migration that fails or that the guard refuses could not be"
        " rolled back."
    )
    hint = (
        'Set "ENGINE": "domain_migrations.backends.postgresql". Without downtime, migrate with'
        " AddIndexConcurrently, migrate_domain --stage and lint_domain."
    )

    class Editor(DatabaseWrapper.SchemaEditorClass):  # type: ignore[misc, name-defined]
        def __init__(self, connection: Any, collect_sql: bool = False, atomic: bool = True) -> None:
            super().__init__(connection, collect_sql, atomic=False)

    class Direct(DatabaseWrapper):
        SchemaEditorClass = Editor

    with database("archive", "elsewhere.direct"):
        connections["archive"] = Direct(connections.settings["archive"], "archive")
        assert settings_errors() == [("domain_migrations.E025", message, hint)]
        with pytest.raises(InvalidConfiguration, match="runs every migration without"):
            check_backend_and_encoding(connections["archive"])


@override_settings(DATABASE_ROUTERS=[])
def test_e015() -> None:
    assert settings_errors() == [
        (
            "domain_migrations.E015",
            "DATABASE_ROUTERS has no domain router, so nothing stops an assignment across domains.",
            'DATABASE_ROUTERS = ["domain_migrations.router.DomainRouter"]',
        )
    ]


def test_e015__subclasses_are_accepted() -> None:
    class Ours(DomainRouter):
        pass

    with override_settings(DATABASE_ROUTERS=[Ours()]):
        assert settings_errors() == []


def test_e016() -> None:
    with override_settings(INSTALLED_APPS=["django.contrib.contenttypes", "domain_migrations"]):
        assert settings_errors() == [
            (
                "domain_migrations.E016",
                'The app "django.contrib.contenttypes" is listed before "domain_migrations", so its'
                " commands may be used.",
                'Put "domain_migrations" first in INSTALLED_APPS.',
            )
        ]


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            {"LOCK_WAIT": "60"},
            'DOMAIN_MIGRATIONS["LOCK_WAIT"] takes seconds, 0 or more.',
            '"LOCK_WAIT": 60.0',
        ),
        (
            {"STATEMENT_TIMEOUT": -1},
            'DOMAIN_MIGRATIONS["STATEMENT_TIMEOUT"] takes seconds, 0 or more.',
            '"STATEMENT_TIMEOUT": 0.0',
        ),
        (
            {"RETRIES": 1.5},
            'DOMAIN_MIGRATIONS["RETRIES"] takes a whole number, 0 or more.',
            '"RETRIES": 5',
        ),
        (
            {"UNDECLARED_REMOVALS": "before"},
            'DOMAIN_MIGRATIONS["UNDECLARED_REMOVALS"] takes refuse or after.',
            '"UNDECLARED_REMOVALS": "refuse"',
        ),
    ],
)
def test_e018__value(given: dict[str, Any], message: str, hint: str) -> None:
    with override_settings(DOMAIN_MIGRATIONS=given):
        assert settings_errors() == [("domain_migrations.E018", message, hint)]


@override_settings(DOMAIN_MIGRATIONS={"LOCKWAIT": 1})
def test_e018__unknown_setting() -> None:
    assert settings_errors() == [
        (
            "domain_migrations.E018",
            "DOMAIN_MIGRATIONS has no setting LOCKWAIT.",
            f"The settings are {', '.join(field.name.upper() for field in fields(Settings))}.",
        )
    ]
    assert checks.check_dependencies(None) == []
    assert checks.check_histories(None, databases=["default"]) == []


EXAMPLE = '["program", "argument"]'
AT = 'DOMAIN_MIGRATIONS["HOOKS"]["core"]["before"]'


@pytest.mark.parametrize(
    ("hook", "message", "hint"),
    [
        (
            "pg_dump -n core",
            f"{AT}[0] is a string, not a command: 'pg_dump -n core'.",
            'For a command, write the program and each argument: ["pg_dump", "-n", "core"].'
            f" For Python code: {USE_SIGNALS}",
        ),
        (
            {"command": "pg_dump -n core"},
            f"{AT}[0] is a command as a string, which no shell reads: 'pg_dump -n core'.",
            'Write the program and each argument: ["pg_dump", "-n", "core"]',
        ),
        ([], f"{AT}[0] is an empty command.", f"Write {EXAMPLE}."),
        (
            ["sleep", 3],
            f"{AT}[0] has an argument that is not a string: ['sleep', 3].",
            "Convert each argument to a string, with str().",
        ),
        (7, f"{AT}[0] is not a hook: 7.", f"Write {EXAMPLE}."),
        (
            {"callable": "config.hooks.pause", "timeout": 30},
            f"{AT}[0] has a callable, but hooks are commands.",
            USE_SIGNALS,
        ),
        (
            {"command": ["true"], "shell": True},
            f"{AT}[0] has no option shell.",
            "The options are command, name, timeout, environment, credentials.",
        ),
        (
            {"timeout": 3},
            f"{AT}[0] has no command.",
            "The options are command, name, timeout, environment, credentials.",
        ),
        (
            {"command": ["true"], "timeout": -1},
            f"{AT}[0]: timeout takes seconds, 0 or more.",
            '"timeout": 300',
        ),
        (
            {"command": ["true"], "environment": "WEBHOOK_URL"},
            f"{AT}[0]: environment takes a list of the names of variables.",
            '"environment": ["WEBHOOK_URL"]',
        ),
    ],
)
def test_e024__hook(hook: object, message: str, hint: str) -> None:
    with override_settings(DOMAIN_MIGRATIONS={"HOOKS": {"core": {"before": [hook]}}}):
        assert settings_errors() == [("domain_migrations.E024", message, hint)]


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        (
            {"HOOKS": {"inventroy": {}}},
            'DOMAIN_MIGRATIONS["HOOKS"]["inventroy"]: There is no domain "inventroy". Did you mean'
            ' "inventory"?',
            f"The domains are {', '.join(HISTORIES)}.",
        ),
        (
            {"HOOKS": {"*": ["true"]}},
            'DOMAIN_MIGRATIONS["HOOKS"]["*"] is not a dictionary.',
            '"*": {"before": []}',
        ),
        (
            {"HOOKS": {"core": {"during": []}}},
            'DOMAIN_MIGRATIONS["HOOKS"]["core"]["during"]: unknown event.',
            "The events are before, after, failed.",
        ),
        (
            {"HOOKS": {"core": {"before": "true"}}},
            f"{AT} is not a list of hooks.",
            f'"before": [{EXAMPLE}]',
        ),
        (
            {"HOOKS": ["true"]},
            'DOMAIN_MIGRATIONS["HOOKS"] is not a dictionary.',
            '"HOOKS": {"*": {}}',
        ),
        (
            {"HOOK_TIMEOUT": "5"},
            'DOMAIN_MIGRATIONS["HOOK_TIMEOUT"] takes seconds, 0 or more.',
            '"HOOK_TIMEOUT": 300',
        ),
    ],
)
def test_e024__setting(setting: dict[str, object], message: str, hint: str) -> None:
    with override_settings(DOMAIN_MIGRATIONS=setting):
        assert settings_errors() == [("domain_migrations.E024", message, hint)]


@override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"hr": "nowhere"}})
def test_e018__unknown_database() -> None:
    assert settings_errors() == [
        (
            "domain_migrations.E018",
            'The domain "hr" is on the database "nowhere", which is not in DATABASES.',
            'Add "nowhere" to DATABASES, or remove "hr" from DOMAIN_MIGRATIONS.',
        )
    ]


# Migrations


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """`migrations(app, body)`: the app's only migration is a file that must not be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules: dict[str, str] = {}

    def write(app: str, body: str, *, head: str = "") -> Path:
        modules[app] = f"{app}_{tmp_path.name}_elsewhere"
        folder = tmp_path / modules[app]
        folder.mkdir()
        (folder / "__init__.py").touch()
        path = folder / "0001_initial.py"
        lines = [head, "from django.conf import settings", "from django.db import migrations"]
        lines += ["raise RuntimeError('imported')", "class Migration(migrations.Migration):"]
        path.write_text("\n".join([*lines, *(f"    {line}" for line in body.splitlines())]))
        return path

    with override_settings(MIGRATION_MODULES=modules):
        yield write
    assert not [name for name in sys.modules if name.startswith(tuple(modules.values()))]


def e017(
    declared_by: str, child: str, parent: str, other: tuple[str, str], word: str = "dependencies"
) -> tuple[str, str, str]:
    former = (
        " If it is applied, leave it: convert the foreign keys with ConvertToReference, and add"
        f' former_dependencies = ["{other[0]}"] to the class Migration that does it.'
    )
    return (
        "domain_migrations.E017",
        f"The migration {declared_by} makes {child} depend on {parent}.",
        f"Remove {other!r} from {word} in 0001_initial.py: keep the other's id instead of a foreign"
        " key, or move what both need to core." + (former if word == "dependencies" else ""),
    )


def test_e017(migrations: Callable[..., Path]) -> None:
    migrations("hr", 'dependencies = [("core", "0001_initial"), ("inventory", "0002_x")]')

    (error,) = checks.check_dependencies(None)

    assert messages([error]) == [
        (
            "domain_migrations.E017",
            "The migration hr.0001_initial makes hr.0001_initial of hr depend on inventory.0002_x"
            " of inventory.",
            "Remove ('inventory', '0002_x') from dependencies in 0001_initial.py: keep the other's"
            " id instead of a foreign key, or move what both need to core. If it is applied, leave"
            " it: convert the foreign keys with ConvertToReference, and add former_dependencies ="
            ' ["inventory"] to the class Migration that does it.',
        )
    ]
    assert error.level == ERROR
    assert error.obj is global_apps.get_app_config("hr")
    assert checks.check_dependencies([global_apps.get_app_config("hr")]) == [error]
    assert checks.check_dependencies([global_apps.get_app_config("inventory")]) == []


def test_e017__core_on_a_domain(migrations: Callable[..., Path]) -> None:
    migrations("core", 'dependencies = [("hr", "__first__")]')

    assert messages(checks.check_dependencies(None)) == [
        e017(
            "core.0001_initial",
            "core.0001_initial of core",
            "hr.__first__ of hr",
            ("hr", "__first__"),
        )
    ]


def test_e017__run_before(migrations: Callable[..., Path]) -> None:
    """Which makes the other's migration depend on this one; core may not, a domain neither."""
    migrations("hr", 'run_before = [("inventory", "0001_initial"), ("core", "0002_y")]')

    assert messages(checks.check_dependencies(None)) == [
        e017(
            "hr.0001_initial",
            "inventory.0001_initial of inventory",
            "hr.0001_initial of hr",
            ("inventory", "0001_initial"),
            "run_before",
        ),
        e017(
            "hr.0001_initial",
            "core.0002_y of core",
            "hr.0001_initial of hr",
            ("core", "0002_y"),
            "run_before",
        ),
    ]


def test_e017__run_before_of_a_domain_in_core(migrations: Callable[..., Path]) -> None:
    """A domain may stand on core, but core does not name it."""
    migrations("core", 'run_before = [("hr", "0001_initial")]')

    assert messages(checks.check_dependencies(None)) == [
        (
            "domain_migrations.E017",
            "The migration core.0001_initial makes hr.0001_initial of hr depend on"
            " core.0001_initial of core.",
            "Remove ('hr', '0001_initial') from run_before in 0001_initial.py: core may not depend"
            " on domains. If hr.0001_initial needs it, add ('core', '0001_initial') to its"
            " dependencies.",
        )
    ]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", 'dependencies = (("finance", "0001_initial"),)'),
        ("", 'dependencies: list = [("finance", "0001_initial")]'),
        ("", 'dependencies = [("core", "0001_initial")] + [("finance", "0001_initial")]'),
        ('OTHER = [("finance", "0001_initial")]', "dependencies = [*OTHER]"),
        ('OTHER = [("finance", "0001_initial")]', "dependencies = OTHER"),
        ('APP = "finance"', 'dependencies = [(APP, "0001_initial")]'),
    ],
    ids=["tuple", "annotated", "sum", "starred", "name", "constant"],
)
def test_e017__spellings(migrations: Callable[..., Path], head: str, body: str) -> None:
    migrations("hr", body, head=head)

    assert messages(checks.check_dependencies(None)) == [
        e017(
            "hr.0001_initial",
            "hr.0001_initial of hr",
            "finance.0001_initial of finance",
            ("finance", "0001_initial"),
        )
    ]


def test_e017__computed(migrations: Callable[..., Path]) -> None:
    """What a tree does not tell, the loader finds for the domain that it loads."""
    migrations("hr", 'dependencies = [pair for pair in [("finance", "0001_initial")]]')

    assert checks.check_dependencies(None) == []


def test_e017__swappable(migrations: Callable[..., Path]) -> None:
    body = "dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]"
    migrations("hr", body)

    assert checks.check_dependencies(None) == []
    with override_settings(AUTH_USER_MODEL="finance.Account"):
        hr = global_apps.get_app_config("hr")
        errors = [error for error in checks.check_dependencies(None) if error.obj is hr]
        assert messages(errors) == [
            e017(
                "hr.0001_initial",
                "hr.0001_initial of hr",
                "finance.__first__ of finance",
                ("finance", "__first__"),
            )
        ]


def test_e017__legal(migrations: Callable[..., Path]) -> None:
    """On itself, on core, on an app that declares nothing; a string elsewhere says nothing."""
    migrations(
        "hr",
        'dependencies = [("hr", "0000_x"), ("core", "0001_initial"), ("auth", "__latest__")]\n'
        'words = ["inventory", "finance"]',
    )
    assert checks.check_dependencies(None) == []


def test_e017__broken_file(migrations: Callable[..., Path]) -> None:
    """Django tells of it when it imports the file."""
    path = migrations("hr", 'dependencies = [("inventory", "0001_initial")]')
    path.write_text('dependencies = [("inventory"')

    assert checks.check_dependencies(None) == []


# References and databases


@override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"shop": "archive"}})
def test_e019(apps: Apps) -> None:
    model("main.User")
    model("shop.Item")
    model(
        "shop.Order",
        by=models.ForeignKey("main.User", models.CASCADE),
        item=models.ForeignKey("shop.Item", models.CASCADE),
        seen_by=models.ForeignKey(
            "main.User", models.CASCADE, db_constraint=False, related_name="+"
        ),
    )
    model("depot.Depot", by=models.ForeignKey("main.User", models.CASCADE))

    assert found(cross_database_key_problems(apps)) == [
        (
            "E019",
            'shop.Order.by has a constraint to main.User, but the domain "shop" is on the database'
            ' "archive".',
            "A constraint cannot reach another database: add db_constraint=False.",
        )
    ]


@override_settings(DOMAIN_MIGRATIONS={"DATABASES": {"shop": "archive"}})
def test_e019__automatic_many_to_many(apps: Apps) -> None:
    model("main.User")
    model("shop.Order", users=models.ManyToManyField("main.User"))

    assert [problem.message for problem in cross_database_key_problems(apps)] == [
        'shop.Order_users.user has a constraint to main.User, but the domain "shop" is on the'
        ' database "archive".'
    ]


def test_e020(apps: Apps) -> None:
    model("depot.Depot")
    model("shop.Order", a_id=DomainReference("depot"), b_id=DomainReference("depot.Missing"))

    assert found(reference_problems(apps)) == [
        (
            "E020",
            "shop.Order.a_id refers to 'depot', which is not the name of a model.",
            'Write the other model as "app_label.ModelName".',
        ),
        (
            "E020",
            'shop.Order.b_id refers to "depot.Missing", but the app "depot" has no such model.',
            "Correct the name; the app is installed, and this is not one of its models.",
        ),
    ]


def test_e021(apps: Apps) -> None:
    model("depot.Depot", id=models.UUIDField(primary_key=True))
    model(
        "shop.Order",
        right_id=DomainReference("depot.Depot"),
        wrong_id=DomainReference("depot.Depot", id_field=models.BigIntegerField()),
    )

    assert found(reference_problems(apps)) == [
        (
            "E021",
            "shop.Order.wrong_id stores its ids as bigint, but those of depot.Depot are uuid.",
            "Remove id_field, or set it to a models.UUIDField.",
        )
    ]


def test_e022(apps: Apps) -> None:
    model("depot.Depot")
    model("shop.Order", depot=models.TextField(), depot_id=DomainReference("depot.Depot"))

    assert found(reference_problems(apps)) == [
        (
            "E022",
            "shop.Order.depot_id has its object at depot, but the model already has that name.",
            "Rename one of them.",
        )
    ]


def test_references__legal(apps: Apps) -> None:
    model("depot.Depot")
    model("shop.Order", depot_id=DomainReference("depot.Depot"), x=DomainReference("gone.Gone"))

    assert found(reference_problems(apps)) == []
    assert found(model_problems(apps)) == []


def test_w001(migrated_database: str) -> None:
    assert checks.check_histories(None, databases=["default"]) == []
    before = histories()
    for app, name in [("inventory", "0001_initial"), ("inventory", "0002_x"), ("gone", "0001_x")]:
        execute(
            "INSERT INTO public.django_migrations (app, name, applied)"
            f" VALUES ('{app}', '{name}', now())"
        )

    (warning,) = checks.check_histories(None, databases=["default"])

    assert messages([warning]) == [
        (
            "domain_migrations.W001",
            'public.django_migrations has rows of the app "inventory" of the domain "inventory".',
            "They belong in inventory.django_migrations_inventory.",
        )
    ]
    assert warning.level == WARNING
    assert histories()["inventory"] == before["inventory"]


def test_w001__no_table(scratch_database: str) -> None:
    assert checks.check_histories(None, databases=["default"]) == []


@pytest.mark.parametrize("databases", [None, [], ["elsewhere"]])
def test_w001__queries_no_other_database(databases: list[str] | None) -> None:
    """Without a database the tests' server need not run: a query would be refused."""
    assert checks.check_histories(None, databases=databases) == []


# The checks as Django runs them


def test_this_project_has_no_problem() -> None:
    assert checks.check_domains(None) == []
    assert checks.check_settings(None) == []
    assert checks.check_dependencies(None) == []


def test_model_problems__of_one_domain(apps: Apps) -> None:
    """A run looks at its own domain's models; another's mistakes do not stop it."""
    model("shop.Order", table="orders")
    model("depot.Depot", table="depots")
    depot = next(domain for domain in get_domains(apps) if domain.name == "depot")

    assert [problem.obj.__name__ for problem in model_problems(apps, only=depot)] == ["Depot"]


MODELS = """
class Order(models.Model):
    depot = models.ForeignKey("depot.Depot", models.CASCADE)
    class Meta:
        db_table = "orders"
"""
DEPOT = """
class Depot(models.Model):
    class Meta:
        db_table = '"depot"."depots"'
"""


def test_check__in_a_project(project: Callable[..., Project]) -> None:
    """What the developer reads, for the asked apps alone; a run refuses without the checks too."""
    foreign = project(
        {
            "shop": domain_app("shop", models=MODELS),
            "depot": domain_app("depot", models=DEPOT),
            "main": plain_app(),
        }
    )
    before = schemas()
    result = foreign.manage("check")

    assert result.returncode == 1
    assert (
        "shop.Order: (domain_migrations.E001) shop.Order.depot is a foreign key to depot.Depot,"
        f' but it belongs to the domain "depot".\n\tHINT: {DOMAIN_DEPENDS}\n'
        'shop.Order: (domain_migrations.E007) The table of shop.Order is "orders" in the schema'
        ' "public", outside the schema "shop" of the domain "shop".\n'
        '\tHINT: db_table = \'"shop"."orders"\'\n'
    ) in result.stderr
    refused = foreign.manage("migrate_domain", "shop", "--skip-checks")
    assert refused.returncode == 1, refused.stderr
    assert "shop.Order.depot is a foreign key to depot.Depot" in refused.stderr
    assert schemas() == before
    other = foreign.manage("check", "depot")
    assert other.returncode == 0, other.stderr


def test_check__declarations_come_first(project: Callable[..., Project]) -> None:
    """Wrong models follow from wrong domains: only the cause is reported."""
    foreign = project(
        {
            "shop": domain_app("shop", models=MODELS, schema="pg_shop"),
            "depot": domain_app("depot", models=DEPOT, domain="shop"),
        }
    )
    result = foreign.manage("check")

    assert result.returncode == 1
    assert "domain_migrations.E013" in result.stderr
    assert "domain_migrations.E010" in result.stderr
    assert "domain_migrations.E001" not in result.stderr
    assert "Traceback" not in result.stderr


def test_every_function_of_the_module_is_registered() -> None:
    """The app registers them by their names, because most processes run none of them."""
    functions = {
        name
        for name, value in vars(checks).items()
        if name.startswith("check_") and value.__module__ == checks.__name__
    }
    every = registry.registered_checks | registry.deployment_checks
    found = {
        check.__name__: check
        for check in every
        if check.__module__.startswith("domain_migrations.apps")
    }
    assert functions == found.keys()
    assert Tags.database in found["check_histories"].tags
    assert Tags.database in found["check_whole_domains"].tags
    assert Tags.database not in found["check_stages"].tags
