"""Migration history of a generated app: ten operations per table, and the resulting models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

STEPS_PER_TABLE = 10

ID = 'models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")'
"""The field that Django adds to a model without a primary key."""


@dataclass
class Table:
    """A model in the state produced by the operations so far.

    Attributes:
        fields, indexes, constraints: the source code of each, as in a model.
    """

    name: str
    db_table: str
    fields: dict[str, str] = field(default_factory=dict)
    indexes: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)


@dataclass
class History:
    """Generates an app's operations, and keeps track of the resulting models.

    Arguments:
        label: the app's label, which is also the name of its schema.
        qualified: whether tables are in the app's schema; else they are in ``public``.
    """

    label: str
    qualified: bool
    tables: list[Table] = field(default_factory=list)

    def migrations(self, count: int, operations: int) -> Iterator[list[str]]:
        """Yield the source code of each migration's operations.

        Arguments:
            count: how many migrations.
            operations: how many operations each of them has.
        """
        for number in range(count):
            first = number * operations
            yield [self._operation(step) for step in range(first, first + operations)]

    def _operation(self, step: int) -> str:
        number, kind = divmod(step, STEPS_PER_TABLE)
        if kind == 0:
            return self._create(number)
        table = self.tables[number]
        match kind:
            case 1:
                return _add(table, "quantity", "models.IntegerField(default=0)")
            case 2:
                return _add(table, "note", 'models.TextField(blank=True, default="")')
            case 3:
                return _alter(table, "name", "models.CharField(max_length=200)")
            case 4:
                return self._add_index(table, number)
            case 5:
                decimal = "models.DecimalField(max_digits=12, decimal_places=2, null=True)"
                return _add(table, "price", decimal)
            case 6:
                return _add(
                    table, "parent", self._foreign_key(self.tables[max(number - 1, 0)].name)
                )
            case 7:
                return _alter(table, "quantity", "models.BigIntegerField(default=0)")
            case 8:
                return _add(table, "checked_by", self._foreign_key("auth.User"))
            case _:
                return self._add_constraint(table, number)

    def _create(self, number: int) -> str:
        name, plain = f"Table{number:03}", f"table_{number:03}"
        db_table = f'"{self.label}"."{plain}"' if self.qualified else f"{self.label}_{plain}"
        table = Table(name, db_table)
        table.fields = {
            "name": "models.CharField(max_length=100)",
            "code": "models.CharField(max_length=20)",
            "created_at": "models.DateTimeField(auto_now_add=True)",
            "created_by": self._foreign_key("auth.User", null=False),
        }
        self.tables.append(table)
        columns = {"id": ID, **table.fields}
        fields = ", ".join(f'("{name}", {source})' for name, source in columns.items())
        options = f'{{"db_table": {db_table!r}}}'
        return f'migrations.CreateModel("{name}", [{fields}], options={options})'

    def _foreign_key(self, to: str, *, null: bool = True) -> str:
        target = to if "." in to else f"{self.label}.{to}"
        return f'models.ForeignKey("{target}", models.PROTECT, null={null}, related_name="+")'

    def _add_index(self, table: Table, number: int) -> str:
        source = f'models.Index(fields=["code"], name="{self.label}_{number:03}_code")'
        table.indexes.append(source)
        return f'migrations.AddIndex("{table.name}", {source})'

    def _add_constraint(self, table: Table, number: int) -> str:
        name = f"{self.label}_{number:03}_quantity"
        source = f'models.CheckConstraint(condition=models.Q(quantity__gte=0), name="{name}")'
        table.constraints.append(source)
        return f'migrations.AddConstraint("{table.name}", {source})'


def _add(table: Table, name: str, source: str) -> str:
    table.fields[name] = source
    return f'migrations.AddField("{table.name}", "{name}", {source})'


def _alter(table: Table, name: str, source: str) -> str:
    table.fields[name] = source
    return f'migrations.AlterField("{table.name}", "{name}", {source})'
