"""Cells that only send: what they send, and that nothing else hangs on how the run is made."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

import jtfne
from jtfne import _keys
from jtfne.delivery import Sharded
from jtfne.emitters import LIF, PoissonSource, SpikeSource, SynapticInput

N_CELLS, N_STEPS, DT_MS, RATE_HZ = 2000, 3000, 0.1, 200.0
NOTHING = SynapticInput(jnp.zeros((0, N_CELLS)), jnp.zeros(0))
SHARE = -np.expm1(-1e-3 * RATE_HZ * DT_MS)  # of steps with a spike


@jax.jit
def train_of(cell: PoissonSource, uniform: jax.Array) -> jax.Array:
    """(n_steps, n_cells)."""

    def step(state, _):
        return cell.step(state, jnp.zeros(N_CELLS), NOTHING, DT_MS)

    return jax.lax.scan(step, cell.init(uniform), length=N_STEPS)[1]


def uniform_of(seed: int) -> jax.Array:
    return jax.random.uniform(_keys.key(seed, "initial state"), N_CELLS)


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    return np.asarray(train_of(PoissonSource(rate_Hz=RATE_HZ), uniform_of(3)), float)


def test_the_rate_is_the_one_asked_for(drawn: np.ndarray) -> None:
    assert abs(drawn.mean() - SHARE) < 4 * np.sqrt(SHARE / drawn.size)
    assert drawn.max(0).all(), "every cell spikes: e^-59 of silence"


@pytest.mark.parametrize("axis", [0, 1], ids=["of cells", "of steps"])
def test_counts_are_binomial(drawn: np.ndarray, axis: int) -> None:
    """Chi-square of the counts of each cell over time, and of each step over cells; no bin expects
    fewer than 10.
    """
    counts, n = drawn.sum(axis), drawn.shape[axis]
    cuts = np.unique(stats.binom.ppf(np.linspace(0.0, 1.0, 21)[1:-1], n, SHARE))
    share = np.diff([0.0, *stats.binom.cdf(cuts, n, SHARE), 1.0])
    seen = np.bincount(np.searchsorted(cuts, counts), minlength=share.size)
    assert share.min() * counts.size > 10
    assert stats.chisquare(seen, share * counts.size).pvalue > 1e-4


def test_cells_and_steps_are_independent(drawn: np.ndarray) -> None:
    """Correlations at lags, between neighbours at lags, and between all pairs of 200 cells are
    those of chance.
    """
    z = (drawn - SHARE) / np.sqrt(SHARE * (1 - SHARE))
    bound = 5 / np.sqrt(drawn.size)
    for lag in (1, 2, 3, 10, 64):
        assert abs((z[:-lag] * z[lag:]).mean()) < bound
        assert abs((z[:, :-lag] * z[:, lag:]).mean()) < bound
        assert abs((z[:-lag, :-lag] * z[lag:, lag:]).mean()) < bound
        assert abs((z[lag:, :-lag] * z[:-lag, lag:]).mean()) < bound
    across = np.corrcoef(drawn[:, :200].T)[np.triu_indices(200, 1)]
    assert abs(across.mean()) < 5 / np.sqrt(across.size * N_STEPS)
    # of 19,900; counts of coincidences are skewed
    assert np.abs(across).max() < 7 / np.sqrt(N_STEPS)
    assert abs(across.var() * N_STEPS - 1.0) < 5 * np.sqrt(2 / across.size)


def test_no_two_cells_have_one_generator() -> None:
    """By construction, whatever was drawn, even the same for all."""
    for uniform in (jnp.zeros(70_000), jax.random.uniform(_keys.key(0), 70_000)):
        assert np.unique(PoissonSource().init(uniform).seed).size == 70_000


def test_other_seeds_other_spikes(drawn: np.ndarray) -> None:
    other = np.asarray(train_of(PoissonSource(rate_Hz=RATE_HZ), uniform_of(4)), float)
    z = [(each - SHARE) / np.sqrt(SHARE * (1 - SHARE)) for each in (drawn, other)]
    assert abs((z[0] * z[1]).mean()) < 5 / np.sqrt(drawn.size)


def test_each_cell_has_its_own_rate() -> None:
    """0 is silence; the others within 5 standard deviations of what they should be."""
    rates = np.linspace(0.0, 400.0, N_CELLS)
    found = np.asarray(train_of(PoissonSource(rate_Hz=jnp.asarray(rates)), uniform_of(5))).sum(0)
    want = -np.expm1(-1e-3 * rates * DT_MS) * N_STEPS
    assert found[0] == 0 and (np.abs(found - want) <= 5 * np.sqrt(want) + 5).all()


def config(**run: object) -> jtfne.Config:
    """Sources onto LIF cells that they make fire."""
    edge = {"source": "S", "target": "E", "mechanism": "AMPA", "weight": 200.0, "delay_ms": 1.5}
    return (
        jtfne.Config()
        .runtime(**{"seed": 2, "duration_ms": 200.0, **run})
        .areas(["V1"])
        .layers(["L4"])
        .cells({"S": 40, "E": 20})
        .emitters({"S": PoissonSource(rate_Hz=50.0), "E": LIF()})
        .connections([{**edge, "rule": {"kind": "FixedIndegree", "n": 20}}])
        .probes(["spk", "vm", "source"])
    )


def values_of(signals: jtfne.Signals) -> list[np.ndarray]:
    spikes = [signals.spikes[name].to_numpy() for name in ("time_ms", "neuron")]
    return [*spikes, *(signals.get(name).values for name in ("vm", "source"))]


def test_in_a_net_they_drive_others_and_stay_without_current() -> None:
    signals = jtfne.construct(config()).simulate(progress=False)
    fired = signals.spikes.groupby("cell_type", observed=True).size()
    assert fired["E"] > 20 and abs(fired["S"] - 400) < 5 * 20
    for name in ("vm", "source"):
        assert not np.any(signals.get(name, cell_type="S").values) and np.any(
            signals.get(name, cell_type="E").values
        )


@pytest.mark.as_users
def test_spikes_do_not_hang_on_chunks_or_devices(tmp_path) -> None:
    """In one go, streamed in chunks, dealt over two devices: the same bits."""
    net = jtfne.construct(config())
    at_once = values_of(net.simulate(progress=False))
    chunked = values_of(jtfne.simulate(net, progress=False, out=tmp_path / "run", chunk_steps=200))
    over_two = values_of(net.simulate(progress=False, delivery=Sharded()))
    for one, *others in zip(at_once, chunked, over_two, strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_a_marker_may_be_set_on_sources() -> None:
    marked = config().stimuli(
        [{"target": "S", "drive": {"kind": "Marker", "start_ms": 5.0}, "label": "s"}]
    )
    assert len(jtfne.construct(marked).simulate(progress=False).events) == 1


def replayed(trains: SpikeSource, **run: object) -> jtfne.Config:
    """The same circuit, its sources by `trains`."""
    return config(**run).emitters({"S": trains, "E": LIF()})


def sent(signals: jtfne.Signals, cell_type: str = "S") -> list[tuple[int, float]]:
    """(neuron, time) of each spike."""
    mine = signals.spikes[signals.spikes["cell_type"].astype(str) == cell_type]
    return list(zip(mine["neuron"], mine["time_ms"], strict=True))


def test_spikes_of_a_run_come_again_in_another() -> None:
    """Of its frame: the same spikes of the sources, so the same of the cells that hear them; E
    differ by their seed.
    """
    net = jtfne.construct(config())
    first = net.simulate(progress=False)
    source = SpikeSource.from_table(first.spikes, cells=net.select(cell_type="S"))
    again = jtfne.construct(replayed(source)).simulate(progress=False)
    assert len(sent(first)) > 300 and sent(again) == sent(first)
    other = jtfne.construct(replayed(source)).simulate(progress=False, seed=9)
    assert sent(other) == sent(first) and sent(other, "E") != sent(first, "E")
    twice = jtfne.construct(replayed(source)).simulate(progress=False, trials=2)
    for k in range(2):
        mine = twice.spikes[
            (twice.spikes["trial"] == k) & (twice.spikes["cell_type"].astype(str) == "S")
        ]
        assert list(zip(mine["neuron"], mine["time_ms"], strict=True)) == sent(first)


def test_a_spike_comes_in_the_step_that_ends_at_its_time_or_after() -> None:
    """One at 0 in the first step; one that float32 made a little later on time; one after the run
    not at all.
    """
    source = SpikeSource(
        times_ms=[[0.0, 0.11, 0.3, 0.35], [float(np.float32(99.9)), 150.0, 250.0], [], [0.1]]
    )
    spikes = sent(jtfne.construct(replayed(source)).simulate(progress=False))
    first = min(cell for cell, _ in spikes)
    want = [(0, 0.1), (3, 0.1), (0, 0.2), (0, 0.3), (0, 0.4), (1, 99.9), (1, 150.0)]
    assert [cell - first for cell, _ in spikes] == [cell for cell, _ in want]
    np.testing.assert_allclose([t_ms for _, t_ms in spikes], [t_ms for _, t_ms in want], rtol=1e-12)


def test_trains_are_dealt_over_layers_in_the_order_of_ids() -> None:
    # the last 5 of 40 are silent
    source = SpikeSource(times_ms=[[float(k + 1)] for k in range(35)])
    net = jtfne.construct(replayed(source).layers(["L2/3", "L4"]))
    spikes = sent(net.simulate(progress=False))
    np.testing.assert_array_equal([cell for cell, _ in spikes], net.select(cell_type="S")[:35])
    np.testing.assert_allclose([t_ms for _, t_ms in spikes], 1.0 + np.arange(35))
    assert len(net.select(cell_type="S", layer="L4")) > 0 and len(net.to_flat().circuit.groups) == 2


@pytest.mark.as_users
def test_trains_do_not_hang_on_chunks_or_devices(tmp_path) -> None:
    rng = np.random.default_rng(0)
    source = SpikeSource(
        times_ms=[np.sort(rng.choice(1999, 9, replace=False)) * 0.1 + 0.1 for _ in range(40)]
    )
    net = jtfne.construct(replayed(source))
    at_once = values_of(net.simulate(progress=False))
    chunked = values_of(jtfne.simulate(net, progress=False, out=tmp_path / "run", chunk_steps=200))
    over_two = values_of(net.simulate(progress=False, delivery=Sharded()))
    assert len(at_once[0]) > 40 * 9
    for one, *others in zip(at_once, chunked, over_two, strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)


def test_trains_round_trip_and_can_be_told_apart() -> None:
    cfg = replayed(SpikeSource(times_ms=[[], [1.0, 2.5], [0.3]]))
    for again in (jtfne.Config.from_json(cfg.to_json()), jtfne.Config.from_toml(cfg.to_toml())):
        assert again == cfg and again.hash == cfg.hash
        assert again.circuit.emitters["S"].times_ms.tolist() == [[], [1.0, 2.5], [0.3]]
    other = replayed(SpikeSource(times_ms=[[1.0], [2.5], [0.3]]))
    assert other != cfg and other.hash != cfg.hash
    kept = cfg.circuit.emitters["S"].times_ms
    assert pickle.loads(pickle.dumps(kept)) == kept and hash(copy.deepcopy(kept)) == hash(kept)
    with pytest.raises(ValueError, match="read-only"):
        kept.t_ms[0] = 3.0


@pytest.mark.parametrize("form", [dict, pd.DataFrame, pa.table], ids=["lists", "pandas", "Arrow"])
def test_every_form_of_a_table(form) -> None:
    table = form(
        {"cell": [3, 1, 3, 0], "t_ms": [4.0, 2.0, 1.5, 9.0], "other": ["a", "b", "c", "d"]}
    )
    assert SpikeSource.from_table(table).times_ms.tolist() == [[9.0], [2.0], [], [1.5, 4.0]]
    assert SpikeSource.from_table(table, cells=[3, 2, 1]).times_ms.tolist() == [
        [1.5, 4.0],
        [],
        [2.0],
    ]
    nothing = form({"cell": np.zeros(0, np.int64), "t_ms": np.zeros(0)})
    assert SpikeSource.from_table(nothing, cells=[1, 2]).times_ms.tolist() == [[], []]
