"""Foreign keys in model classes that become references."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test.utils import isolate_apps

from domain_migrations.api.source_code.source_editor import SourceEditor
from domain_migrations.api.source_code.syntax import CannotEdit
from domain_migrations.api.transfer.field_edit import convert_fields, declaring_class, edit_field
from domain_migrations.api.transfer.key_conversions import KeyConversion
from inventory.models.base import Recorded


@pytest.fixture
def conversion() -> Any:
    """A conversion of the key `kit` of a model whose other fields do not matter."""

    def make(key: models.ForeignKey[Any, Any]) -> KeyConversion:
        with isolate_apps("hr"):
            attributes = {"__module__": __name__, "kit": key}
            options = type("Meta", (), {"app_label": "hr"})
            model = type("Sample", (models.Model,), {**attributes, "Meta": options})
        return KeyConversion(model, "kit", "kit_id", "shop.Kit", True)

    return make


def _key(**arguments: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(ContentType, models.CASCADE, **arguments)


def _edited(source: str, conversion: KeyConversion) -> str:
    return edit_field(dedent(source).encode(), "Sample", conversion).decode()


def test_what_a_reference_takes_stays_with_its_comments(conversion: Any) -> None:
    assert _edited(
        '''\
        """Samples."""

        from __future__ import annotations

        import uuid

        from django.db import models

        from .kits import Kit, Ward


        class Sample(models.Model):
            # Where it came from.
            kit = models.ForeignKey(
                Kit,  # the kit
                on_delete=models.PROTECT,
                null=True,
                # Shown in the admin.
                verbose_name="of the kit",
                related_name="samples",
            )  # kept
            ward = models.ForeignKey(Ward, models.CASCADE)
        ''',
        conversion(_key(null=True, verbose_name="of the kit")),
    ) == dedent(
        '''\
        """Samples."""

        from __future__ import annotations

        import uuid

        from django.db import models
        from domain_migrations.fields import DomainReference

        from .kits import Ward


        class Sample(models.Model):
            # Where it came from.
            kit_id = DomainReference(
                "shop.Kit",  # the kit
                null=True,
                # Shown in the admin.
                verbose_name="of the kit",
                db_index=True,
            )  # kept
            ward = models.ForeignKey(Ward, models.CASCADE)
        '''
    )


@pytest.mark.parametrize(
    ("line", "arguments", "expected"),
    [
        ("kit = ForeignKey('lab.Kit', CASCADE)", {}, '"shop.Kit", db_index=True'),
        ("kit = m.ForeignKey(to=Kit, on_delete=f())", {}, 'to="shop.Kit", db_index=True'),
        ("kit = m.ForeignKey(on_delete=f(), to=Kit)", {}, 'to="shop.Kit", db_index=True'),
        ("kit: A[B] = ForeignKey(Kit, f, 'name')", {}, '"shop.Kit", db_index=True'),
        ("kit = ForeignKey(Kit, f, db_index=False)", {"db_index": False}, '"shop.Kit"'),
        (
            "kit = ForeignKey(Kit, f, unique=True, null=True)",
            {"unique": True, "null": True},
            '"shop.Kit", null=True, unique=True',
        ),
        (
            "kit = ForeignKey(Kit, f, db_column='kit')",
            {"db_column": "kit"},
            '"shop.Kit", db_column="kit", db_index=True',
        ),
        ("kit = ForeignKey(Kit, f, db_column='kit_id')", {}, '"shop.Kit", db_index=True'),
    ],
)
def test_the_column_keeps_its_name_and_its_index(
    conversion: Any, line: str, arguments: dict[str, Any], expected: str
) -> None:
    source = f"class Sample(Model):\n    {line}\n"
    assert _edited(source, conversion(_key(**arguments))) == (
        "from domain_migrations.fields import DomainReference\n\n\n"
        f"class Sample(Model):\n    kit_id = DomainReference({expected})\n"
    )


def test_the_options_of_the_model_have_the_new_name(conversion: Any) -> None:
    source = """\
        from domain_migrations.fields import ReferenceDescriptor
        class Sample(Model):
            kit = ForeignKey("lab.Kit", CASCADE)
            class Meta:
                verbose_name = "kit"
                ordering = ["-kit", "kits"]
                unique_together = [("kit", "code")]
                indexes = [
                    Index(F("kit"), "kit__x", name="kit"),
                    Index(fields=['kit'], name="a"),
                ]
                constraints = [
                    UniqueConstraint(fields=["kit"], include=["kit"], name="kit"),
                    CheckConstraint(condition=Q(kit__isnull=True) | Q(code="kit"), name="kit"),
                ]
        class Other(Model):
            kit = ForeignKey("lab.Kit", CASCADE)
            class Meta:
                ordering = ["kit"]
    """
    assert _edited(source, conversion(_key())) == dedent("""\
        from domain_migrations.fields import DomainReference, ReferenceDescriptor
        class Sample(Model):
            kit_id = DomainReference("shop.Kit", db_index=True)
            class Meta:
                verbose_name = "kit"
                ordering = ["-kit_id", "kits"]
                unique_together = [("kit_id", "code")]
                indexes = [
                    Index(F("kit_id"), "kit_id__x", name="kit"),
                    Index(fields=['kit_id'], name="a"),
                ]
                constraints = [
                    UniqueConstraint(fields=["kit_id"], include=["kit_id"], name="kit"),
                    CheckConstraint(condition=Q(kit_id__isnull=True) | Q(code="kit"), name="kit"),
                ]
        class Other(Model):
            kit = ForeignKey("lab.Kit", CASCADE)
            class Meta:
                ordering = ["kit"]
    """)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kit = make_key()", "computes the field kit of Sample"),
        ("kit = ForeignKey(Kit, **KEY)", "spreads the field kit of Sample"),
        ("kit = ForeignKey(Kit, f); x = 1", "spreads the field kit of Sample"),
        ("kits = ForeignKey(Kit, f)", "does not define the field kit of Sample"),
    ],
)
def test_what_is_computed_is_not_edited(conversion: Any, line: str, message: str) -> None:
    with pytest.raises(CannotEdit, match=message):
        _edited(f"class Sample(Model):\n    {line}\n", conversion(_key()))


@pytest.mark.parametrize(
    "use", ["    other = ForeignKey(Kit, f)", "__all__ = ['Kit']", "    def get(self): return Kit"]
)
def test_an_import_stays_while_it_is_used(conversion: Any, use: str) -> None:
    source = f"from lab import Kit\nclass Sample(Model):\n    kit = ForeignKey(Kit, f)\n{use}\n"
    assert "from lab import Kit\n" in _edited(source, conversion(_key()))


def _conversion(label: str, field: str) -> KeyConversion:
    return KeyConversion(apps.get_model(label), field, f"{field}_id", "hr.Thing", True)


def test_a_field_is_edited_where_it_is_declared() -> None:
    models = [model for model in apps.get_models() if issubclass(model, Recorded)]
    found = [
        _conversion("inventory.Department", "location"),
        _conversion("inventory.BudgetRequest", "department"),
        *(_conversion(model._meta.label, "created_by") for model in models),
    ]
    places = [declaring_class(each) for each in found[:3]]
    assert places == [found[0].model, found[1].model, Recorded]
    editor = SourceEditor()
    convert_fields(editor, found)
    assert editor.blockers == []
    assert [change.path.name for change in editor.changes] == [
        "places.py",
        "budget_requests.py",
        "base.py",
    ]
    for change in editor.changes:
        compile(change.after or b"", str(change.path), "exec")
        assert (change.after or b"").count(b"hr.Thing") == 1


def test_a_field_that_other_models_inherit_is_not_edited() -> None:
    editor = SourceEditor()
    convert_fields(editor, [_conversion("inventory.Contract", "created_by")])
    assert editor.changes == []
    assert [each.as_json() for each in editor.blockers] == [
        {
            "message": "Recorded.created_by is a foreign key of inventory.BudgetAllocation,"
            " inventory.BudgetPlan, inventory.BudgetReservation and 6 more, too.",
            "hint": "Declare it in Contract itself, and run the command again.",
        }
    ]
