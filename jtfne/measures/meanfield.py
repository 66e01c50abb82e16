"""Rates of leaky integrate-and-fire cells and populations from mean and noise of their input."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jtfne._check import NOT_NEGATIVE, POSITIVE, in_range, refuse
from jtfne._units import Floats, MS_PER_s

ZETA_HALF = -1.4603545088095868  # Riemann's zeta function at 1/2
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(100)


def siegert(
    mu_mV: npt.ArrayLike,
    sigma_mV: npt.ArrayLike,
    tau_m_ms: float,
    v_th_mV: float,
    v_reset_mV: float,
    t_ref_ms: float,
    tau_syn_ms: float = 0.0,
) -> Floats:
    """Stationary rate, Hz, of a leaky integrate-and-fire cell under white or weakly filtered noise.

    mu_mV: where the mean input would hold the membrane, from the same zero as threshold and reset.
    sigma_mV: of the input, sqrt(2) times the sd of the free membrane; 0 for none. Both broadcast.
    tau_syn_ms: of exponential synapses, well below tau_m_ms; it moves threshold and reset by sigma
    |zeta(1/2)| sqrt(tau_syn / (2 tau_m)).
    Raises: JtfneError for times, sigma or threshold that cannot be. Source: Siegert (1951), Phys.
    Rev. 81:617-623; Fourcaud & Brunel (2002), Neural Comput. 14:2057-2110, eq. 4.33.

    >>> siegert(15.0, 3.0, 10.0, v_th_mV=15.0, v_reset_mV=0.0, t_ref_ms=2.0).round(3).item()
    35.703
    """
    where = "measures.meanfield.siegert"
    in_range(tau_m_ms, POSITIVE, name="tau_m_ms", where=where)
    in_range(t_ref_ms, NOT_NEGATIVE, name="t_ref_ms", where=where)
    in_range(tau_syn_ms, NOT_NEGATIVE, name="tau_syn_ms", where=where)
    mu, sigma = np.broadcast_arrays(np.asarray(mu_mV, np.float64), np.asarray(sigma_mV, np.float64))
    if not v_reset_mV < v_th_mV:
        raise refuse(
            f"v_reset_mV={v_reset_mV:g}, v_th_mV={v_th_mV:g}", "a reset below threshold", where
        )
    if not (np.isfinite(mu).all() and np.isfinite(sigma).all() and (sigma >= 0.0).all()):
        raise refuse(
            "a mu or sigma that is not finite, or a sigma below 0,",
            "finite mu, sigma of at least 0",
            where,
        )
    is_noisy = sigma > 0.0
    shift = abs(ZETA_HALF) * np.sqrt(0.5 * tau_syn_ms / tau_m_ms)
    scale = np.where(is_noisy, sigma, 1.0)
    low, high = (v_reset_mV - mu) / scale + shift, (v_th_mV - mu) / scale + shift
    rate_per_ms = np.where(
        is_noisy,
        _noisy(low, high, tau_m_ms, t_ref_ms),
        _noise_free(mu, tau_m_ms, v_th_mV, v_reset_mV, t_ref_ms),
    )
    return MS_PER_s * rate_per_ms


class Stationary(NamedTuple):
    """Rates that reproduce themselves: rate_Hz, mu_mV and sigma_mV, (n_populations,) each.

    mu_mV and sigma_mV are mean and noise of the input at these rates.
    """

    rate_Hz: Floats
    mu_mV: Floats
    sigma_mV: Floats


def stationary_rates(
    inputs: npt.ArrayLike,
    jump_mV: npt.ArrayLike,
    *,
    mu_ext_mV: npt.ArrayLike,
    variance_ext_mV2: npt.ArrayLike,
    tau_m_ms: float,
    v_th_mV: float,
    v_reset_mV: float,
    t_ref_ms: float,
    tau_syn_ms: float = 0.0,
    start_Hz: float = 2.0,
    step: float = 0.02,
    max_steps: int = 100_000,
) -> Stationary:
    """Rates of populations that drive each other, at which every input gives back its own rate.

    inputs: synapses onto a cell, (n, n) target by source. jump_mV: of the membrane at one spike,
    (n, n), signed; for an exponential current of weight w it is w tau_syn / c_m. mu_ext_mV,
    variance_ext_mV2: input from outside, (n,), from the same zero as threshold and reset; for k
    inputs of nu Hz they are tau_m k J nu and tau_m k J^2 nu, tau_m in s. The rates relax by `step`
    of what is missing until that is below 1e-9 Hz.
    Raises: JtfneError for shapes that do not fit, or no end within `max_steps` (a smaller `step`
    may help). Source: Amit & Brunel (1997), Cereb. Cortex 7:237-252; Brunel (2000), J. Comput.
    Neurosci. 8:183-208.

    >>> found = stationary_rates([[1000, 250], [1000, 250]], [[0.1, -0.5], [0.1, -0.5]], mu_ext_mV=[40.0, 40.0],
    ...     variance_ext_mV2=[4.0, 4.0], tau_m_ms=20.0, v_th_mV=20.0, v_reset_mV=10.0, t_ref_ms=2.0)
    >>> found.rate_Hz.round(2).tolist()
    [37.95, 37.95]
    """
    where = "measures.meanfield.stationary_rates"
    k, jump = np.asarray(inputs, np.float64), np.asarray(jump_mV, np.float64)
    mu_ext, variance_ext = (
        np.asarray(mu_ext_mV, np.float64),
        np.asarray(variance_ext_mV2, np.float64),
    )
    n = mu_ext.size
    if not (k.shape == jump.shape == (n, n) and mu_ext.shape == variance_ext.shape == (n,)):
        problem = (
            f"inputs {k.shape}, jump {jump.shape}, mu_ext {mu_ext.shape}, variance_ext "
            f"{variance_ext.shape}"
        )
        raise refuse(problem, "(n, n), (n, n), (n,), (n,)", where)
    gain_mV, gain_mV2 = (tau_m_ms / MS_PER_s * k * power for power in (jump, jump * jump))
    rate_Hz = np.full(n, start_Hz)
    for _ in range(max_steps):
        mu, sigma = mu_ext + gain_mV @ rate_Hz, np.sqrt(variance_ext + gain_mV2 @ rate_Hz)
        deficit_Hz = (
            siegert(mu, sigma, tau_m_ms, v_th_mV, v_reset_mV, t_ref_ms, tau_syn_ms) - rate_Hz
        )
        if float(np.abs(deficit_Hz).max()) < 1e-9:
            return Stationary(rate_Hz, mu, sigma)
        rate_Hz = rate_Hz + step * deficit_Hz
    problem = (
        f"rates that still move by {np.abs(deficit_Hz).max():.2g} Hz after max_steps={max_steps} "
        f"of step={step:g}"
    )
    raise refuse(problem, "rates that come to rest", where)


def _noise_free(
    mu: Floats, tau_m_ms: float, v_th_mV: float, v_reset_mV: float, t_ref_ms: float
) -> Floats:
    """Spikes a ms under a constant input: none up to threshold."""
    is_above = mu > v_th_mV
    gap_mV = np.where(is_above, mu - v_th_mV, 1.0)
    interval_ms = t_ref_ms + tau_m_ms * np.log1p((v_th_mV - v_reset_mV) / gap_mV)
    return np.where(is_above, 1.0 / interval_ms, 0.0)


def _noisy(low: Floats, high: Floats, tau_m_ms: float, t_ref_ms: float) -> Floats:
    """Spikes a ms: 1 / (t_ref + tau_m sqrt(pi) integral of exp(u^2) (1 + erf u) from low to high).

    The integrand is erfcx(|u|) below zero and 2 exp(u^2) - erfcx(u) above, whose first term
    integrates to Dawson's function; all is divided by exp(high^2) where high > 0, so that nothing
    overflows.
    """
    from scipy import special

    low_up, high_up = np.maximum(low, 0.0), np.maximum(high, 0.0)
    bounded_part = _erfcx_integral(np.maximum(-high, 0.0), np.maximum(-low, 0.0)) - _erfcx_integral(
        low_up, high_up
    )
    small = np.exp(-high_up * high_up)
    growing_part = special.dawsn(high_up) - np.exp(
        (low_up - high_up) * (low_up + high_up)
    ) * special.dawsn(low_up)
    rate: Floats = small / (
        t_ref_ms * small + tau_m_ms * np.sqrt(np.pi) * (bounded_part * small + 2.0 * growing_part)
    )
    return rate


def _erfcx_integral(start: Floats, stop: Floats) -> Floats:
    """Integral of erfcx from start to stop, both at least 0.

    By Gauss-Legendre in log(1 + u), where it is smooth.
    """
    from scipy import special

    first, last = np.log1p(start)[..., None], np.log1p(stop)[..., None]
    t = 0.5 * (first + last + (last - first) * NODES)
    values = special.erfcx(np.expm1(t)) * np.exp(t)
    total: Floats = (0.5 * (last - first) * NODE_WEIGHTS * values).sum(axis=-1)
    return total
