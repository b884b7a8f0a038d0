"""Signals around a domain's run.

A receiver gets ``domain`` (a ``Domain``), ``using`` (the alias of the database) and ``run`` (the
dictionary that a hook gets as JSON). The sender is the class ``Domain``; look at ``domain.name``
to tell domains apart. Runs that have nothing to do send nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

domain_pre_migrate = Signal()
"""Before anything is changed; an exception stops the run."""

domain_post_migrate = Signal()
"""When all is applied and recorded, behind ``post_migrate``."""

domain_migrate_failed = Signal()
"""When a run that had begun did not succeed, behind the rollback of what failed."""
