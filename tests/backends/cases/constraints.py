"""Constraints of every kind: added, removed, changed, validated later."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import CheckConstraint, Deferrable, F, Q, UniqueConstraint
from django.db.models.functions import Lower

from tests.backends.cases.sequence import Spell, Story, story, table

NAME = "drug_rule"
CONSTRAINTS: dict[str, Any] = {
    "check": CheckConstraint(condition=Q(size__gt=0), name=NAME),
    "check_of_two": CheckConstraint(condition=Q(size__gt=F("number")), name=NAME),
    "unique": UniqueConstraint(fields=["name", "size"], name=NAME),
    "partial_unique": UniqueConstraint(fields=["name"], condition=Q(size=1), name=NAME),
    "covering_unique": UniqueConstraint(fields=["name"], include=["size"], name=NAME),
    "deferrable_unique": UniqueConstraint(
        fields=["name"], deferrable=Deferrable.DEFERRED, name=NAME
    ),
    "expression_unique": UniqueConstraint(Lower("name"), name=NAME),
    "opclass_unique": UniqueConstraint(
        fields=["name"], opclasses=["varchar_pattern_ops"], name=NAME
    ),
    "unique_with_one_null": UniqueConstraint(fields=["name"], nulls_distinct=False, name=NAME),
    "exclusion": ExclusionConstraint(expressions=[("period", RangeOperators.OVERLAPS)], name=NAME),
    "partial_exclusion": ExclusionConstraint(
        expressions=[("period", RangeOperators.OVERLAPS)], condition=Q(size=1), name=NAME
    ),
    "deferrable_exclusion": ExclusionConstraint(
        expressions=[("period", RangeOperators.OVERLAPS)],
        deferrable=Deferrable.DEFERRED,
        name=NAME,
    ),
}


def _drug(spell: Spell, *constraints: Any, **options: Any) -> Any:
    fields = {
        "name": models.CharField(max_length=9, null=True),
        "size": models.IntegerField(),
        "number": models.IntegerField(),
        "period": DateTimeRangeField(),
    }
    clones = [constraint.clone() for constraint in constraints]
    return table(spell, "Drug", fields, constraints=clones, **options)


def _stories(constraint: Any) -> dict[str, Any]:
    def create(spell: Spell) -> Story:
        return Story([], [_drug(spell, constraint)])

    def add(spell: Spell) -> Story:
        return Story([_drug(spell)], [migrations.AddConstraint("Drug", constraint.clone())])

    def remove(spell: Spell) -> Story:
        return Story([_drug(spell, constraint)], [migrations.RemoveConstraint("Drug", NAME)])

    return {"create_with": create, "add_constraint": add, "remove_constraint": remove}


for _name, _constraint in CONSTRAINTS.items():
    for _verb, _tell in _stories(_constraint).items():
        _tell.__name__ = f"{_verb}_{_name}"
        story(_tell)


@story
def alter_constraint(spell: Spell) -> Story:
    """Only its message changes, which is nothing to the database."""
    changed = CheckConstraint(
        condition=Q(size__gt=0), name=NAME, violation_error_message="Too small"
    )
    return Story(
        [_drug(spell, CONSTRAINTS["check"])], [migrations.AlterConstraint("Drug", NAME, changed)]
    )


@story
def constraint_not_valid(spell: Spell) -> Story:
    return Story([_drug(spell)], [AddConstraintNotValid("Drug", CONSTRAINTS["check"].clone())])


@story
def constraint_validated(spell: Spell) -> Story:
    return Story(
        [_drug(spell), AddConstraintNotValid("Drug", CONSTRAINTS["check"].clone())],
        [ValidateConstraint("Drug", NAME)],
    )


@story
def unique_together_added(spell: Spell) -> Story:
    together = migrations.AlterUniqueTogether("Drug", {("name", "size")})
    return Story([_drug(spell)], [together])


@story
def unique_together_changed(spell: Spell) -> Story:
    together = migrations.AlterUniqueTogether("Drug", {("size", "name"), ("name", "number")})
    return Story([_drug(spell, unique_together={("name", "size")})], [together])


@story
def unique_together_removed(spell: Spell) -> Story:
    return Story(
        [_drug(spell, unique_together={("name", "size")})],
        [migrations.AlterUniqueTogether("Drug", set())],
    )


@story
def unique_together_beside_a_named_constraint(spell: Spell) -> Story:
    return Story(
        [_drug(spell, CONSTRAINTS["unique"], unique_together={("name", "size")})],
        [migrations.AlterUniqueTogether("Drug", set())],
    )


@story
def unique_together_set_and_removed_in_one_migration(spell: Spell) -> Story:
    return Story(
        [_drug(spell)],
        [
            migrations.AlterUniqueTogether("Drug", {("name", "size")}),
            migrations.AlterField("Drug", "size", models.BigIntegerField()),
            migrations.AlterUniqueTogether("Drug", set()),
        ],
    )
