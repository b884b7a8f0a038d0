"""The output of ``extract_domain``: obstacles, progress and the cut-over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from ..api.extract.cut_over import CutOver
from ..api.extract.extraction_progress import Progress, TableProgress
from ..api.extract.obstacles import Preflight
from ..domains import get_domain
from .console import print_json

WIDTH = 20
PAUSE = 0.2


def print_preflight(
    command: BaseCommand, domain: str, target: str, found: Preflight, options: dict[str, Any]
) -> None:
    """Print the obstacles, or what comes next."""
    if options["format"] == "json":
        print_json(command, found)
        return
    write, style = command.stdout.write, command.style
    for each in found.obstacles:
        write(f"{style.ERROR(each.side + ':')} {each.message}")
        write(f"    {each.remedy}")
    for note in found.notes:
        write(note)
    if not found.obstacles:
        following = style.SUCCESS(f"manage.py extract_domain {domain} start --to {target}")
        write(f"{found.tables} tables can be copied. What comes next: {following}")


def print_progress(command: BaseCommand, progress: Progress, options: dict[str, Any]) -> None:
    """Print the tables, the lag and what comes next."""
    if options["format"] == "json":
        print_json(command, progress)
        return
    write, style = command.stdout.write, command.style
    write(f"{progress.domain}: {progress.source} to {progress.target}, {progress.phase}")
    longest = max((len(each.table) for each in progress.tables), default=0)
    for each in progress.tables:
        write(f"  {each.table:{longest}}  {_amount(command, each)}")
    if progress.lag is not None:
        write(f"  lag: {progress.lag.bytes} bytes, {progress.lag.seconds:.1f} s")
    if progress.problem:
        write(style.WARNING(progress.problem))
    if progress.phase == "finished":
        schema = get_domain(progress.domain).schema
        write(
            f'The tables in "{progress.source}" are kept, and refuse writes. When nobody reads them'
            f' any more, drop them there: DROP SCHEMA "{schema}" CASCADE;'
        )
    if progress.next:
        write(f"What comes next: {style.SUCCESS(progress.next)}")
    if progress.back and progress.back != progress.next:
        write(f"The way back: {progress.back}")


def _amount(command: BaseCommand, each: TableProgress) -> str:
    share = 1.0 if each.state == "ready" else min(each.rows / max(each.total_rows, 1), 0.99)
    bar = ""
    if command.stdout.isatty():
        full = round(share * WIDTH)
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] "
    return f"{bar}{each.rows} of about {each.total_rows} rows, {each.state}"


def watch_copy(
    command: BaseCommand,
    read: Callable[[], Progress],
    seconds: float,
    options: dict[str, Any],
) -> Progress:
    """Return the progress as soon as everything is copied, or when the time is over."""
    until = time.monotonic() + seconds
    shows = command.stdout.isatty() and options["format"] == "text"
    progress = read()
    while progress.phase == "copying" and not progress.is_copied and time.monotonic() < until:
        if shows:
            ready = sum(each.state == "ready" for each in progress.tables)
            rows = sum(each.rows for each in progress.tables)
            command.stdout.write(
                f"\r{ready} of {len(progress.tables)} tables, {rows} rows", ending=""
            )
            command.stdout.flush()
        time.sleep(PAUSE)
        progress = read()
    if shows and seconds:
        command.stdout.write("")
    return progress


def print_cut_over(command: BaseCommand, result: CutOver) -> None:
    """Print the pause and the change of the settings."""
    write = command.stdout.write
    if result.switched is not None:
        done = result.switched
        write(
            command.style.SUCCESS(
                f"Nobody could write for {done.pause:.2f} s. {done.rows} rows in {done.tables}"
                f" tables are equal, {done.sequences} sequences are set."
            )
        )
        for step, seconds in done.parts.items():
            write(f"  {seconds:.2f} s {step}")
    write("Change the settings, and deploy them:")
    write(result.diff)
