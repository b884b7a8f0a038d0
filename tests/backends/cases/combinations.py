"""Changes of dependent objects: generated columns, keys with collations, composite keys."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models import CheckConstraint, F, Func, Q, UniqueConstraint, Value
from django.db.models.functions import Coalesce, Lower, Now, Upper

from tests.backends.cases.sequence import Spell, Story, story, table


def _key(to: str = "Tag", **options: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(to, models.CASCADE, **options)


def _text(**options: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=9, **options)


def _generated(expression: Any, output: models.Field[Any, Any], **options: Any) -> Any:
    return models.GeneratedField(
        expression=expression, output_field=output, db_persist=True, **options
    )


@story
def generated_column_from_renamed_ones(spell: Spell) -> Story:
    fields = {
        "price": models.IntegerField(db_index=True),
        "amount": models.PositiveIntegerField(),
        "total": _generated(F("price") * F("amount"), models.IntegerField(), unique=True),
    }
    rule = CheckConstraint(condition=Q(total__gt=0), name="drug_total")
    return Story(
        [table(spell, "Drug", fields, constraints=[rule])],
        [
            migrations.RemoveConstraint("Drug", "drug_total"),
            migrations.RemoveField("Drug", "total"),
            migrations.RenameField("Drug", "price", "cost"),
            migrations.AddField(
                "Drug", "total", _generated(F("cost") * F("amount"), models.IntegerField())
            ),
        ],
    )


@story
def generated_column_gets_index_and_unique(spell: Spell) -> Story:
    def total(**options: Any) -> Any:
        return _generated(Upper("name"), _text(), **options)

    return Story(
        [table(spell, "Drug", {"name": _text(), "upper": total()})],
        [
            migrations.AlterField("Drug", "upper", total(db_index=True)),
            migrations.AlterField("Drug", "upper", total(unique=True)),
            migrations.AlterField("Drug", "upper", total(db_column="caps")),
            migrations.AlterField("Drug", "upper", total(db_comment="it's caps")),
        ],
    )


@story
def generated_column_of_a_key(spell: Spell) -> Story:
    fields = {
        "tag": _key(null=True),
        "has_tag": _generated(Coalesce("tag_id", Value(0)), models.BigIntegerField()),
    }
    return Story(
        [table(spell, "Tag"), table(spell, "Drug", fields)],
        [
            migrations.AlterField("Drug", "tag", _key(null=True, db_constraint=False)),
            migrations.AddIndex("Drug", models.Index(fields=["has_tag", "-id"], name="drug_tag")),
        ],
    )


@story
def collation_of_a_key_that_others_point_to(spell: Spell) -> Story:
    """Django changes the collation of every column that points there, or PostgreSQL refuses."""
    return Story(
        [
            table(spell, "Tag", key=models.CharField(max_length=9, primary_key=True)),
            table(spell, "Drug", {"tag": _key(), "tags": models.ManyToManyField("Tag", "+")}),
            table(spell, "Lot", {"one": models.OneToOneField("Tag", models.CASCADE)}),
        ],
        [
            migrations.AlterField(
                "Tag", "id", models.CharField(max_length=99, primary_key=True, db_collation="C")
            )
        ],
    )


@story
def collation_and_type_of_a_unique_column_that_others_point_to(spell: Spell) -> Story:
    return Story(
        [
            table(spell, "Tag", {"code": _text(unique=True, db_collation="C")}),
            table(spell, "Drug", {"tag": _key(to_field="code")}),
        ],
        [migrations.AlterField("Tag", "code", models.TextField(unique=True, db_collation="C"))],
    )


@story
def key_becomes_a_uuid(spell: Spell) -> Story:
    """Its key, those of the tables that point there, and the joins go with it."""
    return Story(
        [
            table(spell, "Tag", key=models.CharField(max_length=36, primary_key=True)),
            table(
                spell,
                "Drug",
                {
                    "tag": _key(),
                    "tags": models.ManyToManyField("Tag", related_name="+"),
                    "chain": _key("Drug", null=True),
                },
            ),
        ],
        [migrations.AlterField("Tag", "id", models.UUIDField(primary_key=True))],
    )


@story
def small_identity_to_big_with_a_join_to_itself(spell: Spell) -> Story:
    return Story(
        [
            table(
                spell,
                "Drug",
                {"similar": models.ManyToManyField("self"), "parent": _key("Drug", null=True)},
                key=models.SmallAutoField(primary_key=True),
            )
        ],
        [
            migrations.AlterField("Drug", "id", models.BigAutoField(primary_key=True)),
            migrations.RenameModel("Drug", "Medicine"),
            migrations.AlterField(
                "Medicine", "similar", models.ManyToManyField("Medicine", db_table=spell("alike"))
            ),
        ],
    )


@story
def join_to_itself_that_is_not_symmetrical(spell: Spell) -> Story:
    links = models.ManyToManyField("self", symmetrical=False, related_name="linked_by")
    return Story(
        [table(spell, "Drug", {"links": links})],
        [
            migrations.RenameField("Drug", "links", "others"),
            migrations.AlterModelTable("Drug", spell("remedy")),
            migrations.RenameModel("Drug", "Remedy"),
            migrations.RemoveField("Remedy", "others"),
        ],
    )


@story
def join_without_constraints(spell: Spell) -> Story:
    return Story(
        [table(spell, "Tag"), table(spell, "Drug", {"tags": models.ManyToManyField("Tag")})],
        [
            migrations.AlterField(
                "Drug", "tags", models.ManyToManyField("Tag", db_constraint=False)
            ),
            migrations.AddField(
                "Drug",
                "others",
                models.ManyToManyField("Tag", related_name="+", db_constraint=False),
            ),
        ],
    )


@story
def automatic_join_becomes_a_model(spell: Spell) -> Story:
    """As Django's documentation has it: only the state changes, then the model grows."""
    table_name = spell("drug_tags")
    through = migrations.CreateModel(
        "Tagging",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("drug", _key("Drug")),
            ("tag", _key()),
        ],
        {"db_table": table_name, "unique_together": {("drug", "tag")}},
    )
    return Story(
        [
            table(spell, "Tag"),
            table(spell, "Drug", {"tags": models.ManyToManyField("Tag", db_table=table_name)}),
        ],
        [
            migrations.SeparateDatabaseAndState(
                state_operations=[
                    through,
                    migrations.AlterField(
                        "Drug", "tags", models.ManyToManyField("Tag", through="Tagging")
                    ),
                ]
            ),
            migrations.AddField("Tagging", "since", models.DateField(db_default=Now())),
            migrations.AlterUniqueTogether("Tagging", {("drug", "tag", "since")}),
            migrations.AlterField("Tagging", "tag", _key(db_index=False)),
            migrations.AlterModelTable("Tagging", spell("tagging")),
        ],
    )


@story
def composite_key_in_every_way(spell: Spell) -> Story:
    line = migrations.CreateModel(
        "Line",
        [
            ("pk", models.CompositePrimaryKey("tag", "number")),
            ("tag", _key(db_column="label")),
            ("number", models.SmallIntegerField(db_column="no")),
            ("code", _text()),
        ],
        {
            "db_table": spell("line"),
            "constraints": [UniqueConstraint(fields=["code", "number"], name="line_code")],
            "indexes": [models.Index(fields=["number", "tag"], name="line_back")],
        },
    )
    return Story(
        [table(spell, "Tag", key=models.AutoField(primary_key=True)), line],
        [
            migrations.AlterField("Tag", "id", models.BigAutoField(primary_key=True)),
            migrations.AlterField("Line", "number", models.BigIntegerField(db_column="no")),
            migrations.RenameIndex("Line", "line_behind", old_name="line_back"),
            migrations.RemoveConstraint("Line", "line_code"),
            migrations.AlterField("Line", "tag", _key(db_column="label", db_constraint=False)),
            migrations.AlterModelTable("Line", spell("row")),
            migrations.AddConstraint(
                "Line", CheckConstraint(condition=Q(number__gt=0), name="line_no")
            ),
            migrations.RenameModel("Line", "Row"),
        ],
    )


@story
def database_defaults_of_every_kind(spell: Spell) -> Story:
    fields = {
        "since": models.DateTimeField(db_default=Now()),
        "code": _text(db_default="a%'b", unique=True),
        "tag": _key(db_default=1),
        "size": models.DecimalField(max_digits=9, decimal_places=2, db_default=Value(1)),
        "data": models.JSONField(db_default=Value({}, models.JSONField())),
    }
    return Story(
        [table(spell, "Tag"), table(spell, "Drug", fields)],
        [
            migrations.AlterField("Drug", "since", models.DateField(null=True)),
            migrations.AlterField("Drug", "code", models.TextField(db_default="ยา")),
            migrations.AlterField("Drug", "tag", _key(db_default=2, unique=True)),
            migrations.AlterField(
                "Drug",
                "size",
                models.FloatField(
                    db_default=Func(Value(2.5), function="abs", output_field=models.FloatField())
                ),
            ),
            migrations.AddField("Drug", "note", _text(db_default="", db_index=True)),
            migrations.AddField(
                "Drug", "owner", _key(db_default=None, null=True, related_name="+")
            ),
        ],
    )


@story
def exclusion_with_operator_classes_and_more_columns(spell: Spell) -> Story:
    def rule(name: str, **options: Any) -> ExclusionConstraint:
        return ExclusionConstraint(
            name=name,
            expressions=[
                (OpClass("period", name="range_ops"), RangeOperators.OVERLAPS),
                ("other", RangeOperators.ADJACENT_TO),
            ],
            include=["size"],
            condition=Q(size__gt=0) & ~Q(name="100%"),
            **options,
        )

    fields = {
        "period": DateRangeField(null=True),
        "other": DateRangeField(null=True),
        "start": models.DateField(null=True),
        "end": models.DateField(null=True),
        "size": models.IntegerField(),
        "name": _text(),
    }
    computed = ExclusionConstraint(
        name="drug_dates",
        expressions=[
            (
                Func("start", "end", RangeBoundary(), function="DATERANGE"),
                RangeOperators.OVERLAPS,
            )
        ],
        index_type="SPGIST",
    )
    return Story(
        [table(spell, "Drug", fields, constraints=[rule("drug_rule")])],
        [
            migrations.AddConstraint("Drug", computed),
            migrations.RemoveConstraint("Drug", "drug_rule"),
            migrations.RenameField("Drug", "size", "amount"),
        ],
    )


@story
def constraints_and_indexes_of_expressions_with_operator_classes(spell: Spell) -> Story:
    unique = UniqueConstraint(
        OpClass(Lower("name"), name="text_pattern_ops"), condition=Q(size=1), name="drug_lower_u"
    )
    index = GistIndex(OpClass("words", name="tsvector_ops"), name="drug_words_idx")
    gin = GinIndex(fields=["words"], condition=Q(size__gt=0), fastupdate=False, name="drug_gin")
    fields = {"name": _text(), "size": models.IntegerField(), "words": SearchVectorField(null=True)}
    return Story(
        [table(spell, "Drug", fields, constraints=[unique], indexes=[gin])],
        [
            migrations.AddIndex("Drug", index),
            migrations.RemoveConstraint("Drug", "drug_lower_u"),
            migrations.RenameIndex("Drug", "drug_gin_2", old_name="drug_gin"),
            migrations.RemoveIndex("Drug", "drug_words_idx"),
        ],
    )


@story
def columns_renamed_under_everything(spell: Spell) -> Story:
    fields = {
        "name": _text(unique=True, db_comment="a name"),
        "size": models.PositiveIntegerField(db_index=True),
        "tag": _key(),
    }
    return Story(
        [
            table(spell, "Tag"),
            table(
                spell,
                "Drug",
                fields,
                unique_together={("name", "size"), ("tag", "size")},
                indexes=[models.Index(Lower("name"), F("size").desc(), name="drug_both")],
                constraints=[
                    CheckConstraint(condition=Q(size__lt=9) | Q(name="x"), name="drug_small"),
                    UniqueConstraint(fields=["tag"], condition=Q(tag__gt=1), name="drug_tag_u"),
                ],
            ),
            table(spell, "Lot", {"drug": _key("Drug", to_field="name")}),
        ],
        [
            migrations.RemoveConstraint("Drug", "drug_small"),
            migrations.RenameField("Drug", "name", "title"),
            migrations.RenameField("Drug", "size", "amount"),
            migrations.AlterUniqueTogether("Drug", {("title", "amount")}),
            migrations.AlterField("Drug", "amount", models.BigIntegerField()),
        ],
    )


@story
def order_with_respect_to_of_a_moved_table(spell: Spell) -> Story:
    return Story(
        [table(spell, "Drug"), table(spell, "Lot", {"drug": _key("Drug")})],
        [
            migrations.AlterOrderWithRespectTo("Lot", "drug"),
            migrations.AlterModelTable("Lot", spell("batch")),
            migrations.AddIndex("Lot", models.Index(fields=["_order"], name="lot_order")),
        ],
    )


@story
def key_not_valid_and_check_of_two_tables(spell: Spell) -> Story:
    rule = CheckConstraint(condition=Q(size__gte=0), name="drug_size_rule")
    return Story(
        [table(spell, "Drug", {"size": models.IntegerField()})],
        [
            AddConstraintNotValid("Drug", rule),
            migrations.AlterModelTable("Drug", spell("remedy")),
            migrations.AlterField("Drug", "size", models.BigIntegerField()),
            ValidateConstraint("Drug", "drug_size_rule"),
        ],
    )


@story
def tables_and_indexes_in_a_tablespace(spell: Spell) -> Story:
    fields = {
        "name": _text(unique=True, db_tablespace="pg_default"),
        "size": models.IntegerField(db_index=True, db_tablespace="pg_default"),
        "tags": models.ManyToManyField("Drug", db_table=spell("drug_all")),
    }
    return Story(
        [table(spell, "Drug", fields, db_tablespace="pg_default")],
        [
            migrations.AlterField("Drug", "name", _text()),
            migrations.AlterField("Drug", "size", models.IntegerField()),
            migrations.AddField("Drug", "code", _text(null=True, unique=True)),
        ],
    )


@story
def one_to_one_that_is_the_key(spell: Spell) -> Story:
    def link(**options: Any) -> models.OneToOneField[Any, Any]:
        return models.OneToOneField("Tag", models.CASCADE, primary_key=True, **options)

    label = migrations.CreateModel(
        "Label", [("tag", link()), ("note", _text())], {"db_table": spell("label")}
    )
    return Story(
        [table(spell, "Tag"), label, table(spell, "Use", {"label": _key("Label")})],
        [
            migrations.AlterField("Label", "tag", link(db_column="of")),
            migrations.AlterField("Label", "tag", link(db_constraint=False)),
            migrations.AlterField("Tag", "id", models.IntegerField(primary_key=True)),
        ],
    )
