"""Which adoptions are refused on a Citus cluster."""

from __future__ import annotations

import pytest

from domain_migrations.domains import QualifiedName
from domain_migrations.engine.cluster.cluster import Cluster
from domain_migrations.engine.runner.adoption.cluster_moves import check_move
from domain_migrations.engine.runner.adoption.moves import Move
from domain_migrations.exceptions import InvalidConfiguration
from tests.support import lab

FORWARDS, BACKWARDS = Move(lab.ADOPTION), Move(lab.ADOPTION, backwards=True)


def cluster(*tables: str, schemas: tuple[str, ...] = ()) -> Cluster:
    copied = frozenset(QualifiedName("public", name) for name in tables)
    return Cluster("14.0-1", True, (), dict.fromkeys(schemas), copied)


def test_tables_on_the_coordinator_move() -> None:
    found = cluster("users", "tag", schemas=("hr",))
    check_move(found, FORWARDS)
    check_move(found, BACKWARDS)


@pytest.mark.parametrize(
    ("tables", "named"),
    [
        (("lab_tag",), "public.lab_tag is"),
        (("lab_tag", "lab_sample", "users"), "public.lab_sample, public.lab_tag are"),
    ],
)
def test_tables_on_every_node(tables: tuple[str, ...], named: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        check_move(cluster(*tables), FORWARDS)
    assert caught.value.message == (
        f"The adoption of lab is not possible: {named} on every node of the cluster, as core's"
        " tables are."
    )


@pytest.mark.parametrize(
    ("move", "name"),
    [(FORWARDS, "The adoption of lab"), (BACKWARDS, "The return of lab to core")],
)
def test_distributed_schema(move: Move, name: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        check_move(cluster(schemas=("lab",)), move)
    assert caught.value.message == (
        f"{name} is not possible: the schema lab is distributed. Citus copies the rows of tables"
        " that enter it with their triggers on, and lets none with an identity leave."
    )
