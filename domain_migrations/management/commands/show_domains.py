from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from ...api.show import DomainOverview, DomainsOverview, show_domains
from ...engine.messages import counted, local_time
from ...engine.runner.results import most_severe
from ..arguments import add_database_option, add_domain_arguments, add_format_option
from ..console import TerminalCommand, command_errors, error_text, print_json, stdout_for_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ...engine.cluster.places import Place
    from ...engine.history.status import DomainStatus
    from ...engine.sources.files import MigrationKey


class Command(TerminalCommand):
    help = "Shows the applied, pending and unknown migrations of each domain."
    requires_system_checks: list[str] = []  # It also works on a project with errors.

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_domain_arguments(parser)
        add_database_option(parser)
        add_format_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with command_errors(), stdout_for_json(options):
            overview = show_domains(options["domains"], database=options["database"])
        if options["format"] == "json":
            print_json(self, overview)
        else:
            print_overview(self, overview, options["verbosity"])
        if overview.unreachable:
            raise CommandError(
                f"{counted(len(overview.unreachable), 'domain')} could not be read.",
                returncode=most_severe(each.error.exit_status for each in overview.unreachable),
            )


def print_overview(command: BaseCommand, overview: DomainsOverview, verbosity: int) -> None:
    """Print a table on a terminal, and a few lines for each domain elsewhere."""
    console = None
    if command.stdout.isatty():
        from ..terminal import rich_console

        console = rich_console(command)
    if console is not None:
        _print_table(console, overview)
    for domain in overview.domains:
        if console is None:
            _print_counts(command, domain)
        elif verbosity > 1 or any((domain.status.pending, domain.status.unknown, domain.half_move)):
            command.stdout.write(command.style.MIGRATE_HEADING(domain.status.domain.name))
        _print_migrations(command, domain, verbosity)
    for lost in overview.unreachable:
        command.stdout.write(command.style.MIGRATE_HEADING(lost.domain.name))
        command.stdout.write(command.style.ERROR(f"  [!] {error_text(lost.error)}"))


def _print_table(console: Console, overview: DomainsOverview) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("domain", style="bold", no_wrap=True)
    table.add_column("schema", no_wrap=True)
    for title in ("applied", "pending", "unknown", "tables"):
        table.add_column(title, justify="right", no_wrap=True, min_width=len(title))
    in_cluster = any(each.place for each in overview.domains)
    if in_cluster:
        table.add_column("node", no_wrap=True)
        table.add_column("size", justify="right", no_wrap=True)
    table.add_column("last change")  # On a narrow terminal the time wraps below the date.
    for each in overview.domains:
        status = each.status
        table.add_row(
            status.domain.name,
            status.domain.schema,
            str(len(status.applied)),
            _number(len(status.pending), "yellow"),
            _number(len(status.unknown), "red"),
            str(each.tables),
            *(_place(each.place) if each.place else ()),
            _last_change(each),
        )
    console.print(table)


def _number(number: int, colour: str) -> Text:
    from rich.text import Text

    return Text(str(number), style=f"bold {colour}" if number else "dim")


def _place(place: Place) -> tuple[str, str]:
    """Return the node and the size of a domain in a cluster."""
    from django.template.defaultfilters import filesizeformat  # Only in a cluster.

    known = "unknown size" if place.size is None else filesizeformat(place.size)
    size = known.replace("\N{NO-BREAK SPACE}", " ")
    return place.node or "coordinator", size


def _last_change(domain: DomainOverview) -> str:
    last = domain.status.last_change
    if last is None:
        return "at an unknown time" if domain.status.rows else "never"
    return local_time(last)


def _print_counts(command: BaseCommand, domain: DomainOverview) -> None:
    status = domain.status
    plural = "" if domain.tables == 1 else "s"
    where = f" on {' with '.join(_place(domain.place))}" if domain.place else ""
    command.stdout.write(
        command.style.MIGRATE_HEADING(
            f"{status.domain.name}  (schema {status.domain.schema},"
            f" history {status.domain.history_table})"
        )
    )
    command.stdout.write(
        f"  {len(status.applied)} applied, {len(status.pending)} pending,"
        f" {len(status.unknown)} unknown, {domain.tables} table{plural}{where};"
        f" last change {_last_change(domain)}"
    )


def _print_migrations(command: BaseCommand, domain: DomainOverview, verbosity: int) -> None:
    status = domain.status
    if domain.interrupted:
        resume = f"manage.py repair_domain {status.domain.name} --resume"
        line = f"  [!] {domain.interrupted} (interrupted; to resume it, run: {resume})"
        command.stdout.write(command.style.ERROR(line))
    if domain.half_move:
        line = f"  [!] {domain.half_move.message} {domain.half_move.hint}"
        command.stdout.write(command.style.ERROR(line))
    for key in status.pending:
        if key == domain.interrupted:
            continue
        command.stdout.write(f"  [ ] {key}{_remark(status, key)}")
    for key in status.unknown:
        command.stdout.write(command.style.WARNING(f"  [?] {key} (applied, not on disk)"))
    if verbosity > 1:
        for row in status.rows:
            when = local_time(row.applied) if row.applied else "at an unknown time"
            command.stdout.write(f"  [X] {row.key} ({when})")


def _remark(status: DomainStatus, key: MigrationKey) -> str:
    """Return what is to be known about a pending migration."""
    if key in status.missing:
        return " (replaced, not on disk)"
    from ...engine.sources.stages import stage_suffix  # Parsing is imported where it is needed.

    return stage_suffix(key)
