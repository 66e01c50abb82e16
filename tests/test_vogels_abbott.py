"""The network of Vogels & Abbott (2005): it keeps itself going, at the rate that NEST gives it."""

import numpy as np
import pytest

import jtfne
from docs.validation._activity import Activity
from jtfne.presets import vogels_abbott

# NEST 3.10, mean of six wirings; sd between wirings, of both simulators (docs/validation/vogels_abbott.rst).
NEST_Hz, SPREAD_Hz, N_WIRINGS = 5.69, 0.22, 6


def test_it_fires_without_input_at_the_rate_of_nest():
    net = jtfne.construct(vogels_abbott())
    assert (net.n_neurons, vogels_abbott().task.stimuli) == (4000, ())
    assert net.n_edges == pytest.approx(0.02 * 4000**2, rel=0.01)
    found = Activity.of(net.simulate(duration_ms=3200.0), 200.0)
    np.testing.assert_allclose(found.rates_Hz(), NEST_Hz, atol=3.0 * SPREAD_Hz * np.sqrt(1.0 + 1.0 / N_WIRINGS))
    assert (found.counts(1000.0) > 0).all(), "it died"
    assert ((found.cv() > 0.4) & (found.cv() < 1.2)).all(), "irregular"


def test_only_current_based_synapses_are_on_offer():
    with pytest.raises(jtfne.JtfneError, match="kind='coba' is not allowed; allowed: 'cuba'"):
        vogels_abbott("coba")
