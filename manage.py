#!/usr/bin/env python
"""The project's command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed in this Python. Activate the virtual environment, "
            "or run: pip install -r requirements.txt"
        ) from error
    try:
        if "runserver" in sys.argv[1:2] and os.environ.get("RUN_MAIN") != "true":
            _stop_embedded_server_at_exit()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # For an invalid setting, the message helps and a traceback would hide it.
        if "--traceback" in sys.argv:
            raise
        raise SystemExit(str(error)) from error


def _stop_embedded_server_at_exit() -> None:
    from django.conf import settings

    database = settings.DATABASES["default"]
    if "EMBEDDED" in database:
        from config.embedded.backend.base import stop_after_reloader

        stop_after_reloader(database)


if __name__ == "__main__":
    main()
