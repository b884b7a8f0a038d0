"""A project whose table goes from one domain to another several times: lab, ward, core, lab."""

from __future__ import annotations

from tests.support.exchange import AUTH, COMPANY, FIELDS, MIGRATION, OPTIONS, SCHEMAS, table
from tests.support.projects import domain_app, plain_app

STATIONS = ("lab", "ward", "shop", "lab")
"""The apps that have the table, in order."""

HALVES = (
    (("lab", "0003_transfer_1"), ("ward", "0002_receive_1")),
    (("ward", "0003_transfer_2"), ("shop", "0002_receive_2")),
    (("shop", "0003_transfer_3"), ("lab", "0004_receive_3")),
)
"""The pair of migrations of each move: what transfers, and what receives."""

BEGIN = {"lab": "0002_company", "ward": "0001_initial", "shop": "0001_initial"}
"""The last migration of each app before the first move."""

NAMES = ("companies", "companies_groups")


def files(moves: int) -> dict[str, dict[str, str]]:
    """The files of the release with so many moves."""
    made = {app: {"0001_initial": _migration(AUTH, "", initial="initial = True")} for app in BEGIN}
    made["lab"]["0002_company"] = _migration(
        f'("lab", "0001_initial"), {AUTH}',
        f'migrations.CreateModel("Company", {FIELDS.format(app="lab")},'
        f" options={OPTIONS.format(table=table('lab'))}),",
    )
    last = dict(BEGIN)
    for (source, gives), (target, gets) in HALVES[:moves]:
        tables = {table(source, name): table(target, name) for name in NAMES}
        made[target][gets] = _migration(
            f'("{target}", "{last[target]}"), ("{source}", "{last[source]}"), {AUTH}',
            f'ReceiveTable("Company", pair="{source}.{gives}", tables={tables!r},'
            f" fields={FIELDS.format(app=target)},"
            f" options={OPTIONS.format(table=table(target))}),",
        )
        made[source][gives] = _migration(
            f'("{source}", "{last[source]}"), ("{target}", "{gets}")',
            f'TransferTable("Company", pair="{target}.{gets}", tables={tables!r}),',
        )
        last |= {source: gives, target: gets}
    home = STATIONS[moves]
    models = {home: COMPANY.format(table=table(home))}
    return {
        app: plain_app(models=models.get(app, ""), migrations=made[app])
        if SCHEMAS[app] == "public"
        else domain_app(app, models=models.get(app, ""), migrations=made[app])
        for app in BEGIN
    }


def _migration(dependencies: str, operations: str, *, initial: str = "") -> str:
    head = "from domain_migrations.operations import ReceiveTable, TransferTable\n"
    return head + MIGRATION.format(
        initial=initial, dependencies=dependencies, operations=operations
    )
