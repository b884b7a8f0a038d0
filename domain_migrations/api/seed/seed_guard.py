"""The footprint guard, around a seed instead of a migration."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunPython

from ...domains import CORE_SCHEMA, Domain, QualifiedName
from ...engine.guard.guard import BoundaryGuard, MigrationWatch
from ...engine.guard.transaction import LOCK_STRENGTH, WRITE_MODE
from ...engine.guard.violations import CORE_ROWS, Violation
from ...exceptions import BoundaryViolation
from .seed_files import SeedFile
from .target_table import relation_name

SEED_CORE_ROWS = (
    "Say writes_core: true in the seed (writes_core = True in Python) if it has to write rows of"
    " core, or write them in a seed of core."
)


class SeedGuard(BoundaryGuard):
    """Refuses seeds that touch what their domain may not.

    Arguments:
        seed: what is guarded.
        writes_core: whether it may write rows of core.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, domain: Domain, seed: SeedFile, *, writes_core: bool
    ) -> None:
        super().__init__(connection, domain)
        self.seed = seed
        self.stand_in = Migration(seed.name, seed.app)
        self.stand_in.operations = [RunPython(RunPython.noop)]  # type: ignore[misc]
        self.stand_in.writes_core = writes_core  # type: ignore[attr-defined]

    def start(self) -> MigrationWatch:
        """Return the watch over the seed; the first thing to do in its transaction."""
        return self.begin(self.stand_in)

    def finish(self, watch: MigrationWatch) -> tuple[str, ...]:
        """Return the tables that the seed wrote rows of, as ``to_regclass`` takes them.

        Raises:
            BoundaryViolation: it touched what it may not.
            SeedFailed: it ended its transaction.
        """
        watch.after_operation(self.stand_in.operations[0])
        locks = watch.check().locks
        if watch.ended_transaction():
            raise self.seed.failed(
                None,
                "it ended the transaction that it runs in, so what it did before stays.",
                "Take COMMIT and ROLLBACK out of its SQL, and look at what is there.",
            )
        written = (
            name for name, mode in locks.items() if LOCK_STRENGTH[mode] >= LOCK_STRENGTH[WRITE_MODE]
        )
        own = {str(table) for table in self.domain.engine_tables}
        return tuple(map(self._quoted, (name for name in written if name not in own)))

    def _quoted(self, name: str) -> str:
        schemas = (self.domain.schema, CORE_SCHEMA)
        schema = next((one for one in schemas if name.startswith(f"{one}.")), "")
        return relation_name(QualifiedName(schema, name[len(schema) + 1 :]))

    def to_error(
        self, migration: Migration, violation: Violation, operation: str
    ) -> BoundaryViolation:
        return BoundaryViolation(
            f"The seed {self.seed} is refused: it {violation.action}.",
            hint=SEED_CORE_ROWS if violation.hint == CORE_ROWS else violation.hint,
        )
