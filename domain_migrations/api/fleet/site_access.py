"""The access to a site, in the process that works on it: its password, and its aliases."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ...exceptions import SiteFailed
from .sites import Site

SITE_VARIABLE = "DOMAIN_MIGRATIONS_SITE"
PLACEHOLDER = "{site}"
LONGEST_WAIT = 60.0
"""Seconds that a password command may take."""


@dataclass(frozen=True)
class SiteAccess:
    """How a process gets into its site.

    Attributes:
        password_command: prints the password of a site on the first line; None for none.
        secret_variables: variables of the environment that no other command gets.
    """

    password_command: str | None = None
    secret_variables: Collection[str] = ()

    def validate(self) -> Iterator[str]:
        """Yield a sentence if the password command is not a command line."""
        try:
            words = shlex.split("true" if self.password_command is None else self.password_command)
        except ValueError:
            words = []
        if not words:
            yield "--password-command takes a command line, with its quotes closed."

    def enter(self, site: Site) -> None:
        """Make the aliases of this process lead to the site.

        Raises:
            SiteFailed: the password command has failed.
        """
        for variable in self.secret_variables:
            os.environ.pop(variable, None)
        password = None
        if self.password_command is not None:
            password = site_password(self.password_command, site.name)
        site.connect_aliases(password)
        if contenttypes := sys.modules.get("django.contrib.contenttypes.models"):
            # Those of the parent's database have other ids.
            contenttypes.ContentType.objects.clear_cache()


def site_password(command: str, name: str) -> str:
    """Return the first line that a command prints, run without a shell.

    Arguments:
        command: ``{site}`` in it is the name, which it also gets as a variable.
        name: of the site.

    Raises:
        SiteFailed: it cannot be run, has failed or has printed nothing.
    """
    problem = f'The password command of the site "{name}"'
    try:
        arguments = [part.replace(PLACEHOLDER, name) for part in shlex.split(command)]
        done = subprocess.run(
            arguments,
            env={**os.environ, SITE_VARIABLE: name},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_WAIT,
            check=False,
        )
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or "it is not a command line"
        raise SiteFailed(f"{problem} cannot be run: {reason}.") from None
    except subprocess.TimeoutExpired:
        raise SiteFailed(f"{problem} was stopped after {LONGEST_WAIT:g} s.") from None
    password = done.stdout.partition("\n")[0].rstrip("\r")
    if done.returncode:
        # What it has said about that may have a password or a token, which nobody could tell apart.
        raise SiteFailed(
            f"{problem} has ended with exit status {done.returncode}.",
            hint="Run it by hand with the name of the site: it may say why on standard error, which"
            " is not shown here since it may have secrets.",
        )
    if not password:
        raise SiteFailed(f"{problem} has printed no password on its first line.")
    return password
