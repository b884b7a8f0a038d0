from __future__ import annotations

from django.db import migrations
from django.db.models import F

BATCH = 1000


def fill(apps, schema_editor):
    """Give an account without a Thai name its English one, a batch at a time."""
    accounts = apps.get_model("finance", "Account").objects.using(schema_editor.connection.alias)
    while ids := list(accounts.filter(name_th="").values_list("pk", flat=True)[:BATCH]):
        accounts.filter(pk__in=ids).update(name_th=F("name_en"))


def empty(apps, schema_editor):
    """Take back the names that were copied."""
    accounts = apps.get_model("finance", "Account").objects.using(schema_editor.connection.alias)
    copied = accounts.filter(name_th=F("name_en")).exclude(name_th="")
    while ids := list(copied.values_list("pk", flat=True)[:BATCH]):
        accounts.filter(pk__in=ids).update(name_th="")


class Migration(migrations.Migration):
    dependencies = [("finance", "0003_names_in_two_languages")]

    operations = [migrations.RunPython(fill, empty)]
