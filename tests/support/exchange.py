"""Projects whose domains exchange a table: from `lab` to core, from `lab` to `ward`, and back."""

from __future__ import annotations

from datetime import date
from typing import Literal

from domain_migrations.domains import QualifiedName
from tests.support.projects import domain_app, plain_app

Way = Literal["to core", "to a domain", "to the domain"]
"""From `lab` to core's app `shop`, from `lab` to `ward`, from `shop` to `lab`."""

PLACES: dict[Way, tuple[str, str]] = {
    "to core": ("lab", "shop"),
    "to a domain": ("lab", "ward"),
    "to the domain": ("shop", "lab"),
}
"""The apps before and afterwards."""

NAMES = ("companies", "companies_groups")
SCHEMAS = {"lab": "lab", "shop": "public", "ward": "ward"}

COMPANY = """
class Company(models.Model):
    code = models.CharField(max_length=20, db_index=True)
    size = models.IntegerField(default=0)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    groups = models.ManyToManyField("auth.Group")
    owner = models.ForeignKey("auth.User", models.CASCADE, null=True)
    class Meta:
        db_table = {table!r}
        db_table_comment = "who sells"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="companies_code_key"),
            models.CheckConstraint(condition=models.Q(size__gte=0), name="companies_size_check"),
        ]
        indexes = [models.Index(fields=["size", "code"], name="companies_size")]
"""
FIELDS = """[
            ("id", models.BigAutoField(auto_created=True, primary_key=True,
                serialize=False, verbose_name="ID")),
            ("code", models.CharField(max_length=20, db_index=True)),
            ("size", models.IntegerField(default=0)),
            ("parent", models.ForeignKey("{app}.Company", models.CASCADE, null=True)),
            ("groups", models.ManyToManyField("auth.Group")),
            ("owner", models.ForeignKey("auth.User", models.CASCADE, null=True)),
        ]"""
OPTIONS = """{{
            "db_table": {table!r},
            "db_table_comment": "who sells",
            "constraints": [
                models.UniqueConstraint(fields=["code"], name="companies_code_key"),
                models.CheckConstraint(
                    condition=models.Q(size__gte=0), name="companies_size_check"),
            ],
            "indexes": [models.Index(fields=["size", "code"], name="companies_size")],
        }}"""
ITEM = """
class Item(models.Model):
    name = models.CharField(max_length=20)
    {field}
    class Meta:
        db_table = {table!r}
"""
NOTE = """
class Note(models.Model):
    kind = models.ForeignKey("contenttypes.ContentType", models.CASCADE)
    number = models.BigIntegerField()
    about = GenericForeignKey("kind", "number")
    class Meta:
        db_table = "notes"
"""
HEAD = "from django.contrib.contenttypes.fields import GenericForeignKey\n"
AUTO = (
    '("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False,'
    ' verbose_name="ID")),'
)
AUTH = '("auth", "0001_initial"), ("contenttypes", "0001_initial")'

ROWS = """
INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_superuser,
    is_staff, is_active, date_joined)
VALUES (1, 'ada', '', '', '', '', false, false, true, now());
INSERT INTO auth_group (id, name) VALUES (1, 'buyers');
INSERT INTO {schema}.companies (code, size, owner_id) VALUES ('A', 7, 1), ('B', 8, NULL);
UPDATE {schema}.companies SET parent_id = 1 WHERE id = 2;
INSERT INTO {schema}.companies_groups (company_id, group_id) VALUES (1, 1);
INSERT INTO notes (kind_id, number)
    SELECT id, 2 FROM django_content_type WHERE app_label = '{app}' AND model = 'company';
INSERT INTO auth_group_permissions (group_id, permission_id)
    SELECT 1, p.id FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
    WHERE c.app_label = '{app}' AND p.codename = 'change_company';
"""


def table(app: str, name: str = "companies") -> str:
    """The name of a table as `db_table` has it."""
    return name if app == "shop" else f'"{app}"."{name}"'


def files(
    way: Way, *, moved: bool, later: bool = False, until: date | None = None, over: bool = False
) -> dict[str, dict[str, str]]:
    """The files of the three apps.

    `moved` is the release with the transfer; `later` has a migration after it in each app. The
    transfer leaves views `until` a day, and `over` has a migration that drops them.
    """
    source, target = PLACES[way]
    home = target if moved else source
    refers = way == "to core" or (way == "to the domain")
    models = dict.fromkeys(SCHEMAS, "")
    models[home] += COMPANY.format(table=table(home))
    item = f'company = models.ForeignKey("{home}.Company", models.CASCADE)' if refers else ""
    models["lab"] += ITEM.format(field=item, table=table("lab", "items"))
    models["shop"] += NOTE
    made = _migrations(way, source, refers=refers)
    if moved:
        for app, (name, source_text) in _halves(way, until).items():
            made[app][name] = source_text
    if over:
        views = [QualifiedName.of(table(source, name)).db_table for name in NAMES]
        made[source]["0004_remove_compat_views"] = OVER.format(app=source, views=views)
    if later:
        for app, migrations in made.items():
            last = max(migrations)
            number = int(last[:4]) + 1
            migrations[f"{number:04d}_later"] = LATER.format(app=app, last=last)
    return {
        "shop": _with_head(plain_app(models=models["shop"], migrations=made["shop"])),
        "lab": domain_app("lab", models=models["lab"], migrations=made["lab"]),
        "ward": domain_app("ward", models=models["ward"], migrations=made["ward"]),
    }


def _with_head(app: dict[str, str]) -> dict[str, str]:
    return {**app, "models.py": HEAD + app["models.py"]}


LATER = """
class Migration(migrations.Migration):
    dependencies = [("{app}", "{last}")]
    operations = [migrations.RunSQL("SELECT 1", migrations.RunSQL.noop)]
"""
OVER = """
from domain_migrations.operations import RemoveCompatViews
class Migration(migrations.Migration):
    stage = "after"
    dependencies = [("{app}", "0003_transfer_company")]
    operations = [RemoveCompatViews({views})]
"""
TRANSFER_HEAD = "import datetime\nfrom domain_migrations.operations import TransferTable\n"
RECEIVE_HEAD = "import datetime\nfrom domain_migrations.operations import ReceiveTable\n"
MIGRATION = """
class Migration(migrations.Migration):
    {initial}
    dependencies = [{dependencies}]
    operations = [
        {operations}
    ]
"""


def _migrations(way: Way, source: str, *, refers: bool) -> dict[str, dict[str, str]]:
    company = (
        f'migrations.CreateModel("Company", {FIELDS.format(app=source)},'
        f" options={OPTIONS.format(table=table(source))}),"
    )
    key = f'("company", models.ForeignKey("{source}.Company", models.CASCADE)),' if refers else ""
    item = (
        f'migrations.CreateModel("Item", [{AUTO}'
        f' ("name", models.CharField(max_length=20)), {key}],'
        f" options={{'db_table': {table('lab', 'items')!r}}}),"
    )
    note = (
        f'migrations.CreateModel("Note", [{AUTO}'
        ' ("kind", models.ForeignKey("contenttypes.ContentType", models.CASCADE)),'
        ' ("number", models.BigIntegerField())], options={"db_table": "notes"}),'
    )
    operations = {"shop": note, "lab": "", "ward": ""}
    operations[source] += company
    operations["lab"] += item
    more = {"lab": ', ("shop", "0001_initial")'} if source == "shop" else {}
    return {
        app: {
            "0001_initial": MIGRATION.format(
                initial="initial = True",
                dependencies=AUTH + more.get(app, ""),
                operations=text,
            ),
            "0002_more": LATER.format(app=app, last="0001_initial"),
        }
        for app, text in operations.items()
    }


def _halves(way: Way, until: date | None) -> dict[str, tuple[str, str]]:
    source, target = PLACES[way]
    tables = {table(source, name): table(target, name) for name in NAMES}
    more = "" if until is None else f", compat_view_until={until!r}"
    stage = "" if until is None else 'stage = "before"'
    transfer = TRANSFER_HEAD + MIGRATION.format(
        initial=stage,
        dependencies=f'("{source}", "0002_more"), ("{target}", "0003_receive_company")',
        operations=f'TransferTable("Company", pair="{target}.0003_receive_company",'
        f" tables={tables!r}{more}),",
    )
    receive = RECEIVE_HEAD + MIGRATION.format(
        initial=stage,
        dependencies=f'("{target}", "0002_more"), ("{source}", "0002_more"),'
        ' ("auth", "0001_initial")',
        operations=f'ReceiveTable("Company", pair="{source}.0003_transfer_company",'
        f" tables={tables!r}, fields={FIELDS.format(app=target)},"
        f" options={OPTIONS.format(table=table(target))}{more}),",
    )
    return {
        source: ("0003_transfer_company", transfer),
        target: ("0003_receive_company", receive),
    }
