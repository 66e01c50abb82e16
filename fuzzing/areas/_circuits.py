"""Small circuits that together declare every kind of cell model, synapse, rule, stimulus, readout
and aim.
"""

from typing import Any

import jtfne

V1_mm, V4_mm = (-10.0, -60.0, 55.0), (-35.0, -40.0, 50.0)
VOLLEY: dict[str, Any] = {"sd_ms": 1.0, "n_spikes": 2, "weight_pA": 10.0, "mechanism": "fast"}
DRIVES: dict[str, dict[str, Any]] = {
    "Constant": {"amplitude": 1.0},
    "Pulse": {"start_ms": 5.0, "duration_ms": 5.0, "amplitude": 50.0},
    "PulseTrain": {
        "start_ms": 1.0,
        "duration_ms": 1.0,
        "period_ms": 2.0,
        "count": 3,
        "amplitude": 50.0,
    },
    "Ramp": {"start_ms": 2.0, "duration_ms": 5.0, "amplitude": 50.0},
    "Sine": {"amplitude": 50.0, "frequency_Hz": 50.0},
    "OrnsteinUhlenbeck": {"sd": 20.0, "tau_ms": 5.0, "stream": "shared"},
    "Trace": {"values": [1.0, 0.0, 1.0], "dt_ms": 1.0, "amplitude": 20.0},
    "Poisson": {"rate_Hz": 100.0, "weight_pA": 10.0, "mechanism": "fast"},
    "SpikeTimes": {"times_ms": [1.0, 5.0], "cells": [0, 1], "weight_pA": 10.0, "mechanism": "fast"},
    "Evoked": {"mean_ms": 8.0, **VOLLEY},
    "Rhythmic": {"start_ms": 2.0, "stop_ms": 18.0, "rate_Hz": 100.0, "isi_ms": 3.0, **VOLLEY},
    "Marker": {"start_ms": 4.0, "duration_ms": 1.0},
}
EMITTERS: dict[str, dict[str, Any]] = {
    "L": {"kind": "LIF"},
    "A": {"kind": "AdaptiveLIF"},
    "G1": {"kind": "GLIF1"},
    "G2": {"kind": "GLIF2"},
    "G3": {"kind": "GLIF3"},
    "X": {"kind": "AdEx"},
    "I7": {"kind": "Izhikevich2007"},
    "H": {"kind": "HodgkinHuxley"},
    "T": {"kind": "TwoCompartment"},
    "P": {"kind": "PoissonSource"},
    "S": {"kind": "SpikeSource", "times_ms": [[1.0], [2.0, 9.5], [], [4.0]]},
}
RULES: tuple[dict[str, Any], ...] = (
    {"kind": "FixedProbability", "p": 0.5},
    {"kind": "FixedIndegree", "n": 2},
    {"kind": "FixedOutdegree", "n": 2},
    {"kind": "FixedTotal", "n": 5},
    {"kind": "OneToOne"},
    {"kind": "AllToAll"},
    {"kind": "DistanceDecay", "p0": 0.9, "length_mm": 0.3, "profile": "GaussianDecay"},
)


def currents_config() -> jtfne.Config:
    """Every cell model, by currents: rules of all kinds, a table of edges, plasticity, values for
    single cells.
    """
    types = [name for name in EMITTERS if name != "S"]
    links: list[dict[str, Any]] = [
        {"source": "P", "target": kind, "mechanism": "fast", "rule": rule, "weight": 30.0}
        for kind, rule in zip(types, RULES, strict=False)
    ]
    table = {
        "kind": "FromTable",
        "source": [25, 26],
        "target": [24, 27],
        "weight": [5.0, 7.0],
        "delay_ms": [1.0, 2.0],
    }
    links += [
        {
            "source": "L",
            "target": "L",
            "mechanism": "slow",
            "rule": table,
            "plasticity": {"kind": "ShortTerm", "u": 0.5, "tau_rec_ms": 100.0},
        },
        {
            "source": "S",
            "target": "L",
            "mechanism": "two",
            "rule": "AllToAll",
            "weight": {"kind": "Normal", "mean": 9.0, "sd": 1.0, "low": 0.0, "high": 20.0},
            "plasticity": {"kind": "PairSTDP", "w_max": 20.0},
        },
        {
            "source": "X",
            "target": "L",
            "mechanism": "jump",
            "rule": "AllToAll",
            "weight": 0.1,
            "delay_ms": {"kind": "FromDistance", "velocity_m_s": 3.5, "offset_ms": 0.5},
            "weight_decay": {"length_mm": 0.2},
        },
    ]
    return (
        jtfne.Config()
        .runtime(seed=3, duration_ms=20.0, dt_ms=0.5)
        .areas(["V1"])
        .layers(["L4"])
        .geometry(thickness_mm=1.2, radius_mm=0.3)
        .cells(dict.fromkeys(EMITTERS, 4))
        .emitters(EMITTERS)
        .cell_params(
            {"L": {"drive": [300.0, 400.0, 500.0, 600.0], "noise": 20.0, "v_init_mV": -60.0}}
        )
        .mechanisms(
            {
                "fast": {"kind": "Exponential", "tau_ms": 2.0, "sign": 1},
                "slow": {"kind": "Alpha", "tau_ms": 5.0, "sign": 1},
                "two": {
                    "kind": "BiExponential",
                    "tau_rise_ms": 1.0,
                    "tau_decay_ms": 8.0,
                    "sign": 1,
                },
                "jump": {"kind": "Delta", "sign": 1},
            }
        )
        .connections(links, gains={"P->L": 1.2})
        .source(maps=[{"enters": "AtSoma", "returns": "AtSoma"}])
        .probes(
            [
                "spk",
                "vm",
                "source",
                {"kind": "RWS", "cells": "L"},
                {"kind": "LFP", "sources": "Points"},
            ]
        )
        .trainables(
            [
                {"path": "cells.X.b_pA", "bounds": [10.0, 200.0], "transform": "Log"},
                {"path": "mechanisms.fast.tau_ms", "bounds": [1.0, 5.0]},
                {"path": "connections.P->L.weight", "bounds": [1.0, 50.0]},
            ]
        )
    )


def conductances_config() -> jtfne.Config:
    """Conductances in two areas of the head, seen by every physical readout and every proxy."""
    return (
        jtfne.Config()
        .runtime(seed=4, duration_ms=8.0, dt_ms=0.1, dtype="float64")
        .areas(
            [
                {"name": "V1", "position_mm": V1_mm, "normal": [-0.1, -0.9, 0.4]},
                {"name": "V4", "position_mm": V4_mm, "normal": [-0.5, -0.8, 0.2]},
            ]
        )
        .layers(["L2/3", "L4"])
        .cells({"L2/3": {"E": 3, "PV": 1}, "L4": {"E": 3, "PV": 1}})
        .emitters({"E": {"kind": "TwoCompartment"}, "PV": {"kind": "LIF"}})
        .cell_params({"E": {"drive": 600.0, "noise": 20.0}, "PV": {"drive": 400.0}})
        .mechanisms(
            {
                "AMPA": {
                    "kind": "Conductance",
                    "tau_ms": 2.0,
                    "e_rev_mV": 0.0,
                    "dendrite_share": 0.5,
                },
                "GABA_A": {"kind": "AlphaConductance", "tau_ms": 5.0, "e_rev_mV": -75.0},
                "GABA_B": {
                    "kind": "BiExponentialConductance",
                    "tau_rise_ms": 10.0,
                    "tau_decay_ms": 80.0,
                    "e_rev_mV": -90.0,
                },
                "NMDA": {"kind": "NMDA"},
            }
        )
        .connections(
            [
                {
                    "source": {"cell_type": "E", "area": "V1"},
                    "target": {"cell_type": ["E", "PV"], "area": "V4", "ids": [8, 9, 13]},
                    "mechanism": "AMPA",
                    "rule": "AllToAll",
                    "weight": 1.0,
                    "delay_ms": {"kind": "FromDistance", "velocity_m_s": 3.5, "offset_ms": 1.0},
                },
                {
                    "source": "E",
                    "target": "PV",
                    "mechanism": "NMDA",
                    "rule": "AllToAll",
                    "weight": 0.5,
                },
                {
                    "source": "PV",
                    "target": "E",
                    "mechanism": "GABA_A",
                    "rule": "AllToAll",
                    "weight": {"kind": "LogNormal", "mean": 1.0, "sd": 0.5, "high": 4.0},
                    "delay_ms": {"kind": "Normal", "mean": 2.0, "sd": 0.5, "low": 0.5},
                },
                {
                    "source": "PV",
                    "target": "PV",
                    "mechanism": "GABA_B",
                    "rule": "AllToAll",
                    "weight": 0.2,
                },
            ]
        )
        .source(
            "input_current",
            maps=[
                {
                    "cells": "E",
                    "mechanism": "AMPA",
                    "enters": {
                        "kind": "Between",
                        "first": "AtSoma",
                        "last": {"kind": "AtDepth", "depth": 0.0},
                    },
                    "returns": {"kind": "AtSoma", "above_mm": 0.1},
                }
            ],
            scale=10.0,
        )
        .probes(
            [
                "spk",
                {"kind": "LFP", "n_channels": 8, "far": True, "surface": {"sigma_above_S_m": 1.5}},
                {"kind": "CSD", "n_channels": 8, "method": {"kind": "SplineICSD"}},
                "dipole",
                {"kind": "EEG", "montage": "biosemi64", "sites": ["Oz", "Cz"]},
                {"kind": "MEG", "helmet": "ctf151"},
                {"kind": "LFPProxy", "n_channels": 8},
                {"kind": "EMMProxy", "weights": [1.0, 2.0, 0.0]},
                {"kind": "ERWS", "interval_ms": 0.1, "variant": {"kind": "ERWS2", "rate": 2.0}},
                {"kind": "MEGProxy"},
            ]
        )
    )


def task_config() -> jtfne.Config:
    """Every stimulus, presented by schedule in two conditions; metrics and gates of every kind."""
    stimuli: list[dict[str, Any]] = [
        {"target": "L", "drive": {"kind": kind, **fields}, "label": f"label {kind}"}
        for kind, fields in DRIVES.items()
    ]
    stimuli[1] |= {"at": {"onsets_ms": [0.0, 8.0], "trials": [0, 1]}, "code": 3}
    stimuli[7] |= {"at": {"onsets_ms": [2.0]}, "event": False}
    curve = [float(index % 7) for index in range(8)]
    metrics: list[dict[str, Any]] = [
        {
            "measure": {"kind": "MeanRate"},
            "cells": "L",
            "target": [5.0, 20.0],
            "window_ms": [2, 18],
        },
        {"measure": {"kind": "CV"}, "target": 1.0, "scale": 0.5},
        {"measure": {"kind": "FanoFactor", "bin_ms": 5.0}, "target": 1.0},
        {"measure": {"kind": "Synchrony"}, "target": 0.1, "weight": 2.0},
        {
            "measure": {
                "kind": "BandPower",
                "low_Hz": 100.0,
                "high_Hz": 300.0,
                "segment_ms": 20.0,
            },
            "readout": "lfp_proxy",
            "target": 0.1,
            "channels": ["ch00"],
        },
        {
            "measure": {"kind": "Topography"},
            "readout": "eeg_proxy",
            "target": {"kind": "Curve", "values": curve},
        },
    ]
    gates: list[dict[str, Any]] = [
        {"measure": {"kind": "MeanRate"}, "condition": {"kind": "Above", "value": 0.1}},
        {
            "measure": {"kind": "MeanRate"},
            "cells": "L",
            "name": "upper",
            "condition": {"kind": "InRange", "low": 0.0, "high": 90.0},
        },
    ]
    return (
        jtfne.Config()
        .runtime(seed=5, duration_ms=20.0, dt_ms=0.5)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"L": 6})
        .emitters({"L": {"kind": "LIF"}})
        .mechanisms({"fast": {"kind": "Exponential", "tau_ms": 2.0, "sign": 1}})
        .stimuli(stimuli, n_trials=2, conditions=["plain", "odd"])
        .probes(["spk", "vm", {"kind": "LFPProxy", "n_channels": 8}, "eeg_proxy"])
        .objective(metrics, gates)
        .trainables([{"path": "cells.L.drive", "bounds": [-1.0, 500.0]}])
    )


CIRCUITS = {
    "currents": currents_config,
    "conductances": conductances_config,
    "task": task_config,
}
