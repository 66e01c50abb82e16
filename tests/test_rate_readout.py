"""The firing rate of areas: what spikes counted by hand give, and a cell whose rate is known."""

import jax
import numpy as np
import pytest

import jtfne
from jtfne.emitters import LIF
from jtfne.measures import EvokedWaveform
from jtfne.objective import Objective
from jtfne.readouts import Rate


def regular(*probes: object) -> jtfne.Config:
    """Two cells that fire every 20 ms without noise: 50 Hz each."""
    cell = LIF(
        c_m_pF=100.0, tau_m_ms=10.0, v_rest_mV=-70.0, v_th_mV=-50.0, v_reset_mV=-70.0, t_ref_ms=0.0
    )
    # from rest to threshold in 20 ms: 20 mV = R i (1 - exp(-20 / 10)), R = 10 ms / 100 pF
    drive_pA = 20.0 / (0.1 * (1.0 - np.exp(-1.9999)))
    config = jtfne.Config().areas(["V1"]).layers(["L4"]).cells({"E": 2}).emitters({"E": cell})
    config = config.cell_params({"E": {"drive": float(drive_pA), "noise": 0.0}})
    return config.runtime(seed=1, duration_ms=200.0, dtype="float64").probes(["spk", *probes])


def test_a_regular_cell_has_its_rate() -> None:
    signals = jtfne.construct(regular(Rate(interval_ms=20.0))).simulate()
    np.testing.assert_allclose(signals.get("rate").values[1:], 50.0, rtol=1e-12)
    assert signals.get("rate").attrs["units"] == "Hz"


@pytest.mark.parametrize("cells", [{}, {"cell_type": "PV"}, {"area": "V4"}])
def test_it_is_the_spikes_counted_by_area(cells: dict[str, str]) -> None:
    config = jtfne.suite2_v1_v4_config(75).runtime(seed=3, duration_ms=60.0, dt_ms=0.1)
    probe = {"kind": "rate", "interval_ms": 2.0, "cells": cells}
    signals = jtfne.construct(config.probes(["spk", probe])).simulate(trials=2)
    rate, neurons = signals.get("rate"), signals.neurons
    spikes = signals.spikes.merge(neurons[["neuron", "area", "cell_type"]], on="neuron")
    for name, value in cells.items():
        column = f"{name}_y" if f"{name}_y" in spikes else name
        spikes, neurons = spikes[spikes[column] == value], neurons[neurons[name] == value]
    assert list(rate["area"].values) == list(dict.fromkeys(neurons["area"]))
    column = "area_y" if "area_y" in spikes else "area"
    for area in rate["area"].values:
        part = spikes[spikes[column] == area]
        # a spike of step k is dated by the step's end, so bins are closed at their ends
        bins = np.ceil(part["time_ms"] / 2.0 - 1e-6).astype(int) - 1
        counts = np.zeros((2, 30))
        np.add.at(counts, (part["trial"], bins), 1.0)
        want_Hz = counts / (neurons["area"] == area).sum() / 2e-3
        got_Hz = rate.sel(area=area).transpose("trial", "time").values
        np.testing.assert_allclose(got_Hz, want_Hz, rtol=1e-5, atol=1e-3)
        assert want_Hz.any()


def test_an_objective_holds_it_against_a_recorded_histogram() -> None:
    net = jtfne.construct(regular(Rate(interval_ms=20.0)))
    signals = net.simulate()
    target = signals.get("rate").values.ravel().tolist()
    metric = {"measure": EvokedWaveform(), "readout": "firing_rate", "target": target}
    config = regular(Rate(interval_ms=20.0)).objective([metric])
    assert Objective.of(config).evaluate(signals).score == pytest.approx(0.0, abs=1e-9)


def test_gradients_go_through_it() -> None:
    from jtfne.differentiable import arrays_of, with_surrogate
    from jtfne.probes import plan
    from jtfne.surrogates import SuperSpike

    config = regular(Rate(interval_ms=5.0))
    net = jtfne.construct(config)
    with jax.enable_x64(True):
        flat = with_surrogate(net.to_flat(dt_ms=0.1), SuperSpike())
        recorders = plan(net, config).recorders

        def mean_rate(drive_pA: jax.Array) -> jax.Array:
            arrays = arrays_of(
                flat,
                jax.random.key(0),
                n_steps=400,
                values={"circuit.drive_pA": drive_pA},
                recorders=recorders,
            )
            return arrays["rate"].mean()

        slope = jax.grad(mean_rate)(flat.circuit.drive_pA)
    assert np.all(np.asarray(slope) > 0.0), "more drive, more spikes"
