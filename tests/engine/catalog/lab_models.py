"""A domain of two tables with something of everything that models can ask for, as a state."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Lower, Now, Upper

from domain_migrations.domains import Domain

LAB = Domain(name="lab", schema="lab", app_labels=("lab",))
CORE_OPERATIONS = [
    migrations.CreateModel(
        "User",
        [("id", models.UUIDField(primary_key=True)), ("name", models.TextField())],
        options={"db_table": "users"},
    )
]
OPERATIONS = [
    migrations.CreateModel(
        "Kind",
        [
            ("code", models.CharField(max_length=10, primary_key=True)),
            ("name", models.CharField(max_length=100, unique=True, db_collation="C")),
            ("order", models.SmallIntegerField(default=0, db_index=True)),
        ],
        options={"db_table": '"lab"."kinds"', "db_table_comment": "kinds of samples"},
    ),
    migrations.CreateModel(
        "Sample",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("kind", models.ForeignKey("lab.Kind", models.PROTECT)),
            ("made_by", models.ForeignKey("core.User", models.PROTECT, null=True)),
            (
                "seen_by",
                models.ForeignKey(
                    "core.User", models.PROTECT, null=True, db_constraint=False, related_name="+"
                ),
            ),
            ("twin", models.OneToOneField("self", models.SET_NULL, null=True)),
            ("code", models.CharField(max_length=24)),
            ("note", models.TextField(blank=True, db_comment="in plain words")),
            ("count", models.PositiveIntegerField(default=0)),
            ("price", models.DecimalField(max_digits=12, decimal_places=2, db_default="1.50")),
            ("state", models.CharField(max_length=9, db_default="new")),
            ("made", models.DateTimeField(db_default=Now())),
            ("during", DateTimeRangeField(null=True)),
            ("marks", ArrayField(models.IntegerField(), default=list)),
            (
                "data",
                models.JSONField(
                    default=dict, db_default=models.Value({"a": 1}, models.JSONField())
                ),
            ),
            ("json", models.TextField(null=True, db_index=True)),
            (
                "double",
                models.GeneratedField(
                    expression=models.F("count") * 2,
                    output_field=models.IntegerField(),
                    db_persist=True,
                ),
            ),
            ("users", models.ManyToManyField("core.User", related_name="+")),
        ],
        options={
            "db_table": '"lab"."samples"',
            "unique_together": {("kind", "code")},
            "indexes": [
                models.Index(fields=["state", "-made"], name="state_made"),
                models.Index(Upper("code").desc(), "count", name="upper_code"),
                models.Index(
                    fields=["code"],
                    name="dear",
                    condition=models.Q(price__gt=100, state="new"),
                    include=["note"],
                ),
                models.Index(fields=["code"], name="like_code", opclasses=["varchar_pattern_ops"]),
                GinIndex(
                    fields=["data"], name="gin_data", opclasses=["jsonb_path_ops"], fastupdate=False
                ),
                GinIndex(fields=["marks"], name="gin_marks", opclasses=["array_ops"]),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(state__in=["new", "done"]) | models.Q(count__lt=5),
                    name="known",
                ),
                models.CheckConstraint(
                    condition=models.Q(code__regex=r"^\w+$") & ~models.Q(note__contains="50%"),
                    name="code_form",
                ),
                models.UniqueConstraint(
                    fields=["code"], name="one_new", condition=models.Q(state="new")
                ),
                models.UniqueConstraint(Lower("json"), name="one_json"),
                models.UniqueConstraint(
                    fields=["count", "made"], name="later", deferrable=models.Deferrable.DEFERRED
                ),
                models.UniqueConstraint(
                    fields=["price", "kind"], name="no_two_nulls", nulls_distinct=False
                ),
                ExclusionConstraint(
                    name="no_overlap",
                    expressions=[("during", RangeOperators.OVERLAPS)],
                    condition=models.Q(count__gt=0),
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "Old", [("id", models.AutoField(primary_key=True))], options={"db_table": '"lab"."old"'}
    ),
    migrations.RenameModel("Old", "Older"),
    migrations.AlterModelTable("Older", '"lab"."older"'),
    migrations.AddField("Older", "kind", models.ForeignKey("lab.Kind", models.CASCADE)),
    migrations.RenameField("Older", "kind", "sort"),
    migrations.AddField("Older", "slug", models.SlugField(unique=True, default="")),
    migrations.AlterField("Older", "slug", models.SlugField(max_length=80, default="")),
    migrations.RunSQL(
        [
            "ALTER TABLE lab.older ADD COLUMN weight integer",
            "CREATE INDEX by_weight ON lab.older (weight)",
        ],
        state_operations=[
            migrations.AddField("Older", "weight", models.IntegerField(null=True)),
            migrations.AddIndex("Older", models.Index(fields=["weight"], name="by_weight")),
        ],
    ),
    migrations.RunSQL(
        "CREATE VIEW lab.dear_samples AS SELECT id FROM lab.samples WHERE price > 100;"
        "CREATE FUNCTION lab.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER touch BEFORE UPDATE ON lab.samples"
        " FOR EACH ROW EXECUTE FUNCTION lab.touch();"
        "ALTER TABLE lab.samples ALTER COLUMN count SET DEFAULT 0;"
        "CREATE TABLE lab.scratch (id int);"
        "CREATE SEQUENCE lab.ticket;"
        "CREATE INDEX by_price ON lab.samples (price)"
    ),
    migrations.CreateModel(
        "DearSample",
        [("id", models.BigIntegerField(primary_key=True))],
        options={"db_table": '"lab"."dear_samples"', "managed": False},
    ),
]


def migration() -> migrations.Migration:
    made = migrations.Migration("0001_initial", "lab")
    made.operations = OPERATIONS
    return made


def apply(*histories: tuple[str, list[Operation]]) -> ProjectState:
    """Make the schema, and the tables by these operations; the state that they are in."""
    state = ProjectState()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA lab")
    with connection.schema_editor() as editor:
        for label, operations in histories or (("core", CORE_OPERATIONS), ("lab", OPERATIONS)):
            for operation in operations:
                before = state.clone()
                operation.state_forwards(label, state)
                operation.database_forwards(label, editor, before, state)
    return state
