"""Emitters against closed forms and published counts; what all of them keep is in contract_emitters.py."""

import jax.numpy as jnp
import numpy as np
import pytest

from circuits import circuit, run
from jtfne._precision import precision
from jtfne.emitters import LIF, Izhikevich2003, Izhikevich2007, SynapticInput


@pytest.mark.parametrize("dt_ms", [0.1, 1.0, 5.0])  # exact at any step, not only at small ones
def test_lif_charging_curve(dt_ms):
    with precision("float64"):
        flat = circuit(LIF(v_th_mV=1e3), 1, drive_pA=300.0, dtype=np.float64)
        _, (v_m_mV,) = run(flat, 20, dt_ms)
    want = -65.0 - 300.0 * 10.0 / 250.0 * np.expm1(-dt_ms * np.arange(1, 21) / 10.0)
    np.testing.assert_allclose(v_m_mV[:, 0], want, rtol=1e-12)


@pytest.mark.parametrize("t_ref_ms", [0.0, 2.0])
@pytest.mark.parametrize("i_pA", [400.0, 500.0, 600.0])
def test_lif_firing_interval(t_ref_ms, i_pA, dt_ms=0.1):
    """t_ref + tau ln((mu - v_reset) / (mu - v_th)), each part rounded up to the grid."""
    flat = circuit(LIF(t_ref_ms=t_ref_ms), 1, drive_pA=i_pA)
    spikes, _ = run(flat, 5000, dt_ms)
    mu_mV = i_pA * 10.0 / 250.0
    want = round(t_ref_ms / dt_ms) + np.ceil(10.0 * np.log(mu_mV / (mu_mV - 15.0)) / dt_ms)
    np.testing.assert_array_equal(np.diff(np.flatnonzero(spikes[:, 0])), want)


def test_lif_shows_the_state_before_reset():
    flat = circuit(LIF(), 1, drive_pA=500.0)
    spikes, (v_m_mV,) = run(flat, 1000, 0.1)
    assert spikes.sum() > 3
    assert (v_m_mV[spikes] >= -50.0).all()
    after = np.flatnonzero(spikes[:-1, 0]) + 1
    np.testing.assert_array_equal(v_m_mV[after], -65.0)  # held at reset for t_ref


# Spikes in 1 s at I = 5, 10, 15: Izhikevich (2003), Euler at 0.05 ms from v = -65, u = b v; two independent runs.
COUNTS = {
    "RS": (0.02, 0.2, -65.0, 8.0, (11, 23, 34)),
    "IB": (0.02, 0.2, -55.0, 4.0, (14, 34, 62)),
    "CH": (0.02, 0.2, -50.0, 2.0, (40, 87, 130)),
    "FS": (0.1, 0.2, -65.0, 2.0, (45, 134, 226)),
    "LTS": (0.02, 0.25, -65.0, 2.0, (41, 77, 116)),
    "TC": (0.02, 0.25, -65.0, 0.05, (142, 268, 375)),
    "RZ": (0.1, 0.26, -65.0, 2.0, (104, 191, 275)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_izhikevich_2003_counts(name):
    a, b, c_mV, d, want = COUNTS[name]
    with precision("float64"):
        cell = Izhikevich2003(a=a, b=b, c_mV=c_mV, d=d)
        flat = circuit(cell, 3, drive_pA=np.array([5.0, 10.0, 15.0]) * cell.c_m_pF, dtype=np.float64)
        at_65 = cell.init(jnp.zeros(3))._replace(v_mV=jnp.full(3, -65.0), u=jnp.full(3, -65.0 * b))
        from circuits import at_reset, inputs

        carry = at_reset(flat, inputs(3, dtype=np.float64), at_65)
        spikes, _ = run(flat, 20_000, 0.05, carry=carry)
    assert np.abs(spikes.sum(0) - want).max() <= 1  # one spike may fall to either side of the end


def test_izhikevich_2007_is_2003_in_other_units():
    """0.04 v^2 + 5 v + 140 = 0.04 (v + 82.65...)(v + 42.34...); with C = 1 the two forms are one model."""
    root = np.sqrt(25.0 - 4 * 0.04 * 140.0)
    v_r_mV, v_t_mV = (-5.0 - root) / 0.08, (-5.0 + root) / 0.08
    old = Izhikevich2003(c_m_pF=1.0)
    new = Izhikevich2007(
        c_m_pF=1.0, k=0.04, v_r_mV=v_r_mV, v_t_mV=v_t_mV, v_peak_mV=30.0, a=0.02, b=0.2, c_mV=-65.0, d_pA=8.0
    )
    with precision("float64"):
        first = old.init(jnp.zeros(1))
        state_old, state_new = first, first._replace(u=first.u - 0.2 * v_r_mV)
        silent = SynapticInput(jnp.zeros((0, 1)), jnp.zeros(0))
        for _ in range(3000):  # u differs by the constant b v_r, which the drive makes up for
            state_old, spiked_old = old.step(state_old, jnp.array([10.0]), silent, 0.05)
            state_new, spiked_new = new.step(state_new, jnp.array([10.0 - 0.2 * v_r_mV]), silent, 0.05)
            assert bool(spiked_old[0]) == bool(spiked_new[0])
    np.testing.assert_allclose(state_new.v_mV, state_old.v_mV, rtol=1e-9)
