"""The kernels against closed forms and published values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jtfne._precision import precision
from jtfne.measures import csd, rate, spectrolaminar, spectrum, synchrony


def motif() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power, frequency and depth of a spectrolaminar motif: alpha-beta deep, gamma superficial."""
    f_Hz, depth, laminar_mm = (
        np.arange(1.0, 151.0),
        np.linspace(0.0, 1.0, 24)[:, None],
        np.arange(24) * 0.1,
    )

    def bump(x: np.ndarray, middle: float, sd: float) -> np.ndarray:
        return np.exp(-((x - middle) ** 2) / (2 * sd**2))

    low = 2.0 * bump(f_Hz, 18, 6) * bump(depth, 0.75, 0.25)
    high = 1.5 * bump(f_Hz, 95, 30) * bump(depth, 0.25, 0.2)
    return f_Hz**-1.5 * (1 + low + high), f_Hz, laminar_mm


@pytest.mark.parametrize(("f_Hz", "amplitude"), [(10.0, 1.0), (40.0, 3.0)])
def test_the_spectrum_of_a_sine_peaks_there_and_holds_its_power(
    f_Hz: float, amplitude: float
) -> None:
    t_s = np.arange(10_000) * 1e-3
    with precision("float64"):
        found_Hz, power = map(
            np.asarray, spectrum.psd(amplitude * np.sin(2 * np.pi * f_Hz * t_s), dt_ms=1.0)
        )
        near = spectrum.band_power(power, found_Hz, f_Hz - 2, f_Hz + 2)
    assert float(found_Hz[1]) == pytest.approx(1.0), "segments of 1 s resolve 1 Hz"
    assert float(found_Hz[np.argmax(power)]) == f_Hz
    assert float(power.sum() * found_Hz[1]) == pytest.approx(amplitude**2 / 2, rel=0.01)
    assert float(near) == pytest.approx(amplitude**2 / 2, rel=0.01)


def test_white_noise_has_its_variance_spread_evenly() -> None:
    noise = np.random.default_rng(0).normal(5.0, 2.0, (3, 100_000))  # a mean that must not show
    with precision("float64"):
        f_Hz, power = map(np.asarray, spectrum.psd(noise, dt_ms=0.5))
    assert power.shape == (3, f_Hz.size)
    assert f_Hz[-1] == 1000.0
    np.testing.assert_allclose((power * f_Hz[1]).sum(axis=-1), noise.var(axis=-1), rtol=0.01)
    np.testing.assert_allclose(power[:, 1:-1].mean(), 4.0 / 1000.0, rtol=0.01)
    assert float(power[:, 0].max()) < 2 * 4.0 / 1000.0


def test_a_short_trace_is_one_segment_and_a_shorter_one_is_refused() -> None:
    f_Hz, power = spectrum.psd(jnp.ones((2, 10)), dt_ms=1.0)
    assert f_Hz.size == 6 and float(jnp.abs(power).max()) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="a spectrum of 1 steps; expected 2 or more"):
        spectrum.psd(jnp.ones(1), dt_ms=1.0)


def test_the_spectrum_agrees_with_scipy() -> None:
    from scipy import signal

    x = np.random.default_rng(1).normal(size=(2, 3333))
    with precision("float64"):
        f_Hz, power = spectrum.psd(x, dt_ms=1.0, segment_ms=500.0)
    expected_Hz, expected = signal.welch(x, fs=1000.0, nperseg=500)
    np.testing.assert_allclose(f_Hz, expected_Hz)
    np.testing.assert_allclose(power, expected, rtol=1e-9)


def test_band_power_can_be_differentiated() -> None:
    t_s = jnp.arange(1000) * 1e-3

    def alpha(gain: jax.Array) -> jax.Array:
        f_Hz, power = spectrum.psd(gain * jnp.sin(2 * jnp.pi * 10 * t_s), dt_ms=1.0)
        return spectrum.band_power(power, f_Hz, 8.0, 12.0)

    assert float(jax.grad(alpha)(jnp.array(2.0))) == pytest.approx(2.0, rel=1e-3)  # d(g^2 / 2) / dg


def test_csd_of_the_reference() -> None:
    potential_V = 1e-3 * np.array([0.0, 1.0, 0.0, -1.0, 0.0])
    np.testing.assert_allclose(
        csd.csd(potential_V, 0.1, 0.3), [60_000.0, 0.0, -60_000.0], rtol=1e-5, atol=1e-2
    )
    np.testing.assert_allclose(csd.csd(1e3 * potential_V, 0.1), [2.0, 0.0, -2.0], rtol=1e-6)
    assert csd.csd(np.zeros((4, 7, 5)), 0.1).shape == (4, 7, 3)


def test_csd_of_a_parabola_is_its_curvature_whatever_the_spacing() -> None:
    for spacing_mm in (0.05, 0.1, 0.2):
        z_m = np.arange(9) * spacing_mm * 1e-3
        with precision("float64"):
            np.testing.assert_allclose(csd.csd(z_m**2, spacing_mm, 0.3), -0.3 * 2.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("n", "spacing_mm", "said"), [(2, 0.1, "3 or more"), (5, 0.0, "a number above 0")]
)
def test_csd_refuses(n: int, spacing_mm: float, said: str) -> None:
    with pytest.raises(ValueError, match=f"expected {said}"):
        csd.csd(np.zeros(n), spacing_mm)


def test_relative_power_is_one_at_the_largest_channel_and_zero_stays_zero() -> None:
    power = jnp.array([[[1.0, 0.0, 4.0], [2.0, 0.0, 1.0]]])
    np.testing.assert_allclose(
        spectrolaminar.relative_power(power), [[[0.5, 0.0, 1.0], [1.0, 0.0, 0.25]]]
    )


def test_flip_of_the_reference_and_of_it_upside_down() -> None:
    power, f_Hz, laminar_mm = motif()
    found = spectrolaminar.flip(power, f_Hz, laminar_mm)
    assert found.goodness == pytest.approx(1.2427, abs=5e-5)
    ends = (found.first, found.last, found.gamma_peak, found.alpha_beta_peak, found.crossover)
    assert ends == (4, 19, 6, 17, 11)
    inverted = spectrolaminar.flip(power[::-1], f_Hz, laminar_mm)
    assert inverted.goodness == pytest.approx(-1.2427, abs=5e-5)
    ends = (
        inverted.first,
        inverted.last,
        inverted.gamma_peak,
        inverted.alpha_beta_peak,
        inverted.crossover,
    )
    assert ends == (4, 19, 17, 6, 12)


def test_flip_finds_little_in_shuffled_channels_and_nothing_in_a_gain() -> None:
    power, f_Hz, laminar_mm = motif()
    rng = np.random.default_rng(0)
    found = [
        spectrolaminar.flip(power[rng.permutation(24)], f_Hz, laminar_mm).goodness for _ in range(3)
    ]
    assert found[:2] == [None, None]
    assert found[2] == pytest.approx(0.2354, abs=5e-5)
    gain = f_Hz**-1.5 * np.linspace(1.0, 3.0, 24)[:, None]
    assert spectrolaminar.flip(gain, f_Hz, laminar_mm) == spectrolaminar.Flip()


def test_flip_refuses_short_probes_and_empty_bands() -> None:
    power, f_Hz, laminar_mm = motif()
    with pytest.raises(ValueError, match=r"a span of 0.5 mm; expected 0.7 mm or more"):
        spectrolaminar.flip(power[:6], f_Hz, laminar_mm[:6])
    with pytest.raises(
        ValueError, match="the band 200 to 300 Hz; expected bands within 1 to 150 Hz"
    ):
        spectrolaminar.flip(power, f_Hz, laminar_mm, high=(200.0, 300.0))


def test_intervals_and_their_variation() -> None:
    clock = rate.intervals(np.arange(1.0, 101.0) * 10.0)
    assert float(rate.cv(clock, np.ones(99, bool))) == 0.0
    poisson = rate.intervals(np.cumsum(np.random.default_rng(0).exponential(20.0, 10_000)))
    assert float(rate.cv(poisson, np.ones(9_999, bool))) == pytest.approx(
        1.0, abs=0.03
    )  # 3 standard errors, 1 / sqrt(n)
    assert np.isnan(rate.cv(np.ones(3), np.array([True, False, False])))
    assert rate.intervals(np.array([4.0])).size == 0


def test_rates_and_fano_factors() -> None:
    assert float(rate.rate(7.0, window_ms=350.0)) == pytest.approx(20.0)
    np.testing.assert_allclose(
        rate.population_rate(np.array([[1.0, 3.0], [0.0, 0.0]]), bin_ms=10.0), [200.0, 0.0]
    )
    counts = np.random.default_rng(0).poisson(3.0, (2, 20_000))
    # 3 standard errors, sqrt(2 / n)
    np.testing.assert_allclose(rate.fano_factor(counts), 1.0, atol=0.03)
    assert float(rate.fano_factor(np.full(5, 2.0))) == 0.0
    assert np.isnan(rate.fano_factor(np.zeros(5)))


def test_synchrony_of_one_and_of_many() -> None:
    rng = np.random.default_rng(0)
    wave = rng.normal(size=(4000, 1))
    assert float(synchrony.synchrony(np.repeat(wave, 25, axis=1))) == pytest.approx(1.0, rel=1e-5)
    # 1 / sqrt(25)
    assert float(synchrony.synchrony(rng.normal(size=(4000, 25)))) == pytest.approx(0.2, rel=0.04)
    together = np.repeat(rng.poisson(0.1, (5000, 1)), 20, axis=1).sum(axis=1)
    apart = rng.poisson(0.1, (5000, 20)).sum(axis=1)
    assert float(synchrony.variance_over_mean(apart)) == pytest.approx(1.0, abs=0.06)
    assert float(synchrony.variance_over_mean(together)) == pytest.approx(20.0, rel=0.1)
    assert np.isnan(synchrony.variance_over_mean(np.zeros(4)))


def test_correlation_is_that_of_numpy() -> None:
    x = np.random.default_rng(3).normal(size=(4, 50))
    with precision("float64"):
        np.testing.assert_allclose(synchrony.correlation(x), np.corrcoef(x), atol=1e-12)
    assert np.isnan(synchrony.correlation(np.array([[1.0, 1.0], [0.0, 1.0]]))[0]).all()
