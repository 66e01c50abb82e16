"""Small real runs, made once a session, for tests of what a run leaves."""

import functools

import jtfne
from jtfne import config as words
from jtfne.net import Net
from jtfne.signals import Signals

READOUTS = (
    "spk", "vm", "source", "lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy", "spectrolaminar_proxy", "emm_proxy",
    "lfp", "csd", "dipole", "eeg", "meg", "rws", "erws", "rate",
)  # fmt: skip
FIELDS = (
    "lfp_proxy",
    "csd_proxy",
    "eeg_proxy",
    "meg_proxy",
    "emm_proxy",
    "source",
    "vm",
)


@functools.cache
def config() -> jtfne.Config:
    """Two areas of 75 cells, three layers, all readouts, 200 ms."""
    return (
        jtfne.suite2_v1_v4_config(75)
        .runtime(seed=3, duration_ms=200.0, dt_ms=0.1)
        .probes([words.Voltage(interval_ms=0.5), *(each for each in READOUTS if each != "vm")])
    )


@functools.cache
def paradigm() -> jtfne.Paradigm:
    """A volley onto layer 4, another at once onto V4, and an input that lasts to the end."""
    volleys = [
        jtfne.Paradigm.pulse_train(
            target={"layer": "L4"},
            start_ms=40.0,
            duration_ms=5.0,
            period_ms=60.0,
            count=2,
            amplitude=4.0,
            label="L4",
        ),
        jtfne.Paradigm.pulse(
            target={"area": "V4"}, start_ms=40.0, duration_ms=2.5, amplitude=1.0, label="V4: on"
        ),
        jtfne.Paradigm.constant_dc(target={"area": "V1"}, amplitude=0.5, start_ms=150.0, label=""),
    ]
    return (volleys[0] + volleys[1] + volleys[2]).trials(2)


@functools.cache
def named() -> Signals:
    """Two trials of `config` under `paradigm`. Shared by tests: not to be changed."""
    return jtfne.construct(config()).simulate(paradigm())


@functools.cache
def nameless() -> Signals:
    """One trial of a net without identity: spikes and potentials, no stimuli. Shared by tests: not
    to be changed.
    """
    declared = (
        jtfne.suite2_four_celltype_config(1)
        .runtime(duration_ms=200.0, dt_ms=0.1)
        .probes(["spk", "vm"])
    )
    projections = jtfne.construct(declared).projections
    return Net(declared, None, projections, n_neurons=100).simulate()


@functools.cache
def silent() -> Signals:
    """One cell that nothing reaches: no spike, no event."""
    declared = jtfne.suite2_single_neuron_config("E").runtime(duration_ms=20.0, dt_ms=0.1)
    return jtfne.construct(declared.cell_params({"E": {"drive": 0.0, "noise": 0.0}})).simulate()
