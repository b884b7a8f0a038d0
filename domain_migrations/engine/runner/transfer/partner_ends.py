"""The end of a run for the domains with which the migrated one has exchanged tables."""

from __future__ import annotations

from django.utils.timezone import now

from ..executor import DomainExecutor
from ..migrate_signals import emit_post_migrate


def end_partners(executor: DomainExecutor) -> None:
    """Send ``post_migrate`` for the other domains, and record that their part of the run is done.

    A new database has no content type of the model yet, which the signal creates.
    """
    for partner in executor.partners.values():
        if partner.progress.applied or partner.progress.reverted:
            started = now()
            emit_post_migrate(partner.session, [], partner.applied_state())
            partner.session.journal.write("done", "run", started=started)
