"""Workers of a Dask cluster give the result of one process; one that is killed costs a retry, and
it is told.
"""

import contextlib
import logging

import pytest
from distributed import Client, LocalCluster

import jtfne
from aims import Deadly
from jtfne import JtfneError
from test_trainer import CONFIG, NET, same, trained

SEEDS = (0, 5)
GRID = {"cells.E.drive": [2.0, 4.0]}


@contextlib.contextmanager
def cluster(n_workers, **how):
    """A client of so many workers on this machine, at no port but the loopback's.

    Without a limit of memory: a worker within this process would count all of its memory as its
    own, and pause.
    """
    given = {
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": None,
        "memory_limit": 0,
        **how,
    }
    with LocalCluster(n_workers=n_workers, **given) as made, Client(made) as client:
        yield client


@pytest.fixture(scope="module")
def result():
    return trained(seeds=SEEDS)


@pytest.fixture(scope="module")
def ten():
    """Ten workers, threads of this process."""
    with cluster(10, processes=False, host=None) as client:
        yield client


def test_ten_workers_give_the_result_of_one_process(result, ten):
    assert len(ten.scheduler_info()["workers"]) == 10
    same(trained(seeds=SEEDS, client=ten), result)
    assert jtfne.sweep(NET, GRID, SEEDS, client=ten).identical(jtfne.sweep(NET, GRID, SEEDS))


def test_equal_jobs_are_run_again(ten):
    grid, asked = {"cells.E.drive": [2.0]}, []

    class Watched:
        """What a client is asked for."""

        get_executor, asynchronous, get_events = ten.get_executor, False, ten.get_events

        def submit(self, *args, **given):
            asked.append(ten.submit(*args, **given))
            return asked[-1]

    both = [jtfne.sweep(NET, grid, client=Watched()) for _ in range(2)]
    assert both[0].identical(both[1]) and len({each.key for each in asked}) == 2


def test_what_a_worker_refuses_comes_back(ten):
    other = jtfne.construct(CONFIG.runtime(seed=9))
    net = jtfne.Net(CONFIG, other.identity, other.projections)
    with pytest.raises(JtfneError, match="not what its config gives on the worker"):
        trained(net=net, budget=3, client=ten)


def test_a_client_to_be_awaited_is_refused():
    class Awaited:
        """As Dask's inside an event loop."""

        asynchronous = True

        def get_executor(self):
            """As Dask's."""

        submit = get_executor

    with pytest.raises(JtfneError, match=r"an asynchronous client.*asynchronous=False"):
        trained(budget=3, client=Awaited())


@pytest.mark.slow
def test_ten_processes_give_it_too_and_a_killed_one_costs_a_retry_and_is_told(
    result, tmp_path, caplog
):
    with cluster(10) as client, caplog.at_level(logging.WARNING, "jtfne"):
        same(trained(seeds=SEEDS, client=client), result)
        found = trained(seeds=SEEDS, objective=Deadly(flag=str(tmp_path / "flag")), client=client)
    assert (tmp_path / "flag").exists() and found.history.equals(result.history)
    told = [each.getMessage() for each in caplog.records if each.name == "jtfne"]
    assert len(told) == 1 and "is lost: " in told[0] and "ran again elsewhere" in told[0]
