"""Django's indexes, with names as long as PostgreSQL allows.

Django refuses a name of more than 30 characters, for the sake of other databases.
"""

from __future__ import annotations

from django.contrib.postgres import indexes as postgres
from django.db import models

from ..backends.postgresql.names import MAX_NAME_BYTES


class Index(models.Index):
    """A B-tree index."""

    max_name_length = MAX_NAME_BYTES


class BloomIndex(postgres.BloomIndex):
    """A bloom index."""

    max_name_length = MAX_NAME_BYTES


class BrinIndex(postgres.BrinIndex):
    """A BRIN index."""

    max_name_length = MAX_NAME_BYTES


class BTreeIndex(postgres.BTreeIndex):
    """A B-tree index with storage parameters."""

    max_name_length = MAX_NAME_BYTES


class GinIndex(postgres.GinIndex):
    """A GIN index."""

    max_name_length = MAX_NAME_BYTES


class GistIndex(postgres.GistIndex):
    """A GiST index."""

    max_name_length = MAX_NAME_BYTES


class HashIndex(postgres.HashIndex):
    """A hash index."""

    max_name_length = MAX_NAME_BYTES


class SpGistIndex(postgres.SpGistIndex):
    """An SP-GiST index."""

    max_name_length = MAX_NAME_BYTES
