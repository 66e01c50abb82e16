"""The generators in the carry: moments, correlations, chi-square, no zero state; and noise that
forgets dt.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from circuits import circuit, run
from jtfne import _keys, noise
from jtfne._precision import precision
from jtfne.emitters import LIF

N_STREAMS, N_STEPS = 2000, 400


@pytest.fixture(scope="module")
def drawn():
    """(n_steps, n_streams) normals."""
    state = noise.seed(_keys.key(3, "noise"), _keys.number_streams(N_STREAMS))
    return np.asarray(
        jax.lax.scan(lambda s, _: noise.normal(s, jnp.float32), state, length=N_STEPS)[1], float
    )


def test_normal_moments(drawn):
    n = drawn.size
    assert abs(drawn.mean()) < 4 / np.sqrt(n)
    assert abs(drawn.var() - 1.0) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(drawn.ravel())) < 4 * np.sqrt(6 / n)
    # cumulants of both parts add
    want = 3.0 - 1.2 * (1 / 12 / (8 + 1 / 12)) ** 2 - 2 / 32 * (8 / (8 + 1 / 12)) ** 2
    assert abs(stats.kurtosis(drawn.ravel(), fisher=False) - want) < 4 * np.sqrt(24 / n)


def test_normal_streams_are_independent(drawn):
    """Lag correlations within a stream, and correlations between neighbours, are as small as chance
    makes them.
    """
    bound = 5 / np.sqrt(drawn.size)
    for lag in (1, 2, 3, 10):
        assert abs((drawn[:-lag] * drawn[lag:]).mean()) < bound
        assert abs((drawn[:, :-lag] * drawn[:, lag:]).mean()) < bound
    assert abs((drawn[:-1] ** 2 * drawn[1:] ** 2).mean() - 1.0) < 6 * bound  # nor in the squares
    across = np.corrcoef(drawn[:, :200].T)[np.triu_indices(200, 1)] * np.sqrt(N_STEPS)
    assert stats.kstest(across, "norm").pvalue > 1e-4


def test_normal_distribution(drawn):
    """Against the normal, with the small known deficit of kurtosis: the largest gap stays below
    half a percent.
    """
    assert stats.kstest(drawn.ravel(), "norm").statistic < 0.005


@pytest.mark.parametrize("mean", [0.01, 1.6, 12.0])
def test_poisson_chi_square(mean):
    thresholds = jnp.asarray(noise.table(np.array([mean]), noise.table_rows(mean))[0])
    state = noise.seed(_keys.key(5, "stimulus"), _keys.number_streams(N_STREAMS))
    counts = jax.lax.scan(lambda s, _: noise.poisson(s, thresholds), state, length=N_STEPS)[1]
    counts = np.asarray(counts).ravel()
    top = int(stats.poisson.isf(20 / counts.size, mean))
    edges = np.arange(int(stats.poisson.ppf(20 / counts.size, mean)), top + 1)
    seen = np.bincount(np.clip(counts, edges[0], top), minlength=top + 1)[edges]
    share = stats.poisson.pmf(edges, mean)
    share[0], share[-1] = stats.poisson.cdf(edges[0], mean), stats.poisson.sf(top - 1, mean)
    assert stats.chisquare(seen, share / share.sum() * counts.size).pvalue > 1e-4


@pytest.mark.parametrize("mean", [1e-6, 0.01, 0.5, 2.0, 7.7, 50.0, 900.0])
def test_the_table_is_the_distribution_function_to_2_to_the_minus_32(mean):
    n_rows = noise.table_rows(mean)
    thresholds = noise.table(np.array([mean]), n_rows)[0]
    np.testing.assert_allclose(
        thresholds,
        np.minimum(stats.poisson.cdf(np.arange(n_rows), mean) * 2.0**32, 2.0**32 - 1),
        atol=0.5,
        rtol=0,
    )
    assert stats.poisson.sf(n_rows - 1, mean) <= 2.0**-32 < stats.poisson.sf(n_rows - 2, mean)


def test_no_mean_no_spikes():
    thresholds = jnp.asarray(noise.table(np.zeros(1), 5)[0])
    assert not np.asarray(
        noise.poisson(noise.seed(_keys.key(0), _keys.number_streams(10_000)), thresholds)[1]
    ).any()


def test_no_stream_starts_at_zero(monkeypatch):
    monkeypatch.setattr(_keys, "words", lambda keys: (jnp.zeros(keys.shape, jnp.uint32),) * 2)
    assert np.asarray(noise.seed(_keys.key(0), _keys.number_streams(7))).any(0).all()


@pytest.mark.parametrize("dt_ms", [0.05, 0.1, 0.5])
def test_membrane_variance_does_not_depend_on_dt(dt_ms):
    """Noise s sqrt(1 ms / dt) N(0, 1) on a membrane: variance s^2 (R/tau)^2 * 1 ms * tau / 2 (1 +
    O(dt^2/tau^2)).
    """
    s_pA, tau_ms, c_pF, n_cells = 100.0, 10.0, 250.0, 400
    with precision("float64"):
        cell = LIF(v_th_mV=1e3, tau_m_ms=tau_ms, c_m_pF=c_pF)
        flat = circuit(cell, n_cells, noise_pA=s_pA, dtype=np.float64)
        _, (v_m_mV,) = run(flat, round(500.0 / dt_ms), dt_ms)
    seen = v_m_mV[round(100.0 / dt_ms) :].var()
    want = (s_pA / c_pF) ** 2 * tau_ms / 2.0
    n_independent = n_cells * 400.0 / (2 * tau_ms)
    assert abs(seen / want - 1.0) < 4 * np.sqrt(2 / n_independent)
