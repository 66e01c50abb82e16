"""The networks of Vogels & Abbott (2005): they keep themselves going, at the rates that NEST gives
them.
"""

import numpy as np
import pytest

import jtfne
from docs.validation._activity import Activity
from jtfne.emitters import LIF
from jtfne.presets import vogels_abbott

pytestmark = pytest.mark.as_users  # simulates for long

# NEST 3.10, mean over wirings and how many; sd between wirings over seconds, of both simulators,
# and for coba, of which
# NEST ran 1 s only, of jtfne over 1 s (docs/validation/vogels_abbott.rst).
NEST_Hz = {"cuba": (5.69, 0.22, 6), "coba": (19.5, 1.34, 4)}


@pytest.mark.parametrize(("kind", "cv"), [("cuba", (0.4, 1.2)), ("coba", (1.2, 2.2))])
def test_it_keeps_firing_at_the_rate_of_nest(kind, cv):
    net = jtfne.construct(vogels_abbott(kind))
    assert net.n_neurons == 4000
    assert net.n_edges == pytest.approx(0.02 * 4000**2, rel=0.01)
    rate_Hz, spread_Hz, n_wirings = NEST_Hz[kind]
    found = Activity.of(net.simulate(duration_ms=3200.0), 200.0)
    np.testing.assert_allclose(
        found.rates_Hz(), rate_Hz, atol=3.0 * spread_Hz * np.sqrt(1.0 + 1.0 / n_wirings)
    )
    assert (found.counts(1000.0) > 0).all(), "it died"
    assert ((found.cv() > cv[0]) & (found.cv() < cv[1])).all(), "irregular"


def test_the_current_based_network_has_no_input():
    assert vogels_abbott().task.stimuli == ()


def test_conductances_and_cells_are_those_of_the_benchmark():
    """Brette et al. (2007), benchmark 1: 6 and 67 nS, 5 and 10 ms, 0 and -80 mV; 10 nS of leak,
    rest at -60 mV.
    """
    config = vogels_abbott("coba")
    for edge, weight_nS, tau_ms, e_rev_mV in zip(
        config.circuit.connections, (6.0, 67.0), (5.0, 10.0), (0.0, -80.0), strict=True
    ):
        mechanism = config.circuit.mechanisms[edge.mechanism]
        assert (edge.weight, edge.rule.p, mechanism.unit) == (weight_nS, 0.02, "nS")
        assert (mechanism.tau_ms, mechanism.e_rev_mV) == (tau_ms, e_rev_mV)
    for population in config.populations():
        cell = population.emitter
        assert isinstance(cell, LIF) and cell.c_m_pF / cell.tau_m_ms == pytest.approx(10.0)
        assert (cell.v_rest_mV, cell.v_th_mV, cell.v_reset_mV, cell.t_ref_ms) == (
            -60.0,
            -50.0,
            -60.0,
            5.0,
        )
        assert (population.drive, population.noise) == (0.0, 0.0)


def test_only_a_kick_sets_the_conductance_based_network_going():
    """50 cells, for 50 ms; without it all are at rest for good."""
    net = jtfne.construct(vogels_abbott("coba"))
    kick = vogels_abbott("coba").task.stimuli[0]
    cells = net.select(cell_type="E", ids=list(kick.target.ids))
    assert cells.size == 50 and (kick.drive.rate_Hz, kick.drive.stop_ms) == (300.0, 50.0)
    kicked = net.simulate(duration_ms=60.0).spikes
    still = jtfne.construct(vogels_abbott("coba").stimuli([])).simulate(duration_ms=60.0)
    assert still.get("spk").size == 0
    assert set(kicked["neuron"].iloc[:5]) <= set(cells.tolist()), "the first to fire are those"
    assert (kicked["time_ms"] > 50.0).any()


def test_an_unknown_kind_is_refused():
    with pytest.raises(
        jtfne.JtfneError,
        match="unknown kind 'coab'; expected 'cuba', 'coba'; nearest: 'coba'",
    ):
        vogels_abbott("coab")
