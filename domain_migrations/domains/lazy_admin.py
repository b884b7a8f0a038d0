"""Django's admin, without its pages in processes that only migrate or show domains.

Importing the admin modules of all apps takes much of such a process, and imports the models of
all domains, which ``lazy_models`` would leave out. Name the class instead of Django's app::

    INSTALLED_APPS = [..., "domain_migrations.domains.lazy_admin.LazyAdminConfig", ...]
"""

from __future__ import annotations

import sys

from django.contrib.admin.apps import SimpleAdminConfig

COMMANDS = frozenset({"migrate_domain", "show_domains"})
"""Commands that serve no page and run no system check of the admin."""


class LazyAdminConfig(SimpleAdminConfig):
    """The app ``django.contrib.admin``; its site is empty during ``COMMANDS``."""

    default = False

    def ready(self) -> None:
        super().ready()
        # Django, too, takes the first argument as the command.
        if COMMANDS.isdisjoint(sys.argv[1:2]):
            self.module.autodiscover()  # type: ignore[union-attr]
