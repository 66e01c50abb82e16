"""Multitaper, coherence and phase-amplitude coupling: against scipy, against closed forms, with
labels and refusals.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy import signal
from scipy.integrate import quad

from jtfne import JtfneError, analysis
from jtfne._precision import precision
from jtfne.measures import coupling, spectrum

PHASE_HZ, AMPLITUDE_HZ = (4.0, 8.0), (40.0, 80.0)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_multitaper_is_the_mean_of_scipys_periodograms_through_slepian_tapers() -> None:
    x = noise(2, 1500) + 3.0  # a mean that must not show
    with precision("float64"):
        f_Hz, power = spectrum.multitaper(x, dt_ms=2.0, half_band_Hz=1.5)
    tapers = signal.windows.dpss(1500, 3.0 * 1.5, 8)  # 3 s x 1.5 Hz, 2 x 4.5 - 1 tapers
    each = [signal.periodogram(x, 500.0, window=taper, detrend="constant") for taper in tapers]
    np.testing.assert_allclose(f_Hz, each[0][0])
    np.testing.assert_allclose(
        power, np.mean([power for _, power in each], axis=0), rtol=1e-9, atol=1e-15
    )


def test_multitaper_of_noise_scatters_by_the_number_of_tapers_and_keeps_its_power() -> None:
    x = noise(200, 1000)
    with precision("float64"):
        f_Hz, power = (
            np.asarray(each) for each in spectrum.multitaper(x, dt_ms=1.0, half_band_Hz=5.5)
        )
    inner = power[:, (f_Hz > 11.0) & (f_Hz < 489.0)]
    n_free = inner.shape[0] * inner.shape[1] / 11.0  # neighbours within the band go together
    assert inner.mean() == pytest.approx(2e-3, rel=4.0 / np.sqrt(10 * n_free)), (
        "variance 1 over 500 Hz"
    )
    spread = inner.std() / inner.mean()
    assert spread == pytest.approx(1.0 / np.sqrt(10.0), rel=0.05)  # 10 tapers


def test_multitaper_refuses_bands_without_a_taper() -> None:
    with pytest.raises(ValueError, match=r"half_band_Hz=0.5; expected 1 to 500"):
        spectrum.multitaper(np.zeros(1000), dt_ms=1.0, half_band_Hz=0.5)


@pytest.mark.parametrize(("n", "segment_ms"), [(3333, 500.0), (1000, 250.0)])
def test_coherence_is_that_of_scipy(n: int, segment_ms: float) -> None:
    x, y = noise(2, n), noise(2, n, seed=1)
    y += 0.7 * np.roll(x, 5, axis=-1)
    with precision("float64"):
        f_Hz, found = spectrum.coherence(x, y, dt_ms=1.0, segment_ms=segment_ms)
    expected_Hz, expected = signal.coherence(x, y, fs=1000.0, nperseg=int(segment_ms))
    np.testing.assert_allclose(f_Hz, expected_Hz)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
def test_coherence_of_a_known_mixture(share: float) -> None:
    """Signal of `share` times the power of each one's own noise: C = (s / (s + 1))^2; 1 / L more by
    chance at C = 0.
    """
    n_segments, n = 400, 200
    common, own = noise(1, n_segments, n), noise(2, n_segments, n, seed=1)
    x, y = np.sqrt(share) * common + own
    with precision("float64"):
        _, found = spectrum.coherence(x, y, dt_ms=1.0, segment_ms=200.0, pooled=(0,))
    inner = np.asarray(found)[2:-1]
    truth = (share / (share + 1.0)) ** 2
    # Carter, Knapp & Nuttall (1973): E C = C + (1 - C)^2 / L
    bias = (1.0 - truth) ** 2 / n_segments
    sd = np.sqrt(2.0 * truth * (1.0 - truth) ** 2 / n_segments + 1.0 / n_segments**2)
    assert inner.mean() == pytest.approx(truth + bias, abs=4.0 * sd / np.sqrt(inner.size / 2.0))


def test_coherence_is_one_after_any_filter_and_differentiable() -> None:
    x = noise(4000)
    y = np.convolve(x, [1.0, -0.5, 0.25])[:4000]
    with precision("float64"):
        _, found = spectrum.coherence(x, y, dt_ms=1.0, segment_ms=100.0)
        assert float(found[1:-1].min()) > 0.99  # the filter's 2 steps leave a part of each of 100
        slope = jax.grad(
            lambda g: spectrum.coherence(x, g * x + noise(4000, seed=2), 1.0, 100.0)[1].mean()
        )(1.0)
        silent = jax.grad(lambda g: spectrum.coherence(g * x, 0.0 * x, 1.0, 100.0)[1].sum())(1.0)
    assert float(slope) > 0.0 and float(silent) == 0.0


def test_the_analytic_signal_is_that_of_hilbert() -> None:
    x = noise(3, 999)
    with precision("float64"):
        found = coupling.analytic(x, 1.0, (0.5, 499.9))
    np.testing.assert_allclose(
        found, signal.hilbert(x - x.mean(axis=-1, keepdims=True)), atol=1e-12
    )
    for band, allowed in (
        ((10.2, 10.4), "bands with multiples of 1 below 500"),
        ((600.0, 700.0), "0 to 500 Hz, the Nyquist frequency"),
        ((20.0, 10.0), "bands with multiples of 1 below 500"),
    ):
        with pytest.raises(ValueError, match=allowed):
            coupling.analytic(x[:, :1000].repeat(2, -1)[:, :1000], 1.0, band)


@pytest.mark.parametrize("depth", [0.0, 0.3, 1.0])
def test_modulation_index_of_a_cosine_is_its_closed_form(depth: float) -> None:
    """Amplitude 1 + m cos(phase): the bin from a to b holds (b - a + m (sin b - sin a)) / 2 pi of
    it.
    """
    t_s = np.arange(20_000) * 1e-3
    slow = np.cos(2 * np.pi * 6 * t_s)
    x = slow + 0.3 * (1.0 + depth * slow) * np.cos(2 * np.pi * 60 * t_s)
    with precision("float64"):
        found = float(coupling.phase_amplitude(x, x, 1.0, PHASE_HZ, AMPLITUDE_HZ))
    edges = np.linspace(-np.pi, np.pi, 19)
    share = (np.diff(edges) + depth * np.diff(np.sin(edges))) / (2 * np.pi)
    assert found == pytest.approx(1.0 + (share * np.log(share)).sum() / np.log(18), abs=1e-3)
    if depth == 1.0:  # of infinitely many bins (1 - log 2) / log n
        whole = quad(
            lambda phi: (1 + np.cos(phi)) * np.log(1 + np.cos(phi)) / (2 * np.pi), -np.pi, np.pi
        )[0]
        assert whole == pytest.approx(1.0 - np.log(2.0), abs=1e-6)
        assert found == pytest.approx(whole / np.log(18), rel=0.03)


def test_modulation_index_goes_from_none_to_all() -> None:
    phase = np.linspace(-np.pi, np.pi, 3600, endpoint=False)
    assert float(coupling.modulation_index(phase, np.ones(3600))) == pytest.approx(0.0, abs=1e-6)
    assert float(
        coupling.modulation_index(phase, (np.abs(phase - 0.1) < 0.05) * 1.0)
    ) == pytest.approx(1.0, abs=1e-6)
    half = float(coupling.modulation_index(phase, (phase < 0.0) * 1.0))
    assert half == pytest.approx(1.0 - np.log(9) / np.log(18), abs=1e-6)
    assert np.isnan(coupling.modulation_index(phase[:100], np.ones(100))), "no sample in most bins"
    slope = jax.grad(lambda m: coupling.modulation_index(phase, 1.0 + m * jnp.cos(phase)))(0.5)
    assert float(slope) > 0.0


def test_noise_couples_by_chance_only_and_broken_pairs_tell_so() -> None:
    x = noise(40, 4000)
    with precision("float64"):
        own = np.asarray(coupling.phase_amplitude(x, x, 1.0, PHASE_HZ, AMPLITUDE_HZ))
        other = np.asarray(
            coupling.phase_amplitude(x, np.roll(x, 1, axis=0), 1.0, PHASE_HZ, AMPLITUDE_HZ)
        )
    assert 0.0 < own.mean() < 0.01
    assert abs(own.mean() - other.mean()) < 4.0 * np.hypot(own.std(), other.std()) / np.sqrt(40)


def recorded() -> xr.DataArray:
    """(trial 3, time, channel 3): channels a and b share a signal, c is alone."""
    values = noise(3, 2000, 3)
    values[..., 1] += 2.0 * values[..., 0]
    coords = {
        "time": np.arange(1, 2001.0),
        "channel": ["a", "b", "c"],
        "z_mm": ("channel", [0.1, 0.2, 0.3]),
    }
    return xr.DataArray(
        values, {**coords, "trial": [0, 1, 2]}, ("trial", "time", "channel"), attrs={"units": "V"}
    )


def test_coherence_of_all_pairs_has_labels_and_pools_trials() -> None:
    x = recorded()
    found = analysis.coherence(x, segment_ms=200.0)
    assert found.dims == ("channel", "other", "frequency") and found.attrs["n_segments"] == 57
    assert found["z_mm"].values.tolist() == [0.1, 0.2, 0.3] and found["other"].values.tolist() == [
        "a",
        "b",
        "c",
    ]
    inner = found.isel(frequency=slice(2, -1)).mean("frequency")
    np.testing.assert_allclose(np.diag(inner), 1.0)
    np.testing.assert_allclose(inner, inner.T)
    assert float(inner.sel(channel="a", other="b")) == pytest.approx(0.8, abs=0.03)  # 4 / (4 + 1)
    assert float(inner.sel(channel="a", other="c")) < 0.05
    pair = analysis.coherence(x.sel(channel="a"), x.sel(channel="b"), segment_ms=200.0)
    assert pair.dims == ("frequency",) and pair["frequency"].attrs["units"] == "Hz"
    np.testing.assert_allclose(pair, found.sel(channel="a", other="b"), rtol=1e-9)
    crossed = analysis.coherence(x, x.rename(channel="to"), segment_ms=200.0)
    assert crossed.dims == ("channel", "to", "frequency")
    np.testing.assert_allclose(crossed.values, found.values, rtol=1e-9)


def test_coherence_refuses() -> None:
    x = recorded().isel(trial=0)
    with pytest.raises(JtfneError, match="one segment, whose coherence is 1 always"):
        analysis.coherence(x, segment_ms=2000.0)
    with pytest.raises(JtfneError, match="2 samples or more"):
        analysis.coherence(x, segment_ms=1.0)
    with pytest.raises(JtfneError, match="channel or neuron, or other="):
        analysis.coherence(x.isel(channel=0), segment_ms=100.0)
    with pytest.raises(JtfneError, match="the same times"):
        analysis.coherence(x, x.assign_coords(time=x["time"] + 0.5), segment_ms=100.0)
    with pytest.raises(JtfneError, match="other of type int"):
        analysis.coherence(x, 3, segment_ms=100.0)
    with pytest.raises(JtfneError, match="do not go together"):
        analysis.coherence(x, x.isel(channel=[0, 1]), segment_ms=100.0)
    with pytest.raises(JtfneError, match="evenly spaced"):
        analysis.coherence(x.isel(time=[0, 1, 5]), segment_ms=100.0)


def test_labelled_multitaper_and_phase_amplitude_coupling() -> None:
    x = recorded()
    power = analysis.multitaper(x)
    assert power.dims == ("trial", "channel", "frequency") and power.attrs["units"] == "(V)^2/Hz"
    assert float(power["frequency"][1]) == 0.5 and power["z_mm"].values.tolist() == [0.1, 0.2, 0.3]
    with pytest.raises(JtfneError, match="half_band_Hz=600"):
        analysis.multitaper(x, half_band_Hz=600.0)
    found = analysis.phase_amplitude_coupling(x, amplitude_Hz=AMPLITUDE_HZ)
    assert found.dims == ("trial", "channel") and found.attrs["units"] == "1"
    other = analysis.phase_amplitude_coupling(x, x.sel(channel="b"), amplitude_Hz=AMPLITUDE_HZ)
    np.testing.assert_allclose(other.sel(channel="b"), found.sel(channel="b"))
    assert not np.allclose(other.sel(channel="a"), found.sel(channel="a"))
    with pytest.raises(JtfneError, match="16 Hz wide or wider, for the sidebands"):
        analysis.phase_amplitude_coupling(x, amplitude_Hz=(60.0, 70.0))
    with pytest.raises(JtfneError, match="n_bins=2"):
        analysis.phase_amplitude_coupling(x, n_bins=2)
    with pytest.raises(JtfneError, match=r"the band 4.1 to 4.2 Hz"):
        analysis.phase_amplitude_coupling(x, phase_Hz=(4.1, 4.2))
