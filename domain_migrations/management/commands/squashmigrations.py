from __future__ import annotations

from typing import Any

from ...api.squash import check_squash
from ..console import command_errors
from ..next_commands import next_command

Next = next_command("squashmigrations")


class Command(Next):  # type: ignore[misc, valid-type]
    def handle(self, **options: Any) -> None:
        with command_errors():
            check_squash(
                options["app_label"],
                options["migration_name"],
                start=options["start_migration_name"],
            )
            super().handle(**options)
