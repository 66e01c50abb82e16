"""V1 and V4: what a cut leaves as it was, to the spike, and which rhythm it takes away."""

import functools

import numpy as np
import pytest

import jtfne
from docs.validation._v1_v4 import (
    BACK,
    CUTS,
    FORWARD,
    POPULATIONS,
    Path,
    counts_of,
    shared,
    spectrum,
)
from jtfne.presets import v1_v4

pytestmark = pytest.mark.as_users  # simulates for long

TRIALS, STOP_ms = 5, 2500.0
LOST = {
    "intact": (),
    "feedforward cut": (FORWARD,),
    "feedback cut": (BACK, Path("L2/3", "L5/6", "alpha, beta")),
}


@functools.cache
def run(area, **changes):
    """Steps and neurons of an area's spikes over the first 0.53 s of a small circuit."""
    net = jtfne.construct(v1_v4(150, **changes).probes(["spk"]))
    events = net.simulate(duration_ms=530.0, progress=False).get("spk", area=area)
    return np.stack([events.values, events["neuron"].values])


@functools.cache
def counts(cut):
    """Counts of each trial of a circuit of two thirds of its size."""
    net = jtfne.construct(v1_v4(300, evoked=False, **CUTS[cut]).probes(["spk"]))
    signals = net.simulate(duration_ms=STOP_ms, trials=TRIALS, progress=False)
    return [counts_of(signals, trial=trial) for trial in range(TRIALS)]


def excess(cut, path):
    """Mean coherence of V1 and V4 above that of different trials, in standard errors of such a mean
    by their spread.
    """
    same, other = shared(counts(cut), path)
    return (same.mean() - other.mean()) / (other.std(ddof=1) / np.sqrt(same.size))


def test_an_area_that_gets_nothing_from_the_other_fires_as_it_would_alone():
    np.testing.assert_array_equal(run("V1", feedback=0.0), run("V1", feedback=0.0, feedforward=0.0))
    np.testing.assert_array_equal(
        run("V4", feedforward=0.0), run("V4", feedforward=0.0, feedback=0.0)
    )
    np.testing.assert_array_equal(
        run("V4", feedforward=0.0), run("V4", feedforward=0.0, evoked=False)
    )
    assert not np.array_equal(run("V1", feedback=0.0), run("V1"))
    assert not np.array_equal(run("V4", feedforward=0.0), run("V4"))


def test_the_volley_reaches_v4_with_the_delay_of_its_distance():
    with_volley, without = run("V4"), run("V4", evoked=False)
    n = min(with_volley.shape[1], without.shape[1])
    differs = np.flatnonzero((with_volley[:, :n] != without[:, :n]).any(axis=0))[0]
    first_ms = min(with_volley[0, differs], without[0, differs])
    (x, y, z), (u, v, w) = (area.position_mm for area in v1_v4().circuit.areas)
    delay_ms = np.sqrt((x - u) ** 2 + (y - v) ** 2 + (z - w) ** 2) / 3.5
    # V1 answers its volley before V4 hears of it: 9 to 19 ms beyond the delay, over six seeds.
    assert 500.0 + delay_ms < first_ms < 500.0 + delay_ms + 25.0


@pytest.mark.parametrize("cut", CUTS)
def test_each_cut_takes_its_own_rhythm_and_no_other(cut):
    """Four standard errors tell what is shared from what is not."""
    for path in {path for paths in LOST.values() for path in paths}:
        assert (excess(cut, path) < 4.0) == (path in LOST[cut]), (path, excess(cut, path))


def test_superficial_layers_oscillate_in_gamma_and_deep_ones_in_alpha_and_beta():
    for area, layer in POPULATIONS:
        power = np.mean([spectrum(each[area, layer])[1] for each in counts("intact")], axis=0)
        f_Hz = spectrum(counts("intact")[0][area, layer])[0]
        peak_Hz = f_Hz[np.argmax(np.where(f_Hz > 5.0, power, 0.0))]
        low_Hz, high_Hz = (8.0, 30.0) if layer == "L5/6" else (28.0, 80.0)
        assert low_Hz <= peak_Hz < high_Hz, (area, layer)


def test_a_gain_below_zero_and_too_few_cells_are_refused():
    with pytest.raises(jtfne.JtfneError, match="feedback=-1"):
        v1_v4(feedback=-1.0)
    with pytest.raises(jtfne.JtfneError, match="n_per_area=149"):
        v1_v4(149)


def test_a_gain_scales_the_weights_of_its_direction_only():
    whole, half = (
        jtfne.construct(v1_v4(150, feedforward=gain)).edges.to_pandas() for gain in (1.0, 0.5)
    )
    area = jtfne.construct(v1_v4(150)).neurons["area"].to_numpy()
    forward = (area[whole["source"]] == "V1") & (area[whole["target"]] == "V4")
    assert forward.any()
    np.testing.assert_array_equal(
        whole[["source", "target", "delay_ms"]], half[["source", "target", "delay_ms"]]
    )
    scale = np.where(forward, 0.5, 1.0)
    np.testing.assert_allclose(half["weight_pA"], scale * whole["weight_pA"], rtol=1e-6)
