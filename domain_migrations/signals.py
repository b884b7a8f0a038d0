"""Signals before and after the run of a domain.

A receiver gets ``domain`` (a ``Domain``), ``using`` (the alias of the database) and ``run`` (the
dictionary that a hook gets as JSON). The sender is the class ``Domain``; use ``domain.name`` to
distinguish domains. Runs that have nothing to do send no signals.
"""

from __future__ import annotations

from django.dispatch import Signal

domain_pre_migrate = Signal()
"""Sent before anything is changed; an exception stops the run."""

domain_post_migrate = Signal()
"""Sent when all migrations are applied and recorded, after ``post_migrate``."""

domain_migrate_failed = Signal()
"""Sent when a started run has failed, after the rollback of the failed migration."""
