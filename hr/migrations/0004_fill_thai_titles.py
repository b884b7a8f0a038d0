from __future__ import annotations

from django.db import migrations
from django.db.models import F

BATCH = 1000


def fill(apps, schema_editor):
    """Give a position without a Thai title its English one, a batch at a time."""
    positions = apps.get_model("hr", "Position").objects.using(schema_editor.connection.alias)
    while ids := list(positions.filter(title_th="").values_list("pk", flat=True)[:BATCH]):
        positions.filter(pk__in=ids).update(title_th=F("title_en"))


def empty(apps, schema_editor):
    """Take back the titles that were copied."""
    positions = apps.get_model("hr", "Position").objects.using(schema_editor.connection.alias)
    copied = positions.filter(title_th=F("title_en")).exclude(title_th="")
    while ids := list(copied.values_list("pk", flat=True)[:BATCH]):
        positions.filter(pk__in=ids).update(title_th="")


class Migration(migrations.Migration):
    dependencies = [("hr", "0003_titles_in_two_languages")]

    operations = [migrations.RunPython(fill, empty)]
