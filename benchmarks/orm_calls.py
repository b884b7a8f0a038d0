"""Cost of this backend for ordinary queries: the same ORM calls on it and on Django's backend.

    python -m benchmarks.orm_calls
    python -m benchmarks.orm_calls --calls 1000 --limit 1.10

Both backends use the same database and the same tables, which are in a schema. Calls strictly
alternate, so that other load on the machine affects both equally; medians are compared. Prints one
JSON object; the exit status is 1 if the ratio exceeds the limit.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

from tests.django_suite.run import OUR_ENGINE, STOCK_ENGINE, django_connection
from tests.django_suite.server import server_parameters, template_database

ROWS = 200

Operation = Callable[[str, int], object]


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    with (
        server_parameters() as parameters,
        template_database(parameters, plain=True) as database,
    ):
        _configure({**parameters, "dbname": database})
        from django.db import connections

        operations = _prepare()
        try:
            report = measure(operations, calls=options.calls)
        finally:
            connections.close_all()
    print(json.dumps(report, indent=2))
    return 0 if report["ratio"] <= options.limit else 1


def measure(operations: dict[str, Operation], *, calls: int) -> dict[str, Any]:
    """Time ``calls`` calls on each backend, spread evenly over the operations.

    The ratio is that of the two sums of medians: one typical call of each kind.
    """
    from django.db import connections

    times: dict[str, dict[str, list[int]]] = {
        name: {"default": [], "stock": []} for name in operations
    }
    rounds = max(1, calls // len(operations))
    for operation in operations.values():  # caches, prepared plans, lazy imports
        for alias in ("default", "stock"):
            operation(alias, 0)
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            aliases = ("default", "stock") if number % 2 else ("stock", "default")
            for name, operation in operations.items():
                for alias in aliases:
                    started = time.perf_counter_ns()
                    operation(alias, number)
                    times[name][alias].append(time.perf_counter_ns() - started)
            if number % 100 == 0:
                gc.collect()
    finally:
        gc.enable()
    medians = {
        name: {alias: statistics.median(samples) for alias, samples in by_alias.items()}
        for name, by_alias in times.items()
    }
    ours = sum(median["default"] for median in medians.values())
    stock = sum(median["stock"] for median in medians.values())
    return {
        "format": 1,
        "django": django.get_version(),
        "postgresql": connections["default"].pg_version // 10000,
        "calls": rounds * len(operations),
        "operations": {
            name: {
                "microseconds": round(median["default"] / 1000, 1),
                "stock_microseconds": round(median["stock"] / 1000, 1),
                "ratio": round(median["default"] / median["stock"], 4),
            }
            for name, median in medians.items()
        },
        "ratio": round(ours / stock, 4),
    }


def _configure(parameters: dict[str, str]) -> None:
    connection = django_connection(parameters)
    settings.configure(
        DATABASES={
            "default": {**connection, "ENGINE": OUR_ENGINE},
            "stock": {**connection, "ENGINE": STOCK_ENGINE},
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["benchmarks"],
        USE_TZ=True,
    )
    django.setup()


def _prepare() -> dict[str, Operation]:
    """Create and fill the tables, and return the operations by name."""
    from django.db import connection, models

    from benchmarks.models import SCHEMA, Company, Drug, Tag

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
    with connection.schema_editor() as editor:
        for model in (Company, Tag, Drug):
            editor.create_model(model)
    companies = Company.objects.bulk_create(Company(name=f"company {n}") for n in range(10))
    tags = Tag.objects.bulk_create(Tag(name=f"tag {n}") for n in range(10))
    drugs = Drug.objects.bulk_create(
        Drug(code=f"drug {n}", price=n, company=companies[n % 10]) for n in range(ROWS)
    )
    for number, drug in enumerate(drugs):
        drug.tags.set([tags[number % 10], tags[(number + 3) % 10]])
    extra = Tag.objects.create(name="extra")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    keys = [drug.pk for drug in drugs]

    def create_and_delete(alias: str, n: int) -> object:
        drug = Drug.objects.using(alias).create(code=f"{alias} {n}", company_id=companies[0].pk)
        return drug.delete()

    def save(alias: str, n: int) -> None:
        drug = Drug.objects.using(alias).get(pk=keys[n % ROWS])
        drug.save(update_fields=["price"])

    def add_and_remove(alias: str, n: int) -> None:
        drug = drugs[n % ROWS]
        drug._state.db = alias
        drug.tags.add(extra.pk)
        drug.tags.remove(extra.pk)

    def query(call: Callable[[Any, int], object]) -> Operation:
        return lambda alias, n: call(Drug.objects.using(alias), n)

    return {
        "get": query(lambda drugs, n: drugs.get(pk=keys[n % ROWS])),
        "filter": query(lambda drugs, n: list(drugs.filter(price__gt=n % ROWS)[:20])),
        "exists": query(lambda drugs, n: drugs.filter(code=f"drug {n % ROWS}").exists()),
        "count": query(lambda drugs, n: drugs.filter(price__lt=n % ROWS).count()),
        "values": query(lambda drugs, n: list(drugs.values_list("code", "price")[:20])),
        "aggregate": query(
            lambda drugs, n: drugs.aggregate(models.Sum("price"), models.Max("price"))
        ),
        "annotate": query(lambda drugs, n: list(drugs.annotate(models.Count("tags"))[:20])),
        "select_related": query(lambda drugs, n: list(drugs.select_related("company")[:20])),
        "prefetch_related": query(lambda drugs, n: list(drugs.prefetch_related("tags")[:20])),
        "join": query(lambda drugs, n: list(drugs.filter(company__name=f"company {n % 10}")[:5])),
        "many_to_many": query(lambda drugs, n: list(drugs.filter(tags=tags[n % 10])[:20])),
        "update": query(lambda drugs, n: drugs.filter(pk=keys[n % ROWS]).update(price=n % ROWS)),
        "create_and_delete": create_and_delete,
        "save": save,
        "add_and_remove": add_and_remove,
        "update_or_create": query(
            lambda drugs, n: drugs.update_or_create(
                code=f"drug {n % ROWS}", defaults={"price": n % ROWS}
            )
        ),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.orm_calls",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=int, default=10_000, help="on each of the two backends")
    parser.add_argument("--limit", type=float, default=1.02, help="the highest ratio to accept")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
