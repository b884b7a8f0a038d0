from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from ...api.inspect.inspect import InspectedSchema, inspect_domain
from ...api.inspect.update import SchemaUpdate, update_domain
from ...api.source_code.file_changes import FileChange
from ...engine.messages import counted
from ...exceptions import EXIT_FAILED, EXIT_USAGE
from ..arguments import add_database_option, add_format_option
from ..console import command_errors, print_json, stdout_for_json
from ..history_arguments import add_history_options, history_options


class Command(BaseCommand):
    help = (
        "Writes a domain whose migrations make a schema that exists already, and proves in a"
        " scratch database that they make the same one."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "schema", metavar="SCHEMA", help="A schema that no domain owns, or a domain's."
        )
        parser.add_argument(
            "--name", help="The name of the domain and of its app. Defaults to the schema's."
        )
        parser.add_argument(
            "--no-proof",
            action="store_false",
            dest="prove",
            help="Write the files without the proof in a scratch database.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what would be written; write nothing."
        )
        parser.add_argument(
            "--update",
            action="store_true",
            help="Write what has come into a domain's schema by other means, as a migration.",
        )
        add_history_options(parser)
        add_format_option(parser)
        add_database_option(parser, f'"{DEFAULT_DB_ALIAS}"')

    def handle(self, *args: Any, **options: Any) -> None:
        history = history_options(options)
        if options["update"]:
            self._update(options)
            return
        with command_errors(), stdout_for_json(options):
            inspected = inspect_domain(
                options["schema"],
                name=options["name"],
                database=options["database"] or DEFAULT_DB_ALIAS,
                prove=options["prove"],
                dry_run=options["dry_run"],
                history=history,
            )
        if options["format"] == "json":
            print_json(self, inspected)
        elif options["verbosity"] >= 1:
            self._print(inspected, texts=options["dry_run"])
        if inspected.is_refused:
            raise CommandError(_refusal(inspected), returncode=EXIT_FAILED)

    def _update(self, options: dict[str, Any]) -> None:
        if options["name"] or options["history"] or not options["prove"]:
            raise CommandError(
                "--update cannot be used with --name, --history or --no-proof.",
                returncode=EXIT_USAGE,
            )
        with command_errors(), stdout_for_json(options):
            update = update_domain(
                options["schema"],
                database=options["database"] or DEFAULT_DB_ALIAS,
                dry_run=options["dry_run"],
            )
        if options["format"] == "json":
            print_json(self, update)
        elif options["verbosity"] >= 1:
            self._print_update(update, texts=options["dry_run"])
        if update.differences:
            raise CommandError(
                "An empty database would not get the schema as it is:"
                f" {counted(len(update.differences), 'difference')}. Nothing was written.",
                returncode=EXIT_FAILED,
            )

    def _print_update(self, update: SchemaUpdate, *, texts: bool) -> None:
        for sentence in update.found:
            self.stdout.write(sentence)
        for difference in update.differences:
            self.stdout.write(self.style.ERROR(difference))
        if not update.found:
            self.stdout.write(f"Nothing has come into {update.schema}.")
        self._print_files(update.files, update.root, update.is_written, texts=texts)
        if update.models_diff:
            self.stdout.write("\nChange the models, which are not as they were written:")
            self.stdout.write(update.models_diff)
        for note in update.notes:
            self.stdout.write(f"\n{note}")
        if update.is_written:
            command = self.style.SUCCESS(f"manage.py migrate_domain {update.domain}")
            self.stdout.write(f"Proven, forwards and back. Review the migration. Next: {command}")

    def _print_files(
        self, changes: Iterable[FileChange], root: Path, is_written: bool, *, texts: bool
    ) -> None:
        would = "" if is_written else "would be "
        for change in changes:
            verb = "created" if change.before is None else "changed"
            note = f": {change.note}" if change.note else ""
            self.stdout.write(f"{would}{verb} {change.path.relative_to(root)}{note}")
            if texts and change.before is None and change.path.suffix == ".py":
                lines = (change.after or b"").decode().split("\n")
                self.stdout.write("\n".join(f"  {line}" for line in lines))

    def _print(self, inspected: InspectedSchema, *, texts: bool) -> None:
        if texts and inspected.history is not None:
            self.stdout.write(self.style.MIGRATE_LABEL(f"{inspected.history}:"))
            for line in inspected.history.lines():
                self.stdout.write(f"  {line}")
        changes, is_written = inspected.changes, inspected.is_written
        self._print_files(changes, inspected.root, is_written, texts=texts)
        for note in inspected.notes:
            self.stdout.write(f"\n{note}")
        for item in inspected.proof.missing if inspected.proof else ():
            self.stdout.write(f"\nmissing: {item.title}, which {item.used_by} uses. {item.remedy}")
        for difference in inspected.proof.differences if inspected.proof else ():
            self.stdout.write(self.style.ERROR(difference))
        if inspected.proof is not None and inspected.proof.is_proven:
            seconds = f"{inspected.proof.seconds:.1f} s"
            self.stdout.write(f"Proven in {seconds}: an empty database gets the same schema.")
        elif inspected.proof is None and len(changes) > 1:
            warning = "Not proven (--no-proof): an empty database may get another schema."
            self.stdout.write(self.style.WARNING(warning))
        if inspected.is_written:
            next_step = self.style.SUCCESS(f"manage.py migrate_domain {inspected.domain}")
            verb = "was created" if len(inspected.changes) > 1 else "has the history"
            self.stdout.write(f"The domain {inspected.domain} {verb}. Next: {next_step}")
        else:
            self.stdout.write("Nothing was written.")


def _refusal(inspected: InspectedSchema) -> str:
    proof = inspected.proof
    if proof is not None and proof.missing:
        return (
            f'The schema "{inspected.schema}" uses {counted(len(proof.missing), "object")} of other'
            " schemas that core's migrations do not create. Nothing was written."
        )
    return (
        f'An empty database would not get the schema "{inspected.schema}" as it is:'
        f" {counted(len(proof.differences) if proof else 0, 'difference')}. Nothing was written;"
        " --no-proof writes the files in spite of that."
    )
