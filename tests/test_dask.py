"""Candidates by the workers of a Dask cluster: the result of one process, and a worker that dies costs a retry."""

import contextlib

import pytest
from distributed import Client, LocalCluster

import jtfne
from aims import Deadly
from test_trainer import CONFIG, NET, same, trained


@contextlib.contextmanager
def cluster(n_workers, **how):
    """A client of a local cluster without a dashboard."""
    given = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None, **how}
    with LocalCluster(**given) as workers, Client(workers) as client:
        yield client


def test_ten_workers_give_the_result_of_one_process():
    with cluster(10, processes=False) as client:
        assert len(client.scheduler_info()["workers"]) == 10
        found = trained(seeds=(0, 5), client=client)
        grid = jtfne.sweep(NET, {"cells.E.drive": [2.0, 4.0]}, (0, 1), client=client)
    same(found, trained(seeds=(0, 5)))
    assert grid.identical(jtfne.sweep(NET, {"cells.E.drive": [2.0, 4.0]}, (0, 1)))


def test_what_a_run_raises_on_a_worker_comes_back():
    moved = jtfne.construct(CONFIG.runtime(seed=9))
    drawn = jtfne.Net(CONFIG, moved.identity, moved.projections)
    with cluster(1, processes=False) as client, pytest.raises(jtfne.JtfneError, match="not what its config gives"):
        trained(net=drawn, budget=3, client=client)


@pytest.mark.slow
def test_ten_processes_give_the_result_of_one_and_a_killed_one_costs_a_retry(tmp_path):
    flag = tmp_path / "flag"
    with cluster(10) as client:
        same(trained(seeds=(0, 5), client=client), trained(seeds=(0, 5)))
        before = set(client.scheduler_info()["workers"])
        found = trained(objective=Deadly(flag=str(flag)), budget=3, client=client)
        assert flag.exists() and before - set(client.scheduler_info()["workers"]), "one was killed"
    assert found.history.equals(trained(budget=3).history)
