"""The environment of the settings: real variables, then `.env.local`, then `.env`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from django.core.exceptions import ImproperlyConfigured
from environ import Env

DEVELOPMENT, TEST, PRODUCTION = "development", "test", "production"
DEVELOPMENT_SECRET_KEY = "development-only-key-never-used-in-production"  # noqa: S105 (refused in production)


class Environment(Env):
    """django-environ over a private mapping, so that reading a file changes no real variable.

    An empty variable counts as missing, so that a shell can unset what a file sets.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__()
        self.ENVIRON = {name: value for name, value in values.items() if value}

    def text(self, name: str) -> str:
        """Return the value exactly as written, or an empty string.

        Secrets are read with this method, because `Env.str` takes a leading `$` for the name of
        another variable.
        """
        return self.ENVIRON.get(name, "")

    def number(self, name: str, default: float) -> float:
        try:
            number = float(self.text(name) or default)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ImproperlyConfigured(
                f"{name} is {self.text(name)!r}, which is not a number: write one like {default:g}."
            )
        return number

    @property
    def name(self) -> str:
        return self.text("DJANGO_ENV") or DEVELOPMENT

    @property
    def seed_tag(self) -> str:
        """The tag of the seeds for this environment only; development uses the demo seeds."""
        return "demo" if self.name == DEVELOPMENT else self.name

    @property
    def is_production(self) -> bool:
        return self.name == PRODUCTION


def read_environment(directory: Path, real: Mapping[str, str] | None = None) -> Environment:
    """Read `.env` and, except in production, `.env.local`; real variables override both."""
    real = os.environ if real is None else real
    values = {**_read_file(directory / ".env"), **real}
    if values.get("DJANGO_ENV") != PRODUCTION:
        values = {**values, **_read_file(directory / ".env.local"), **real}
    environment = Environment(values)
    if environment.name not in (DEVELOPMENT, TEST, PRODUCTION):
        raise ImproperlyConfigured(
            f"DJANGO_ENV is {environment.name!r}, which is none of development, test and "
            "production: set it to one of them."
        )
    return environment


def _read_file(path: Path) -> dict[str, str]:
    class FileReader(Env):
        ENVIRON: ClassVar[dict[str, str]] = {}

    if path.is_file():
        FileReader.read_env(path)
    return FileReader.ENVIRON


def secret_key(environment: Environment) -> str:
    key = environment.text("SECRET_KEY")
    if not environment.is_production:
        return key or DEVELOPMENT_SECRET_KEY
    if not key:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing in production: set it to a long random string that is only "
            "used here."
        )
    if key == DEVELOPMENT_SECRET_KEY:
        raise ImproperlyConfigured(
            "SECRET_KEY is the development key, which everybody knows: set it to a long random "
            "string that is only used here."
        )
    return key


def debug(environment: Environment) -> bool:
    value: bool = environment.bool("DEBUG", default=not environment.is_production)
    if value and environment.is_production:
        raise ImproperlyConfigured(
            "DEBUG is on in production, where it shows settings and source code to visitors: "
            "remove DEBUG or set it to False."
        )
    return value
