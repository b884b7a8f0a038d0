"""The function of ``inspect_domain``: an existing schema as a new domain of the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from ...domains import Domain, get_domains
from ...engine.runner.adoption_results import ImportedHistory
from ...engine.runner.results import FORMAT
from ...engine.sessions.database_problems import translate_database_errors
from ...engine.sources.files import HISTORY_FILE, migrations_folders
from ...engine.sources.tool_histories import read_tool_history
from ...exceptions import InvalidConfiguration
from ..source_code.file_changes import FileChange, apply_changes
from ..start.name_checks import check_names
from ..start.project_files import find_settings
from ..start.start import project_changes
from .history_choice import HistoryOptions, find_history, history_notes
from .inspection import Inspection
from .proof import InspectionProof


@dataclass(frozen=True, kw_only=True)
class InspectedSchema:
    """A schema that was inspected, and the files of its domain.

    Attributes:
        domain: the name of the domain and of its app.
        root: the folder that shown paths are relative to.
        changes: the files, in the order in which they are written.
        notes: what people should know about the files, a sentence each.
        proof: None if there was none.
        is_written: whether the files were written.
        history: what this database would bring into its journal of another tool's history.
    """

    domain: str
    schema: str
    root: Path
    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]
    proof: InspectionProof | None
    is_written: bool
    history: ImportedHistory | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the files would not make the same schema."""
        return self.proof is not None and not self.proof.is_proven

    def as_json(self) -> dict[str, Any]:
        proof = self.proof
        return {
            "format": FORMAT,
            "domain": self.domain,
            "schema": self.schema,
            "files": [change.path.relative_to(self.root).as_posix() for change in self.changes],
            "written": self.is_written,
            "proven": None if proof is None else proof.is_proven,
            "differences": [] if proof is None else list(proof.differences),
            "missing": [
                {"object": item.title, "used_by": item.used_by, "remedy": item.remedy}
                for item in (proof.missing if proof else ())
            ],
            "notes": list(self.notes),
            **({} if self.history is None else {"history": self.history.as_json()}),
        }


def inspect_domain(
    schema: str,
    *,
    name: str | None = None,
    database: str = DEFAULT_DB_ALIAS,
    prove: bool = True,
    dry_run: bool = False,
    history: HistoryOptions | None = None,
) -> InspectedSchema:
    """Write a domain whose migrations make a schema that exists already.

    Where the schema is a domain already, only the declaration of a history is written.

    All files are written or none, and none if the proof fails. The database is only read.

    Arguments:
        name: the name of the domain and of its app; the schema's unless given.
        database: the alias of the database that has the schema.
        prove: whether to migrate a scratch database with the files, and to compare it.
        dry_run: whether to write nothing.
        history: another tool's history, to be brought into the journal; none unless given.

    Raises:
        InvalidConfiguration: the schema does not exist or belongs to a domain, the name is taken
            or not valid, the settings have no place for an app, the models need
            ``django.contrib.postgres``, no ``pg_dump`` is installed, or the history cannot be
            used; see :func:`find_history`.
        InsufficientPrivilege: the role may not read the schema, or not create databases, which the
            proof needs.
        DatabaseUnavailable: the database cannot be read.
    """
    domain = next((each for each in get_domains()[1:] if each.schema == schema), None)
    if history is not None and domain is not None:
        return _declare_history(domain, history, database, dry_run=dry_run)
    label = name or schema
    settings = find_settings()
    root = settings.root
    check_names(label, schema, root=root, database=database, is_new=False)
    with translate_database_errors(database):
        inspection = Inspection(label, schema, database, history)
        texts = inspection.files()
        proof = inspection.prove(texts) if prove else None
    changes = [FileChange(root / label / path, None, text.encode()) for path, text in texts.items()]
    added, advice = project_changes(settings, label)
    changes += added
    is_written = not dry_run and (proof is None or proof.is_proven)
    if is_written:
        apply_changes(changes)
    return InspectedSchema(
        domain=label,
        schema=schema,
        root=root,
        changes=tuple(changes),
        notes=(*inspection.notes, *(proof.notes if proof else ()), *advice),
        proof=proof,
        is_written=is_written,
        history=inspection.history.result() if inspection.history else None,
    )


def _declare_history(
    domain: Domain, options: HistoryOptions, database: str, *, dry_run: bool
) -> InspectedSchema:
    """Write the declaration of a history for a domain that exists."""
    if (declared := read_tool_history(domain)) is not None:
        raise InvalidConfiguration(
            f'The domain "{domain.name}" has a declaration of {declared.table} already.',
            hint=f"Edit or delete {HISTORY_FILE} in its migrations folder. Nothing was written.",
        )
    with translate_database_errors(database):
        found = find_history(connections[database], domain, options)
    folder = next(iter(migrations_folders(domain.app_labels[0])))
    change = FileChange(folder / HISTORY_FILE, None, found.declared.as_text().encode())
    if not dry_run:
        apply_changes([change])
    return InspectedSchema(
        domain=domain.name,
        schema=domain.schema,
        root=folder.parent.parent,
        changes=(change,),
        notes=tuple(history_notes(found)),
        proof=None,
        is_written=not dry_run,
        history=found.result(),
    )
