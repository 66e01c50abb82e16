"""The rate of a noisy cell against published values and quadrature, and networks at rest against
the literature.
"""

from typing import Any

import numpy as np
import pytest
from scipy import integrate, special

import jtfne
from jtfne.measures.meanfield import siegert, stationary_rates
from jtfne.presets.brunel import C_E, C_I, CASES, J_mV, THRESHOLD_RATE_Hz
from jtfne.presets.pd14 import K_EXT, SIZES, RATE_EXT_Hz, current_pA, synapse_counts, weights_pA

CELL: dict[str, Any] = {"tau_m_ms": 10.0, "v_th_mV": 15.0, "v_reset_mV": 0.0, "t_ref_ms": 2.0}
BRUNEL: dict[str, Any] = {"tau_m_ms": 20.0, "v_th_mV": 20.0, "v_reset_mV": 10.0, "t_ref_ms": 2.0}
# mu, sigma -> Hz under white noise and with synapses of 0.5 ms: computed twice, by independent
# code.
CHECKS = [
    (10.0, 5.0, 16.76021, 11.65713),
    (15.0, 3.0, 35.70267, 31.00297),
    (20.0, 2.0, 64.40608, 61.75182),
    (5.0, 5.0, 1.72588, 0.75323),
    (12.0, 1.0, 0.01952, 0.00505),
]
# Potjans & Diesmann (2014) at rest, by the drive and tau_syn: rates, then mu and sigma of the
# first.
PD14_RATES = {
    ("poisson", 0.5): [0.754, 2.794, 4.441, 5.823, 7.153, 8.470, 1.159, 7.756],
    ("poisson", 0.0): [0.821, 3.009, 4.633, 6.104, 7.136, 8.905, 1.043, 8.072],
    ("dc", 0.5): [0.687, 2.660, 4.244, 5.625, 7.266, 8.216, 1.185, 7.526],
}
PD14_MU_mV = [2.58, 6.69, 7.00, 6.94, 7.57, 9.05, 2.84, 9.04]
PD14_SIGMA_mV = [6.21, 5.14, 5.51, 5.98, 5.90, 5.09, 6.45, 4.92]


@pytest.mark.parametrize(("mu", "sigma", "white", "filtered"), CHECKS)
def test_rates_are_those_of_the_reference(
    mu: float, sigma: float, white: float, filtered: float
) -> None:
    half_a_digit = 0.51e-5
    assert siegert(mu, sigma, **CELL) == pytest.approx(white, abs=half_a_digit)
    assert siegert(mu, sigma, **CELL, tau_syn_ms=0.5) == pytest.approx(filtered, abs=half_a_digit)


@pytest.mark.parametrize(
    ("current_pA", "rate_Hz"), [(400.0, 33.6407), (500.0, 63.0400), (600.0, 84.6862)]
)
def test_without_noise_it_is_the_rate_of_a_constant_current(
    current_pA: float, rate_Hz: float
) -> None:
    mu = current_pA * 10.0 / 250.0
    assert siegert(mu, 0.0, **CELL) == pytest.approx(rate_Hz, abs=0.51e-4)
    assert siegert(mu, 1e-6, **CELL) == pytest.approx(float(siegert(mu, 0.0, **CELL)), rel=1e-9)


@pytest.mark.parametrize(
    ("mu", "sigma"),
    [(10.0, 5.0), (12.0, 1.0), (20.0, 2.0), (200.0, 0.5), (-5.0, 3.0), (0.0, 200.0)],
)
def test_it_is_the_integral(mu: float, sigma: float) -> None:
    """Beside adaptive quadrature, from deep below threshold to far above, and under wide noise."""
    bounds = [(edge - mu) / sigma for edge in (CELL["v_reset_mV"], CELL["v_th_mV"])]
    total, _ = integrate.quad(
        lambda u: special.erfcx(-u), *bounds, epsabs=0.0, epsrel=1e-12, limit=500
    )
    expected = 1000.0 / (CELL["t_ref_ms"] + CELL["tau_m_ms"] * np.sqrt(np.pi) * total)
    assert siegert(mu, sigma, **CELL) == pytest.approx(expected, rel=1e-11)


def test_nothing_overflows_and_rates_rise_with_the_mean_up_to_the_refractory_limit() -> None:
    mu = np.concatenate([np.linspace(-1e3, 30.0, 400), [1e3, 1e6]])
    for sigma in (0.0, 1e-9, 1e-3, 1.0, 20.0):
        rates = siegert(mu, sigma, **CELL)
        assert np.isfinite(rates).all() and (np.diff(rates) >= -1e-9).all()
        assert rates[0] == 0.0 if sigma < 20.0 else rates[0] < 1e-12
        assert 499.0 < rates[-1] < 500.0
    assert siegert(mu[:, None], np.ones(3), **CELL).shape == (402, 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tau_m_ms": 0.0}, "tau_m_ms=0.0"),
        ({"t_ref_ms": -1.0}, "t_ref_ms=-1.0"),
        ({"tau_syn_ms": float("nan")}, "tau_syn_ms=nan"),
        ({"v_reset_mV": 15.0}, "a reset below threshold"),
        ({"sigma_mV": -1.0}, "sigma of at least 0"),
        ({"mu_mV": float("inf")}, "finite mu"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, float], message: str) -> None:
    given: dict[str, Any] = {"mu_mV": 10.0, "sigma_mV": 1.0, **CELL, **changed}
    with pytest.raises(jtfne.JtfneError, match=message):
        siegert(**given)


@pytest.mark.parametrize(("drive", "tau_syn_ms"), PD14_RATES)
def test_the_microcircuit_rests_where_the_reference_does(drive: str, tau_syn_ms: float) -> None:
    to_mV = 0.5 / 250.0  # of a jump of 1 pA
    jump = weights_pA() * to_mV
    external_mV, external_Hz = jump[0, 0], K_EXT * RATE_EXT_Hz
    as_current = drive == "dc"
    found = stationary_rates(
        synapse_counts() / SIZES[:, None],
        jump,
        mu_ext_mV=current_pA(1.0, "dc") * 10.0 / 250.0
        if as_current
        else 10e-3 * external_mV * external_Hz,
        variance_ext_mV2=np.zeros(8) if as_current else 10e-3 * external_mV**2 * external_Hz,
        tau_syn_ms=tau_syn_ms,
        **CELL,
    )
    np.testing.assert_allclose(found.rate_Hz, PD14_RATES[drive, tau_syn_ms], atol=0.51e-3)
    if (drive, tau_syn_ms) == ("poisson", 0.5):
        np.testing.assert_allclose(found.mu_mV, PD14_MU_mV, atol=0.51e-2)
        np.testing.assert_allclose(found.sigma_mV, PD14_SIGMA_mV, atol=0.51e-2)


@pytest.mark.parametrize(
    ("case", "rate_Hz", "half_a_digit", "mu_sigma"),
    [
        ("A", 327.0, 0.51, None),
        ("B", 55.84, 0.0051, (24.159, 10.940)),
        ("C", 37.95, 0.0051, (21.025, 7.683)),
        ("D", 6.52, 0.0051, (16.371, 3.115)),
    ],
)
def test_brunels_states_rest_where_the_reference_does(
    case: str, rate_Hz: float, half_a_digit: float, mu_sigma: tuple[float, float] | None
) -> None:
    found = brunel_at_rest(case)
    np.testing.assert_allclose(found.rate_Hz, rate_Hz, atol=half_a_digit)
    if mu_sigma is not None:
        np.testing.assert_allclose([found.mu_mV[0], found.sigma_mV[0]], mu_sigma, atol=0.51e-3)


def brunel_at_rest(case: str, **options: Any) -> Any:
    """E and I of one of Brunel's states, by the mean field."""
    g, eta = CASES[case]
    external_Hz = C_E * eta * THRESHOLD_RATE_Hz
    return stationary_rates(
        [[C_E, C_I]] * 2,
        [[J_mV, -g * J_mV]] * 2,
        mu_ext_mV=[20e-3 * J_mV * external_Hz] * 2,
        variance_ext_mV2=[20e-3 * J_mV**2 * external_Hz] * 2,
        **BRUNEL,
        **options,
    )


def test_no_rest_and_wrong_shapes_are_refused() -> None:
    with pytest.raises(
        jtfne.JtfneError, match=r"rates that still move by.* after max_steps=5 of step=0.02"
    ):
        brunel_at_rest("C", max_steps=5)
    with pytest.raises(jtfne.JtfneError, match=r"inputs \(1, 2\)"):
        stationary_rates(
            [[1.0, 2.0]], [[1.0, 2.0]], mu_ext_mV=[1.0], variance_ext_mV2=[1.0], **CELL
        )
