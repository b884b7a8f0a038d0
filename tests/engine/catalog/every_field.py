"""A history with every kind of field, index and constraint, and with changes of each."""

from __future__ import annotations

import datetime
import uuid

import django
from django.contrib.postgres import fields, indexes
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models
from django.db.models import functions
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact

BIG_ID = [("id", models.BigAutoField(primary_key=True))]
OPERATIONS = [
    migrations.CreateModel(
        "All",
        [
            *BIG_ID,
            ("b", models.BooleanField(default=True, db_default=False)),
            ("d", models.DateField(db_default=datetime.date(2020, 1, 2))),
            ("t", models.TimeField(null=True, db_default=datetime.time(1, 2))),
            ("dt", models.DateTimeField(auto_now=True)),
            (
                "dt2",
                models.DateTimeField(db_default=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
            ),
            ("du", models.DurationField(db_default=datetime.timedelta(days=1, seconds=3))),
            ("dec", models.DecimalField(max_digits=5, decimal_places=2, db_default=-1)),
            ("f", models.FloatField(db_default=1.5)),
            ("i", models.IntegerField(db_default=-7)),
            ("bi", models.BigIntegerField(db_default=9)),
            ("si", models.SmallIntegerField()),
            ("pi", models.PositiveIntegerField()),
            ("pbi", models.PositiveBigIntegerField(unique=True)),
            ("psi", models.PositiveSmallIntegerField(db_column="Odd Col")),
            ("u", models.UUIDField(default=uuid.uuid4, db_default=RandomUUID())),
            ("ip", models.GenericIPAddressField(db_index=True)),
            ("bin", models.BinaryField(null=True)),
            ("s", models.SlugField()),
            ("url", models.URLField(unique=True)),
            ("em", models.EmailField(db_index=True, db_collation="C")),
            ("fl", models.FileField()),
            ("j", models.JSONField(db_default=models.Value([1, "x'y%"], models.JSONField()))),
            ("a", fields.ArrayField(models.CharField(max_length=7), db_default=["a", "b,c"])),
            ("a2", fields.ArrayField(fields.ArrayField(models.IntegerField()), size=3, null=True)),
            ("ir", fields.IntegerRangeField(null=True)),
            ("dr", fields.DateRangeField(null=True)),
            ("dec_r", fields.DecimalRangeField(null=True)),
            (
                "txt",
                models.TextField(
                    db_default=functions.Concat(models.Value("a"), models.Value("%b"))
                ),
            ),
            ("order", models.IntegerField(db_default=models.Value(1) + models.Value(2))),
            ("user", models.CharField(max_length=5, db_default="")),
            ("now", models.DateTimeField(db_default=TransactionNow())),
            (
                "g",
                models.GeneratedField(
                    expression=functions.Lower("user"),
                    output_field=models.CharField(max_length=5),
                    db_persist=True,
                    db_index=True,
                ),
            ),
            (
                "g2",
                models.GeneratedField(
                    expression=models.Case(
                        models.When(pi__gt=3, then=models.Value("a")), default=models.Value("b")
                    ),
                    output_field=models.TextField(),
                    db_persist=True,
                ),
            ),
            (
                "g3",
                models.GeneratedField(
                    expression=functions.Coalesce("i", 0) + models.F("si"),
                    output_field=models.BigIntegerField(),
                    db_persist=True,
                    unique=True,
                ),
            ),
            ("self2", models.ForeignKey("self", models.CASCADE, null=True, to_field="pbi")),
            ("selfs", models.ManyToManyField("self")),
        ],
        options={
            "db_table": '"lab"."All Things"',
            "db_table_comment": 'it\'s 50 "x"',
            "indexes": [
                models.Index(functions.Lower("txt"), functions.Coalesce("i", 0), name="x1"),
                models.Index(functions.Cast("j__k", models.IntegerField()), name="x2"),
                models.Index("j__k__z", name="x3"),
                models.Index(functions.Collate("txt", "C"), name="x4"),
                models.Index(
                    functions.Collate(functions.Lower("txt"), "C").desc(nulls_last=True), name="x5"
                ),
                indexes.HashIndex(fields=["s"], name="x6"),
                indexes.BrinIndex(fields=["dt"], autosummarize=True, pages_per_range=4, name="x7"),
                indexes.SpGistIndex(fields=["ir"], name="x8"),
                indexes.GistIndex(fields=["dr"], name="x9", buffering=True, fillfactor=60),
                indexes.BTreeIndex(
                    fields=["i", "-si"], fillfactor=33, deduplicate_items=False, name="x10"
                ),
                models.Index(OpClass(functions.Lower("txt"), name="text_pattern_ops"), name="x11"),
                indexes.GinIndex(fields=["a"], name="x12", gin_pending_list_limit=500),
                models.Index(models.F("i") + models.F("si"), name="x13"),
                models.Index(models.F("i").asc(nulls_first=True), name="x14"),
                models.Index(functions.ExtractYear("d"), name="x15"),
                models.Index(
                    fields=["b"],
                    condition=models.Q(b=True) & models.Q(dt__isnull=False),
                    name="x16",
                ),
                models.Index(fields=["psi"], condition=models.Q(psi__in=[1, 2, 3]), name="x17"),
                models.Index(
                    functions.Upper("user"),
                    "order",
                    name="x18",
                    include=["j"],
                    condition=models.Q(user__startswith="a%_"),
                ),
                models.Index(functions.MD5("txt"), name="x19"),
                models.Index(fields=["-dt", "order"], name="x20"),
                models.Index(
                    models.Case(models.When(b=True, then="i"), default=models.Value(0)), name="x21"
                ),
                models.Index(fields=["em"], name="x22", opclasses=["varchar_pattern_ops"]),
            ],
            "constraints": [
                models.CheckConstraint(
                    condition=models.Q(d__gt=datetime.date(2000, 1, 1)), name="c1"
                ),
                models.CheckConstraint(
                    condition=models.Q(i__lt=models.F("bi")) | ~models.Q(b=True), name="c2"
                ),
                models.CheckConstraint(
                    condition=models.Q(dt__gte=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)),
                    name="c3",
                ),
                models.CheckConstraint(
                    condition=models.Q(du__gt=datetime.timedelta(hours=2)), name="c4"
                ),
                models.CheckConstraint(
                    condition=models.Q(j__has_key="x") & models.Q(j__k="v"), name="c5"
                ),
                models.CheckConstraint(
                    condition=models.Q(a__contains=["x"]) | models.Q(a__len__gt=2), name="c6"
                ),
                models.CheckConstraint(condition=models.Q(ir__contains=3), name="c7"),
                models.CheckConstraint(
                    condition=models.Q(s__iregex="^[a-z'%]+$", user__iexact="ab"), name="c8"
                ),
                models.CheckConstraint(condition=models.Q(dec__range=(1, 5)), name="c9"),
                models.CheckConstraint(
                    condition=models.Q(u__isnull=False, ip__isnull=True) | models.Q(txt=""),
                    name="c10",
                ),
                models.CheckConstraint(condition=models.Q(d__year=2020), name="c11"),
                models.CheckConstraint(condition=Exact(functions.Length("user"), 3), name="c12"),
                models.CheckConstraint(
                    condition=models.Q(f__gte=0.1) & models.Q(f__lt=10000000000.0), name="c13"
                ),
                models.CheckConstraint(condition=models.Q(t__lt=datetime.time(3)), name="c14"),
                models.CheckConstraint(condition=models.Q(user__in=["a"]), name="c15"),
                models.CheckConstraint(condition=models.Q(order=models.F("i") * 2 + 1), name="c16"),
                models.CheckConstraint(
                    condition=RawSQL("num_nonnulls(i, bi) = 1", [], models.BooleanField()),
                    name="c17",
                ),
                models.UniqueConstraint(
                    OpClass(functions.Lower("txt"), name="text_pattern_ops"),
                    models.F("i").desc(),
                    name="u1",
                ),
                models.UniqueConstraint(fields=["i", "bi"], include=["j"], name="u2"),
                models.UniqueConstraint(fields=["si"], opclasses=["int2_ops"], name="u3"),
                models.UniqueConstraint(
                    fields=["f"], deferrable=models.Deferrable.IMMEDIATE, name="u4"
                ),
                models.UniqueConstraint(functions.Coalesce("t", datetime.time(0)), name="u5"),
                models.UniqueConstraint(
                    fields=["d", "t"], nulls_distinct=False, condition=models.Q(b=True), name="u6"
                ),
                models.UniqueConstraint(fields=["dec"], nulls_distinct=True, name="u7"),
                ExclusionConstraint(
                    name="e1", expressions=[("ir", RangeOperators.OVERLAPS)], index_type="SPGIST"
                ),
                ExclusionConstraint(
                    name="e2",
                    expressions=[(OpClass("dr", name="range_ops"), RangeOperators.OVERLAPS)],
                    deferrable=models.Deferrable.DEFERRED,
                    include=["i"],
                ),
                ExclusionConstraint(
                    name="e3",
                    expressions=[
                        (
                            models.Func(
                                "dt",
                                "dt2",
                                function="tstzrange",
                                output_field=fields.DateTimeRangeField(),
                            ),
                            RangeOperators.OVERLAPS,
                        )
                    ],
                    condition=models.Q(b=True),
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "Child",
        [
            (
                "all_ptr",
                models.OneToOneField("lab.All", models.CASCADE, parent_link=True, primary_key=True),
            ),
            ("x", models.IntegerField()),
        ],
        bases=("lab.all",),
        options={"db_table": '"lab"."child"'},
    ),
    migrations.CreateModel(
        "Comp",
        [
            ("a", models.IntegerField()),
            ("b", models.CharField(max_length=3)),
            ("pk", models.CompositePrimaryKey("b", "a")),
        ],
        options={"db_table": '"lab"."comp"'},
    ),
    migrations.CreateModel(
        "Plain", [*BIG_ID, ("n", models.TextField())], options={"db_table": '"lab"."plain"'}
    ),
    migrations.AlterField("Plain", "n", models.CharField(max_length=9, unique=True)),
    migrations.AlterField("Plain", "n", models.CharField(max_length=9, db_index=True)),
    migrations.AlterField("Plain", "n", models.TextField()),
    migrations.AddField("Plain", "p", models.PositiveIntegerField(default=1)),
    migrations.AlterField("Plain", "p", models.IntegerField()),
    migrations.RenameField("Plain", "p", "q"),
    migrations.AlterField("Plain", "q", models.PositiveSmallIntegerField()),
    migrations.RenameField("Plain", "q", "r"),
    migrations.AddField("Plain", "fk", models.OneToOneField("lab.All", models.CASCADE, null=True)),
    migrations.AlterField("Plain", "fk", models.ForeignKey("lab.All", models.CASCADE, null=True)),
    migrations.AlterField(
        "Plain", "fk", models.OneToOneField("lab.All", models.CASCADE, null=True)
    ),
    migrations.AlterField("Plain", "id", models.AutoField(primary_key=True)),
    migrations.AlterField("Plain", "id", models.BigAutoField(primary_key=True)),
    migrations.RenameModel("Plain", "Plainer"),
    migrations.AlterModelTable("Plainer", '"lab"."plainer"'),
    migrations.AddField("Plainer", "m2m", models.ManyToManyField("lab.All", related_name="+")),
    migrations.AlterUniqueTogether("Plainer", {("n", "r")}),
    migrations.RenameField("Plainer", "n", "nn"),
    migrations.AddField(
        "Plainer", "c", models.CharField(max_length=4, default="", db_comment="c'")
    ),
    migrations.AlterField(
        "Plainer", "c", models.CharField(max_length=4, default="", db_collation="POSIX")
    ),
    migrations.AddField("Plainer", "dd", models.IntegerField(db_default=4)),
    migrations.AlterField("Plainer", "dd", models.IntegerField()),
]
if django.VERSION >= (6,):
    OPERATIONS += [
        migrations.AddField(
            "Plainer",
            "casc",
            models.ForeignKey("lab.All", models.DB_CASCADE, null=True, related_name="+"),
        ),
        migrations.AddField(
            "Plainer",
            "sn",
            models.ForeignKey("lab.All", models.DB_SET_NULL, null=True, related_name="+"),
        ),
    ]

VIRTUAL = migrations.AddField(
    "Plainer",
    "virt",
    models.GeneratedField(
        expression=models.F("r") + 1, output_field=models.IntegerField(), db_persist=False
    ),
)
"""For the versions of Django and PostgreSQL that know virtual columns."""
