"""Statements that PostgreSQL refuses in a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.sql.lexer import Token, statements
from ...engine.sql.words import Words
from .script import LintFinding, MigrationScript, Statement
from .statement_effects import effects

CONCURRENT_INDEX = "ban-concurrent-index-creation-in-transaction"
REFUSED_IN_TRANSACTION = "refused-in-transaction"
NEW_ENUM_VALUE = "new-enum-value-in-transaction"

REFUSED = (
    ("alter", "system"),
    ("create", "database"),
    ("drop", "database"),
    ("create", "tablespace"),
    ("drop", "tablespace"),
    ("drop", "subscription"),
    ("commit", "prepared"),
    ("rollback", "prepared"),
    ("discard", "all"),
    ("drop", "index", "concurrently"),
    ("vacuum",),
)
"""The beginnings of commands that are refused whatever follows."""
REINDEXED_ALONE = ("schema", "database", "system")
OFF = ("off", "false")
SUBSCRIPTION_REFRESH = ("set", "add", "drop")
TRANSACTION_COMMANDS = (("commit",), ("rollback",))
ALONE = "Write atomic = False in the migration, and give this statement a string of its own."
SEPARATELY = "Run it once by hand as an administrator: it is not part of the domain's schema."
SERVER_COMMANDS = ("ALTER SYSTEM", "DATABASE", "TABLESPACE")


def refused_in_transaction(sql: str) -> str:
    """Return the command in a statement that PostgreSQL refuses in a transaction block, or "".

    Those of the body of a ``DO`` block count too, as far as it is written out.
    """
    words = Words.of(sql)
    if words.take("do"):
        return _refused_in_body(words)
    return _refused(words)


def refused(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the statements that fail because they run in a transaction.

    PostgreSQL runs a string of several statements in one too.
    """
    if script.refusal:
        place = Statement("", script.refused)
        yield script.finding(REFUSED_IN_TRANSACTION, script.refusal, ALONE, place)
    without_slot = False
    for statement in script.statements:
        if not (script.migration.atomic or not statement.alone):
            continue
        command = refused_in_transaction(statement.sql) or _of_partitions(script, statement)
        if command and not (command == "DROP SUBSCRIPTION" and without_slot):
            where = (
                "a transaction, as this migration runs in one"
                if script.migration.atomic
                else "a string with other statements, which is a transaction"
            )
            rule = CONCURRENT_INDEX if command == "CREATE INDEX CONCURRENTLY" else None
            yield script.finding(
                rule or REFUSED_IN_TRANSACTION,
                f"PostgreSQL refuses {command} in {where}.",
                SEPARATELY if any(part in command for part in SERVER_COMMANDS) else ALONE,
                statement,
            )
        without_slot = without_slot or "slot_name" in statement.sql.lower()


def _of_partitions(script: MigrationScript, statement: Statement) -> str:
    """Return the command that PostgreSQL runs for each partition, in transactions of its own."""
    command = Words.of(statement.sql).identifier().lower()
    if command not in ("reindex", "cluster"):
        return ""
    before = [one.sql for one in script.statements if one.string < statement.string]
    relations = (effect.relation for effect in effects(statement.sql))
    is_partitioned = any(script.existing.is_partitioned(one, before) for one in relations)
    return f"{command.upper()} of a partitioned table" if is_partitioned else ""


def new_enum_value(script: MigrationScript) -> Iterator[LintFinding]:
    """Yield the statements that use a value that their transaction adds to an enum."""
    added: dict[str, str] = {}
    created: set[str] = set()
    string = 0
    for statement in script.statements:
        if not script.migration.atomic and statement.string != string:
            added.clear()
        string = statement.string
        words = Words.of(statement.sql)
        if words.take("create", "type") and (name := words.name()):
            created.add(str(name))
        elif words.take("alter", "type") and (name := words.name()):
            if words.take("add", "value") and str(name) not in created:
                words.take("if", "not", "exists")
                added.update({token.text: str(name) for token in words.rest[:1]})
            continue
        used = next((text for text in map(_string, words.tokens) if text in added), None)
        if used is not None:
            yield script.finding(
                NEW_ENUM_VALUE,
                f"The value '{used}' of {added[used]} cannot be used in the transaction that adds"
                " it.",
                "Use it in the next migration.",
                statement,
            )


def _string(token: Token) -> str | None:
    return token.text if token.kind == "string" and token.raw[0] != "$" else None


def _refused(words: Words) -> str:
    for command in REFUSED:
        if words.take(*command):
            return " ".join(command).upper()
    for check in (_index, _reindex, _cluster, _database, _detach, _subscription, _isolation):
        words.at = 0
        if command_name := check(words):
            return command_name
    return ""


def _index(words: Words) -> str:
    if words.take("create"):
        words.take("unique")
        if words.take("index", "concurrently"):
            return "CREATE INDEX CONCURRENTLY"
    return ""


def _reindex(words: Words) -> str:
    if not words.take("reindex"):
        return ""
    options = words.skip_group()
    for n, option in enumerate(options):
        following = options[n + 1] if n + 1 < len(options) else None
        value = following.text.lower() if following and following.raw != "," else ""
        if option.is_word("concurrently") and value not in (*OFF, "0"):
            return "REINDEX CONCURRENTLY"
    kind = next((token.text for token in words.rest), "")
    words.at += 1
    if words.take("concurrently"):
        return "REINDEX CONCURRENTLY"
    return f"REINDEX {kind.upper()}" if kind in REINDEXED_ALONE else ""


def _cluster(words: Words) -> str:
    if words.take("cluster"):
        words.skip_group()
        words.take("verbose")
        return "" if words.rest else "CLUSTER of all tables"
    return ""


def _database(words: Words) -> str:
    is_tablespace = words.take("alter", "database") and words.has("set", "tablespace")
    return "ALTER DATABASE SET TABLESPACE" if is_tablespace else ""


def _detach(words: Words) -> str:
    if words.take("alter", "table") and words.has("detach", "partition"):
        last = words.tokens[-1]
        return "DETACH PARTITION CONCURRENTLY" if last.is_word("concurrently") else ""
    return ""


def _subscription(words: Words) -> str:
    options = [token.text.lower() for token in words.tokens]

    def is_off(option: str) -> bool:
        at = options.index(option) if option in options else len(options)
        return any(value in (*OFF, "0", "none") for value in options[at + 1 : at + 3])

    if words.take("create", "subscription"):
        needs_slot = not (is_off("create_slot") or is_off("connect"))
        return "CREATE SUBSCRIPTION with a slot" if needs_slot else ""
    if words.take("alter", "subscription") and words.identifier():
        refreshes = words.take("refresh") or (
            any(words.take(verb, "publication") for verb in SUBSCRIPTION_REFRESH)
            and not is_off("refresh")
        )
        return "ALTER SUBSCRIPTION with a refresh" if refreshes else ""
    return ""


def _isolation(words: Words) -> str:
    is_late = words.take("set", "transaction", "isolation", "level")
    return "SET TRANSACTION ISOLATION LEVEL after a query" if is_late else ""


def _refused_in_body(words: Words) -> str:
    for token in words.rest:
        if token.kind != "string":
            continue
        for fragment in statements(token.text, procedural=True):
            inner = Words(fragment.source, fragment.tokens)
            if inner.take("execute"):
                inner = Words.of("".join(t.text for t in inner.rest[:1] if t.kind == "string"))
            elif any(inner.take(*command) for command in TRANSACTION_COMMANDS):
                return f"{fragment.tokens[0].text.upper()} in a DO block"
            if command := _refused(inner):
                return f"{command} in a DO block"
    return ""
