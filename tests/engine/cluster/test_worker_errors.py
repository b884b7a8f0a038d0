"""Errors that come from a node of a cluster, as a run reports them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, InternalError, OperationalError
from django.db.migrations import Migration

from domain_migrations.engine.cluster.refusals import form_that_works
from domain_migrations.engine.cluster.worker_errors import (
    NodeWarning,
    explained,
    is_lost_node,
    without_shard_numbers,
)
from domain_migrations.engine.runner.attempts import COMMIT, Attempt
from domain_migrations.engine.runner.failures import migration_error
from domain_migrations.engine.sessions.database_errors import first_line, sqlstate_of
from domain_migrations.engine.sessions.timeouts import RetryPolicy, retry_reason
from domain_migrations.exceptions import NodeUnavailable

FROM_NODE = "while executing command on 127.0.0.1:5433"
NOT_COMMITTED = "could not commit transaction for shard 102031 on at least one active node"
KEY = (
    'insert or update on table "things_102031" violates foreign key constraint'
    ' "things_other_id_fk_102031"'
)


class ServerError(Exception):
    """As psycopg's."""

    def __init__(self, message: str, sqlstate: str, context: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.diag = SimpleNamespace(message_primary=message, sqlstate=sqlstate, context=context)


def raised(
    kind: type[DatabaseError], message: str, sqlstate: str, context: str = ""
) -> DatabaseError:
    error = kind(message)
    error.__cause__ = ServerError(message, sqlstate, context)
    return error


def test_constraint_that_fails_at_the_commit() -> None:
    error = raised(InternalError, NOT_COMMITTED, "XX000")
    warnings = [
        NodeWarning("23503", KEY, FROM_NODE),
        NodeWarning("01000", "failed to commit transaction on 127.0.0.1:5433", ""),
    ]
    told = explained(error, warnings)
    assert isinstance(told, IntegrityError)
    assert sqlstate_of(told) == "23503"
    assert first_line(told) == (
        'insert or update on table "things" violates foreign key constraint "things_other_id_fk"'
    )


def test_commit_that_failed_for_a_reason_nobody_told() -> None:
    error = raised(InternalError, NOT_COMMITTED, "XX000")
    assert explained(error, [NodeWarning("01000", "something else", "")]) is error


def test_error_of_a_node_in_the_words_of_the_coordinator() -> None:
    text = 'cannot ALTER TABLE "things_102031" because it has pending trigger events'
    told = explained(raised(OperationalError, text, "55006", FROM_NODE), [])
    assert str(told) == 'cannot ALTER TABLE "things" because it has pending trigger events'
    assert (type(told), sqlstate_of(told)) == (OperationalError, "55006")
    assert form_that_works(str(told)).startswith("A node checks foreign keys at the end of the")


def test_node_that_does_not_let_the_session_in_is_not_tried_again() -> None:
    said = (
        "connection to the remote node r@db2:5432 failed with the following error: FATAL:  password"
        ' authentication failed for user "r"'
    )
    told = explained(raised(OperationalError, said, "08006"), [])
    assert str(told).startswith("the node db2:5432 does not let the session in: FATAL:  ")
    assert (sqlstate_of(told), retry_reason(told)) == ("28000", "")
    assert "pg_dist_authinfo" in form_that_works(str(told))


class CopyError(psycopg.errors.InternalError_):
    """What psycopg raises itself, for a COPY."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(message)
        self.values = SimpleNamespace(message_primary=message, sqlstate=sqlstate, context=None)

    @property
    def diag(self) -> Any:
        return self.values


def test_rows_that_a_node_refuses_to_copy() -> None:
    told = explained(CopyError(KEY, "XX000"), [])
    assert isinstance(told, InternalError)
    assert "_102031" not in str(told)


def test_name_of_a_copy_on_the_coordinator() -> None:
    """Its numbers are no shards where a table of the project ends in a month."""
    error = raised(IntegrityError, KEY, "23503")
    assert explained(error, [], lambda numbers: ()) is error
    told = explained(error, [], lambda numbers: numbers)
    assert (type(told), sqlstate_of(told)) == (IntegrityError, "23503")
    assert "_102031" not in str(told)


@pytest.mark.parametrize(
    "error",
    [
        raised(IntegrityError, KEY, "23503"),
        raised(IntegrityError, KEY, "23503", "SQL statement"),
        DatabaseError("no cause"),
        ValueError("not of the database"),
    ],
)
def test_other_errors_stay(error: BaseException) -> None:
    assert explained(error, []) is error


def test_node_that_does_not_answer() -> None:
    text = (
        "connection to the remote node postgres@127.0.0.1:5433 failed with the following error:"
        " Connection refused\n\tIs the server running on that host?"
    )
    told = explained(raised(OperationalError, text, "08006"), [])
    assert str(told) == "the node 127.0.0.1:5433 does not answer: Connection refused"
    assert retry_reason(told) == "the node 127.0.0.1:5433 does not answer"
    assert RetryPolicy(retries=1).allows(1, told)
    assert not RetryPolicy(retries=1).allows(2, told)
    assert form_that_works(str(told)) == (
        "Every node takes part in changes of tables, and in all that is done with core's: start"
        " 127.0.0.1:5433, and run the command again; it continues from here."
    )


def test_node_that_shuts_down_with_a_session_of_the_coordinator() -> None:
    text = "terminating connection due to administrator command"
    told = explained(raised(OperationalError, text, "57P01", FROM_NODE), [])
    assert str(told) == f"the node 127.0.0.1:5433 does not answer: {text}"
    assert retry_reason(told)
    essential = raised(
        InternalError, "failure on connection marked as essential: 127.0.0.1:5433", "XX000"
    )
    assert str(explained(essential, [NodeWarning("57P01", text, FROM_NODE)])) == str(told)
    lost = raised(
        InternalError, "server closed the connection unexpectedly\n\tThis", "XX000", FROM_NODE
    )
    assert str(explained(lost, [])) == (
        "the node 127.0.0.1:5433 does not answer: server closed the connection unexpectedly"
    )
    own = raised(OperationalError, text, "57P01")
    assert explained(own, []) is own


POSTMASTER = "terminating connection due to unexpected postmaster exit"
CLOSED = (
    "server closed the connection unexpectedly\n\tThis probably means the server terminated"
    " abnormally\n\tbefore or while processing the request."
)


@pytest.mark.parametrize(
    ("message", "state"),
    [
        # As a coordinator said them when a worker was killed while rows were copied to it.
        (POSTMASTER, "57P01"),
        (POSTMASTER, "XX000"),
        (CLOSED, "XX000"),
        ("connection to the remote node postgres@127.0.0.1:5433 failed", "08006"),
        ("failure on connection marked as essential: 127.0.0.1:5433", "XX000"),
    ],
)
def test_messages_of_a_node_that_was_killed(message: str, state: str) -> None:
    assert is_lost_node(message, state)


@pytest.mark.parametrize(
    ("message", "state"),
    [("cache lookup failed for type 7", "XX000"), (CLOSED, "P0001"), (NOT_COMMITTED, "XX000")],
)
def test_messages_of_other_errors(message: str, state: str) -> None:
    assert not is_lost_node(message, state)


def test_node_that_dies_at_the_commit_of_what_it_alone_has_written() -> None:
    warnings = [
        NodeWarning("57P01", POSTMASTER, FROM_NODE),
        NodeWarning("01000", "failed to commit transaction on 127.0.0.1:5433", ""),
        NodeWarning("XX000", f"FATAL:  {POSTMASTER}\n{CLOSED}", FROM_NODE),
    ]
    told = explained(raised(InternalError, NOT_COMMITTED, "XX000"), warnings)
    assert str(told) == f"the node 127.0.0.1:5433 does not answer: {POSTMASTER}"
    assert (sqlstate_of(told), retry_reason(told)) == ("08007", "")
    attempt = Attempt(Migration("0001_initial", "hr"), "forwards")
    attempt.phase = COMMIT
    failure = migration_error(told, attempt, [])
    assert isinstance(failure, NodeUnavailable)
    assert "It is not known whether anything of it was kept." in failure.hint


def test_node_that_dies_while_rows_are_copied_to_it() -> None:
    told = explained(raised(InternalError, POSTMASTER, "XX000"), [])
    assert str(told) == f"the node with the tables does not answer: {POSTMASTER}"
    assert retry_reason(told)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('relation "hr.things_102031"', 'relation "hr.things"'),
        ('table "things_2026" has 102031', 'table "things_2026" has 102031'),
        ("things_102031", "things_102031"),
    ],
)
def test_numbers_of_shards(text: str, shown: str) -> None:
    assert without_shard_numbers(text) == shown


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (
            "renaming constraints belonging to distributed tables is currently",
            "Drop the constraint",
        ),
        (
            "cannot execute ADD COLUMN commands involving identity columns when",
            "Citus adds no iden",
        ),
        ("Altering a distributed sequence is currently not supported.", "A distributed sequence"),
        ("functions used in UPDATE queries on distributed tables must not be VOLATILE", "Compute"),
        ("unexpected non-SELECT command in SubLink", "A policy of a distributed table"),
        ("tables in a distributed schema cannot inherit or be inherited", "Use a table of"),
        ('"table a.t" has dependency on unsupported object "type a.r"', "Operators, operator"),
        ("cannot execute a distributed query from a query on a shard", "A trigger of"),
        (
            "cannot create foreign key constraint since relations are not colocated or not",
            "A domain may depend only on itself",
        ),
        ('relation "x" does not exist', ""),
    ],
)
def test_forms_that_work(text: str, advice: str) -> None:
    assert form_that_works(text).startswith(advice)
    assert bool(form_that_works(text)) == bool(advice)
