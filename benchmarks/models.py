"""Models queried by the benchmarks: a small drug catalogue in a schema."""

from __future__ import annotations

from django.db import models

SCHEMA = "benchmark"


class Company(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        db_table = f'"{SCHEMA}"."companies"'

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        db_table = f'"{SCHEMA}"."tags"'

    def __str__(self) -> str:
        return self.name


class Drug(models.Model):
    code = models.CharField(max_length=24, unique=True)
    price = models.IntegerField(default=0)
    company = models.ForeignKey(Company, models.PROTECT)
    tags = models.ManyToManyField(Tag)

    class Meta:
        db_table = f'"{SCHEMA}"."drugs"'

    def __str__(self) -> str:
        return self.code
