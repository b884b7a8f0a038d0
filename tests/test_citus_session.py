"""How the workers of a test run share a Citus cluster; no cluster is needed for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.embedded.locks import LockTimeout
from tests.support import cluster, servers


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in (cluster.URL, cluster.PROGRAMS):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(servers.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def homes(worker: str, monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    nodes = cluster._own_nodes(servers.selected_programs())
    return {node.server.home.path for node in nodes if node.server is not None}


def test_each_worker_has_servers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = homes("gw0", monkeypatch), homes("gw1", monkeypatch)
    assert len(first | second) == 2 * (cluster.WORKERS + 1)


def test_workers_take_turns_on_a_cluster_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cluster.URL, "postgres://nobody@localhost/none")
    with cluster.alone(), pytest.raises(LockTimeout), cluster.alone(seconds=0):
        pass
    with cluster.alone(seconds=0):
        pass


def test_workers_with_servers_of_their_own_do_not_wait() -> None:
    with cluster.alone(), cluster.alone(seconds=0):
        pass
