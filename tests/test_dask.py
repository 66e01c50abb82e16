"""Workers of a Dask cluster give the result of one process; one that is killed costs a retry, and it is told."""

import contextlib
import logging

import pytest

import jtfne
from aims import Deadly
from jtfne import JtfneError
from test_trainer import NET, same, trained

distributed = pytest.importorskip("distributed")
SEEDS = (0, 5)


@contextlib.contextmanager
def cluster(n_workers):
    """A client of so many processes on this machine, at no port but the loopback's."""
    how = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with distributed.LocalCluster(n_workers=n_workers, **how) as made, distributed.Client(made) as client:
        yield client


@pytest.fixture(scope="module")
def result():
    return trained(seeds=SEEDS)


@pytest.fixture(scope="module")
def two():
    with cluster(2) as client:
        yield client


def test_two_workers_give_the_result_of_one_process(result, two):
    same(trained(seeds=SEEDS, client=two), result)


def test_equal_jobs_are_run_again(two):
    grid, asked = {"cells.E.drive": [2.0]}, []

    class Watched:
        """What a client is asked for."""

        get_executor, asynchronous, get_events = two.get_executor, False, two.get_events

        def submit(self, *args, **given):
            asked.append(two.submit(*args, **given))
            return asked[-1]

    both = [jtfne.sweep(NET, grid, client=Watched()) for _ in range(2)]
    assert both[0].identical(both[1]) and len({each.key for each in asked}) == 2


def test_a_killed_worker_costs_a_retry_and_is_told(result, two, tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "jtfne"):
        found = trained(seeds=SEEDS, objective=Deadly(flag=str(tmp_path / "flag")), client=two)
    assert (tmp_path / "flag").exists() and found.history.equals(result.history)
    told = [each.getMessage() for each in caplog.records if each.name == "jtfne"]
    assert len(told) == 1 and "is lost: " in told[0] and "ran again elsewhere" in told[0]


def test_a_client_to_be_awaited_is_refused():
    class Awaited:
        """As Dask's inside an event loop."""

        asynchronous = True

        def get_executor(self):
            """As Dask's."""

        submit = get_executor

    with pytest.raises(JtfneError, match=r"an asynchronous client .*asynchronous=False"):
        trained(budget=3, client=Awaited())
