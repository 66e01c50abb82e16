"""Cells that only send: what they send, and that nothing else hangs on how the run is made."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jtfne
from jtfne import _keys
from jtfne.emitters import LIF, PoissonSource, SynapticInput

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
    """Chi-square of the counts of each cell over time, and of each step over cells; no bin expects fewer than 10."""
    counts, n = drawn.sum(axis), drawn.shape[axis]
    cuts = np.unique(stats.binom.ppf(np.linspace(0.0, 1.0, 21)[1:-1], n, SHARE))
    share = np.diff([0.0, *stats.binom.cdf(cuts, n, SHARE), 1.0])
    seen = np.bincount(np.searchsorted(cuts, counts), minlength=share.size)
    assert share.min() * counts.size > 10
    assert stats.chisquare(seen, share * counts.size).pvalue > 1e-4


def test_cells_and_steps_are_independent(drawn: np.ndarray) -> None:
    """Correlations at lags, between neighbours at lags, and between all pairs of 200 cells are those of chance."""
    z = (drawn - SHARE) / np.sqrt(SHARE * (1 - SHARE))
    bound = 5 / np.sqrt(drawn.size)
    for lag in (1, 2, 3, 10, 64):
        assert abs((z[:-lag] * z[lag:]).mean()) < bound
        assert abs((z[:, :-lag] * z[:, lag:]).mean()) < bound
        assert abs((z[:-lag, :-lag] * z[lag:, lag:]).mean()) < bound
        assert abs((z[lag:, :-lag] * z[:-lag, lag:]).mean()) < bound
    across = np.corrcoef(drawn[:, :200].T)[np.triu_indices(200, 1)]
    assert abs(across.mean()) < 5 / np.sqrt(across.size * N_STEPS)
    assert np.abs(across).max() < 7 / np.sqrt(N_STEPS)  # of 19,900; counts of coincidences are skewed
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
        assert not np.any(signals.get(name, cell_type="S").values) and np.any(signals.get(name, cell_type="E").values)


def test_spikes_do_not_hang_on_chunks(tmp_path) -> None:
    """Streamed in chunks and in one go: the same bits."""
    net = jtfne.construct(config())
    at_once = values_of(net.simulate(progress=False))
    chunked = values_of(net.simulate(progress=False, out=tmp_path / "run", chunk_steps=200))
    for one, other in zip(at_once, chunked, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_marker_may_be_set_on_sources() -> None:
    marked = config().stimuli([{"target": "S", "drive": {"kind": "Marker", "start_ms": 5.0}, "label": "s"}])
    assert len(jtfne.construct(marked).simulate(progress=False).events) == 1
