"""Seeds written in Python, and the context that they get."""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Model

from ...domains import Domain, get_domain_for
from ...engine.runner.tracebacks import traceback_text
from ...engine.sessions.database_errors import error_class_for, first_line, sqlstate_of
from ...exceptions import BoundaryViolation, DomainMigrationsError, SeedFailed
from .document import table_of
from .load import SeedLoader
from .merge import NO_ROWS, Counts
from .seed_files import SeedFile


class SeedContext:
    """The context of ``seed(context)``.

    Attributes:
        domain: the domain's name.
        tags: the active tags.
        using: the alias of the database.
        connection: the run's own, inside the seed's transaction.
    """

    def __init__(self, loader: SeedLoader, *, tags: tuple[str, ...]) -> None:
        self.domain = loader.domain.name
        self.tags = tags
        self.using = loader.connection.alias
        self.connection = loader.connection
        self._loader = loader

    def get_model(self, name: str) -> type[Model]:
        """Return a model of the domain or of core, as ``"Drug"`` or ``"inventory.Drug"``.

        Raises:
            BoundaryViolation: the model is another domain's.
            LookupError: there is no such model, or the domain has several.
        """
        return model_of(self._loader.domain, name)

    def upsert(
        self,
        model: str | type[Model],
        rows: Iterable[Mapping[str, Any]],
        *,
        key: str | Sequence[str] = (),
    ) -> Counts:
        """Merge rows into a table as a data file does: local changes are kept.

        Arguments:
            rows: column → value; a reference has the natural key of its row.
            key: columns that identify a row; the model's natural key unless given.

        Raises:
            SeedFailed: a row is invalid; the message has its number, from 1.
        """
        found = model if isinstance(model, type) else self.get_model(model)
        label, given = found._meta.label, list(rows)
        if not given:
            return NO_ROWS
        names = (key,) if isinstance(key, str) else tuple(key)

        def failed(line: int | None, what: str) -> SeedFailed:
            where = f"row {line} of {label}: " if line else ""
            return self._loader.seed.failed(None, where + what)

        return self._loader.load(found, table_of(label, names, given), failed)


def model_of(domain: Domain, name: str) -> type[Model]:
    """Return the model of a name, as :meth:`SeedContext.get_model` does."""
    if "." in name:
        found: type[Model] = apps.get_model(name)
        owner = get_domain_for(found)
        if owner.name != domain.name and not owner.is_core:
            raise BoundaryViolation(
                f'{found._meta.label} belongs to the domain "{owner.name}", not to'
                f' "{domain.name}".',
                hint=f"Seed it in a seed of {owner.name}.",
            )
        return found
    models = [
        model
        for label in domain.app_labels
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if name.lower() in (model._meta.model_name, _table(model))
    ]
    if len(models) == 1:
        return models[0]
    if models:
        raise LookupError(f"{name} may be {' or '.join(m._meta.label for m in models)}.")
    raise LookupError(f'the domain "{domain.name}" has no model {name}.')


def _table(model: type[Model]) -> str:
    return model._meta.db_table.rpartition('"."')[2].strip('"').lower()


def run_python(seed: SeedFile, context: SeedContext) -> None:
    """Run a seed written in Python; every error is raised as one of the engine's."""
    name = f"{apps.get_app_config(seed.app).name}.{seed.path.parent.name}.{seed.path.stem}"
    try:
        function = runpy.run_path(str(seed.path), run_name=name).get("seed")
        if function is None:
            raise seed.failed(None, "there is no function seed(context).")
        function(context)
    except (DomainMigrationsError, KeyboardInterrupt):
        raise
    except SystemExit as exc:  # It would end the command silently.
        raise seed.failed(_line_of(seed, exc), "it ended the process (SystemExit).") from exc
    except BaseException as exc:  # asyncio.CancelledError, say
        raise seed_error(seed, _line_of(seed, exc), exc) from exc


def _line_of(seed: SeedFile, exc: BaseException) -> int | None:
    """Return the line of the file that an error was raised in."""
    frames = reversed(traceback.extract_tb(exc.__traceback__))
    return next((frame.lineno for frame in frames if frame.filename == str(seed.path)), None)


def seed_error(seed: SeedFile, line: int | None, exc: BaseException) -> DomainMigrationsError:
    """Return the engine's error for an exception that ended a seed."""
    state = sqlstate_of(exc)
    kind = error_class_for(state) or SeedFailed
    reason = first_line(exc).rstrip(".")
    name = "" if state else f"{type(exc).__name__}: "
    failed = seed.failed(line, f"{name}{reason}.")
    error = kind(failed.message, hint=failed.hint, sqlstate=state)
    error.traceback = traceback_text(exc)
    return error
