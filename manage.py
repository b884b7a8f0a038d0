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
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # For an invalid setting, the message helps and a traceback would hide it.
        if "--traceback" in sys.argv:
            raise
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
