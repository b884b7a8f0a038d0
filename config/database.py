"""The DATABASES entry: from DATABASE_URL, from DATABASE_HOST and so on, or embedded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment

ENGINE = "domain_migrations.backends.postgresql"
EMBEDDED_ENGINE = "config.embedded.backend"
EMBEDDED_DATABASE = "domains"

URL_VARIABLE = "DATABASE_URL"
PART_VARIABLES = {
    "HOST": "DATABASE_HOST",
    "PORT": "DATABASE_PORT",
    "NAME": "DATABASE_NAME",
    "USER": "DATABASE_USER",
    "PASSWORD": "DATABASE_PASSWORD",
}
URL_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
URL_EXAMPLE = "postgres://user:password@host:5432/name"


def database(environment: Environment, embedded_directory: Path) -> dict[str, Any]:
    """Return the settings of the default database.

    Without any database variable, that is the embedded server in `embedded_directory`; in
    production, it is an error.
    """
    parts = {key: environment.text(name) for key, name in PART_VARIABLES.items()}
    if environment.text(URL_VARIABLE):
        settings = _from_url(environment)
    elif any(parts.values()):
        settings = _from_parts(parts)
    elif environment.is_production:
        raise ImproperlyConfigured(
            "The database is missing in production: set DATABASE_URL "
            f"({URL_EXAMPLE}), or DATABASE_HOST, DATABASE_PORT, DATABASE_NAME, DATABASE_USER "
            "and DATABASE_PASSWORD."
        )
    else:
        settings = embedded(embedded_directory)
    return _with_connection_options(settings, environment)


def embedded(directory: Path, name: str = EMBEDDED_DATABASE) -> dict[str, Any]:
    """Return the DATABASES entry of a database on the embedded server, created on first use."""
    return {
        "ENGINE": EMBEDDED_ENGINE,
        "NAME": name,
        "EMBEDDED": {"DIRECTORY": str(directory), "NAME": name},
    }


def _from_url(environment: Environment) -> dict[str, Any]:
    url = environment.text(URL_VARIABLE)
    # Messages never quote the URL, because it contains the password.
    scheme = url.partition("://")[0]
    if scheme not in URL_SCHEMES or "://" not in url:
        raise ImproperlyConfigured(
            "DATABASE_URL does not begin with postgres://, and only PostgreSQL is supported: "
            f"write it like {URL_EXAMPLE}."
        )
    try:
        settings: dict[str, Any] = environment.db_url_config(url, engine=ENGINE)
    except ValueError as error:
        raise ImproperlyConfigured(
            "DATABASE_URL cannot be read: write it like "
            f"{URL_EXAMPLE}, with special characters of the password percent-encoded."
        ) from error
    if not settings["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL names no database: write it like {URL_EXAMPLE}.")
    _check_options(settings)
    return settings


def _check_options(settings: dict[str, Any]) -> None:
    """Refuse values after the URL's question mark that Django would fail on, or take for true."""
    lifetime = settings.get("CONN_MAX_AGE")
    if lifetime is not None and (
        isinstance(lifetime, bool) or not isinstance(lifetime, int | float)
    ):
        raise ImproperlyConfigured(
            f"DATABASE_URL has conn_max_age={lifetime}, which is not a number: write the seconds,"
            " like conn_max_age=60, or None."
        )
    for name in ("ATOMIC_REQUESTS", "AUTOCOMMIT", "CONN_HEALTH_CHECKS"):
        value = settings.get(name, False)
        if value not in (True, False):
            option = f"{name.lower()}={value}"
            raise ImproperlyConfigured(
                f"DATABASE_URL has {option}, which is neither True nor False: write one of them."
            )
    if "pool" in settings.get("OPTIONS", {}):
        raise ImproperlyConfigured(
            "DATABASE_URL has an option pool, which is not PostgreSQL's: set DATABASE_POOL instead."
        )


def _from_parts(parts: dict[str, str]) -> dict[str, Any]:
    if not parts["NAME"]:
        given = ", ".join(PART_VARIABLES[key] for key, value in parts.items() if value)
        raise ImproperlyConfigured(
            f"DATABASE_NAME is missing although other parts of the database are set ({given}): "
            "set DATABASE_NAME, or remove them all to use the embedded PostgreSQL."
        )
    return {"ENGINE": ENGINE, **parts}


def _with_connection_options(settings: dict[str, Any], environment: Environment) -> dict[str, Any]:
    pool = _pool(environment)
    lifetime = int(environment.number("DATABASE_CONN_MAX_AGE", 0))
    if pool and (lifetime or settings.get("CONN_MAX_AGE")):
        raise ImproperlyConfigured(
            "DATABASE_POOL and DATABASE_CONN_MAX_AGE are both set, and a pool keeps its own "
            "connections: remove DATABASE_CONN_MAX_AGE or DATABASE_POOL."
        )
    settings.setdefault("CONN_MAX_AGE", lifetime)
    settings.setdefault("CONN_HEALTH_CHECKS", True)
    if pool:
        settings.setdefault("OPTIONS", {})["pool"] = pool
    return settings


def _pool(environment: Environment) -> dict[str, Any] | None:
    """Return the arguments of psycopg's connection pool; None if it is off, as by default."""
    if not environment.bool("DATABASE_POOL", default=False):
        return None
    minimum = int(environment.number("DATABASE_POOL_MIN_SIZE", 1))
    maximum = int(environment.number("DATABASE_POOL_MAX_SIZE", max(4, minimum)))
    if not 0 <= minimum <= maximum or maximum < 1:
        raise ImproperlyConfigured(
            f"DATABASE_POOL_MIN_SIZE is {minimum} and DATABASE_POOL_MAX_SIZE is {maximum}: "
            "the first must be at least 0 and not above the second, which must be at least 1."
        )
    timeout = environment.number("DATABASE_POOL_TIMEOUT", 10)
    return {"min_size": minimum, "max_size": maximum, "timeout": timeout}
