"""Users."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class User(AbstractUser):
    """A person who can sign in; domains reference it by its UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Redeclared only to name their tables; the stubs expect those of Django.
    groups = models.ManyToManyField(  # type: ignore[assignment]
        "auth.Group",
        verbose_name="groups",
        blank=True,
        related_name="user_set",
        related_query_name="user",
        db_table="user_groups",
    )
    user_permissions = models.ManyToManyField(  # type: ignore[assignment]
        "auth.Permission",
        verbose_name="user permissions",
        blank=True,
        related_name="user_set",
        related_query_name="user",
        db_table="user_permissions",
    )

    class Meta:
        db_table = "users"
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=~Q(email=""), name="users_email_lower_key"
            ),
        ]
