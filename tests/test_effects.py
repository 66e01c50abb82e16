"""Nothing declared is without effect: every field of Config and every argument of Paradigm changes
what comes out.

`FIELDS` and `ARGUMENTS` say, for each, what is changed in which circuit. A field that is in neither
table fails.
"""

import dataclasses
import functools
import inspect
import os
import shutil
import tempfile
import typing
from pathlib import Path

import jax
import mne
import numpy as np
import pydantic
import pytest
import xarray as xr

import heads
import jtfne
from circuits import FIRES
from jtfne import config
from jtfne.config import Config
from jtfne.pydantic_fields.catalogue import Declared
from jtfne.readouts._catalogue import ReadoutField
from jtfne.run_folder import array_hash, dataset_hash
from jtfne.simulation import simulate
from jtfne.synapses import SYNAPSES

FORWARDS = Path(tempfile.gettempdir()) / f"jtfne-forwards-{os.getpid()}"  # of the fixture below
AREAS = [{"name": "V1"}, {"name": "V4"}]
LAYERS = [{"name": "L2/3"}, {"name": "L4"}]
EDGE = {"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 150.0,
        "rule": {"kind": "FixedProbability", "p": 0.5}}  # fmt: skip
BASE = {
    "circuit": {
        "areas": AREAS,
        "layers": LAYERS,
        "cells": {"mix": {"E": 0.6, "PV": 0.4}, "n": 20},
        "cell_params": {"E": {"drive": 15.0}},
        "connections": [EDGE],
    },
    "run": {"seed": 3, "duration_ms": 40.0},
    "readouts": {"probes": ["spk", {"kind": "vm", "interval_ms": 1.0}]},
}
PULSE = {"kind": "Pulse", "start_ms": 5.0, "duration_ms": 5.0, "amplitude": 4.0}
TRAIN = {
    "kind": "PulseTrain",
    "start_ms": 5.0,
    "duration_ms": 2.0,
    "period_ms": 6.0,
    "count": 3,
    "amplitude": 4.0,
}
RAIN = {"kind": "Poisson", "rate_Hz": 900.0, "weight_pA": 60.0, "start_ms": 5.0, "stop_ms": 30.0}
TRACE = {"kind": "Trace", "values": [1.0, 3.0, 2.0], "dt_ms": 2.0, "start_ms": 5.0}
SPIKES = {"kind": "SpikeTimes", "times_ms": [5.0, 9.0, 9.0], "weight_pA": 900.0}
VOLLEY = {"kind": "Evoked", "mean_ms": 12.0, "sd_ms": 3.0, "n_spikes": 3, "weight_pA": 600.0}
RHYTHM = {"kind": "Rhythmic", "start_ms": 5.0, "stop_ms": 30.0, "rate_Hz": 100.0, "sd_ms": 1.0, "isi_ms": 2.0,
          "weight_pA": 600.0}  # fmt: skip
OU = {"kind": "OrnsteinUhlenbeck", "sd": 8.0, "tau_ms": 4.0, "start_ms": 5.0, "stop_ms": 30.0}
DRIVES = {
    "Constant": {"kind": "Constant", "amplitude": 4.0, "start_ms": 5.0},
    "Pulse": PULSE,
    "PulseTrain": TRAIN,
    "Poisson": RAIN,
    "Trace": TRACE,
    "Ramp": {"kind": "Ramp", "start_ms": 5.0, "duration_ms": 20.0, "amplitude": 9.0},
    "Sine": {
        "kind": "Sine",
        "amplitude": 6.0,
        "frequency_Hz": 50.0,
        "start_ms": 5.0,
        "stop_ms": 30.0,
    },
    "Chirp": {
        "kind": "Chirp",
        "amplitude": 6.0,
        "duration_ms": 25.0,
        "first_Hz": 20.0,
        "last_Hz": 90.0,
        "start_ms": 5.0,
    },
    "OrnsteinUhlenbeck": OU,
    "SpikeTimes": SPIKES,
    "Evoked": VOLLEY,
    "Rhythmic": RHYTHM,
}


def put(table, path, value):
    """A copy of nested dicts and lists in which what lies at `path` is `value`."""
    head, _, rest = path.partition(".")
    if isinstance(table, list):
        return [put(each, rest, value) if rest and k == int(head) else value if k == int(head) else each
                for k, each in enumerate(table)]  # fmt: skip
    return {**table, head: put(table.get(head, {}), rest, value) if rest else value}


def based(**changes):
    """BASE with `changes` by path, `__` for the dot."""
    table = BASE
    for path, value in changes.items():
        table = put(table, path.replace("__", "."), value)
    return table


def stimulated(drive, target="E"):
    return based(task__stimuli=[{"target": target, "drive": drive, "label": "s"}])


GAIN = {"path": "cells.E.drive", "bounds": [1.0, 20.0]}
TUNED = put(BASE, "training", {"trainables": [GAIN]})
TUNED_BY_FACTORS = put(TUNED, "training.trainables.0.transform", "Log")


def probed(**probe):
    return based(readouts__probes=["spk", probe])


@dataclasses.dataclass(frozen=True)
class Change:
    """In `base`, what lies at `path` becomes `value`; `seen` is where the difference must show."""

    path: str
    value: object
    base: dict = dataclasses.field(default_factory=lambda: BASE)
    seen: str = "values"


@functools.cache
def simulated(cfg, paradigm=None, **how):
    return simulate(jtfne.construct(cfg), paradigm, **how)


@functools.cache
def result(cfg, paradigm=None, **how):
    """Hashes, computed once a run: of every readout's values, of events, of the cells' names and
    places, and so on.
    """
    if cfg.training.objective is not None:
        signals = simulated(cfg.model_copy(update={"training": config.Training()}), paradigm, **how)
        return {
            "objective": jtfne.Objective.of(cfg).evaluate(signals).to_dict(),
            "config": cfg.hash,
        }
    signals = simulated(cfg, paradigm, **how)
    leaves = {name: signals.tree[name].to_dataset() for name in signals.recorded()}
    values = {
        name: [array_hash(leaf[each].values) for each in leaf.data_vars]
        for name, leaf in leaves.items()
    }
    tables = {name: dataset_hash(signals.tree[name].to_dataset()) for name in ("events", "neurons")}
    coords = {
        name: dataset_hash(leaf.drop_vars(list(leaf.data_vars))) for name, leaf in leaves.items()
    }
    return {"values": values, **tables, "coords": coords, "config": cfg.hash}


def at(part, name, base, **changes):
    """Changes of the fields of a class whose object lies at `part` of `base`."""
    return {
        f"{name}.{field}": Change(f"{part}.{field}", value, base)
        for field, value in changes.items()
    }


def _selectors():
    """Selector.field -> a change of it in each place that takes a selector."""
    given = {"area": "V1", "layer": "L4", "cell_type": "PV", "ids": [3, 4]}
    edge = [{**EDGE, "source": {"cell_type": "E"}, "target": {}}]
    wired, onto = based(circuit__connections=edge), stimulated(PULSE, {})
    watched = probed(kind="vm", interval_ms=1.0, cells={})
    return {
        f"Selector.{field}": [
            Change(
                f"circuit.connections.0.{'source' if field != 'cell_type' else 'target'}.{field}",
                value,
                wired,
            ),
            Change(f"circuit.connections.0.target.{field}", value, wired),
            Change(f"task.stimuli.0.target.{field}", value, onto),
            Change(f"readouts.probes.1.cells.{field}", value, watched),
        ]
        for field, value in given.items()
    }


def _emitters():
    """Every parameter of every cell model, in a population that fires."""
    leaky = {"c_m_pF": 70.0, "g_nS": 8.0, "e_l_mV": -75.0, "v_th_mV": -50.0, "t_ref_ms": 2.0}
    changed = {
        "LIF": {"c_m_pF": 200.0, "tau_m_ms": 15.0, "v_rest_mV": -62.0, "v_th_mV": -52.0, "v_reset_mV": -68.0,
                "t_ref_ms": 3.0},
        "Izhikevich2003": {"a": 0.03, "b": 0.22, "c_mV": -60.0, "d": 4.0, "v_peak_mV": 10.0, "c_m_pF": 150.0,
                           "half_steps": True},
        "Izhikevich2007": {"c_m_pF": 120.0, "k": 0.8, "v_r_mV": -62.0, "v_t_mV": -42.0, "v_peak_mV": 20.0, "a": 0.05,
                           "b": -1.0, "c_mV": -55.0, "d_pA": 50.0},
        "AdaptiveLIF": {"c_m_pF": 200.0, "tau_m_ms": 15.0, "v_rest_mV": -62.0, "v_th_mV": -52.0, "v_reset_mV": -68.0,
                        "t_ref_ms": 3.0, "b_pA": 40.0, "tau_w_ms": 60.0, "th_add_mV": 1.0, "tau_th_ms": 5.0},
        "GLIF1": {**leaky, "v_reset_mV": -75.0},
        "GLIF2": {**leaky, "reset_fraction": 0.1, "reset_add_mV": 10.0, "th_add_mV": 1.0, "tau_th_ms": 20.0},
        "GLIF3": {**leaky, "v_reset_mV": -75.0, "amp_1_pA": -20.0, "amp_2_pA": -100.0, "tau_1_ms": 50.0,
                  "tau_2_ms": 20.0},
        "AdEx": {"c_m_pF": 200.0, "g_nS": 25.0, "v_rest_mV": -68.0, "v_t_mV": -52.0, "delta_mV": 1.0, "a_nS": 10.0,
                 "tau_w_ms": 60.0, "b_pA": 40.0, "v_reset_mV": -65.0, "v_peak_mV": 20.0, "substeps": 3},
        "HodgkinHuxley": {"c_m_pF": 150.0, "g_l_nS": 12.0, "g_na_nS": 15_000.0, "g_k_nS": 5_000.0, "e_l_mV": -68.0,
                          "e_na_mV": 45.0, "e_k_mV": -85.0, "v_t_mV": -60.0, "v_spike_mV": -30.0, "substeps": 1},
        "TwoCompartment": {"c_s_pF": 80.0, "c_d_pF": 150.0, "g_s_nS": 12.0, "g_d_nS": 15.0, "g_c_nS": 20.0,
                           "v_rest_mV": -68.0, "v_th_mV": -52.0, "v_reset_mV": -65.0, "t_ref_ms": 3.0,
                           "dendrite_share": 0.5, "dendrite_input_share": 0.3},
    }  # fmt: skip
    rows = {}
    for kind, fields in changed.items():
        base = based(circuit__cells__mix={"X": 1.0}, circuit__connections=[], circuit__emitters={"X": {"kind": kind}},
                     circuit__cell_params={"X": {"drive": FIRES[kind]}})  # fmt: skip
        if kind == "AdaptiveLIF":
            # a time constant shows where there is a threshold
            base = put(base, "circuit.emitters.X.th_add_mV", 0.5)
        if kind in ("Izhikevich2003", "TwoCompartment"):  # these show where synapses bring pA
            rain = [{"target": "X", "drive": {**RAIN, "weight_pA": 200.0}, "label": "s"}]
            base = put(base, "task.stimuli", rain)
        rows |= at("circuit.emitters.X", kind, base, **fields)
    alone = based(circuit__cells__mix={"X": 1.0}, circuit__connections=[], circuit__cell_params={},
                  circuit__emitters={"X": {"kind": "PoissonSource", "rate_Hz": 50.0}})  # fmt: skip
    rows |= at("circuit.emitters.X", "PoissonSource", alone, rate_Hz=100.0)
    replayed = put(
        alone, "circuit.emitters.X", {"kind": "SpikeSource", "times_ms": [[3.0, 7.0], [5.0]]}
    )
    return rows | at("circuit.emitters.X", "SpikeSource", replayed, times_ms=[[3.0, 7.1], [5.0]])


def _rules():
    """Every field of every rule and distribution."""
    fields = {
        "FixedProbability": {"p": 0.2},
        "FixedIndegree": {"n": 4},
        "FixedOutdegree": {"n": 4},
        "FixedTotal": {"n": 40},
        "OneToOne": {},
        "AllToAll": {},
        "DistanceDecay": {"p0": 0.3, "length_mm": 0.5, "profile": "GaussianDecay", "lateral": True},
        "FromTable": {
            "source": [1, 1, 2],
            "target": [12, 15, 14],
            "weight": [90.0] * 3,
            "delay_ms": [2.0] * 3,
        },
    }
    first = {
        "FixedProbability": {"p": 0.5}, "FixedIndegree": {"n": 8}, "FixedOutdegree": {"n": 8}, "FixedTotal": {"n": 80},
        "DistanceDecay": {"p0": 0.9, "length_mm": 0.2},
        "FromTable": {"source": [0, 1, 2], "target": [12, 13, 14]},
    }  # fmt: skip
    rows = {}
    for kind, changed in fields.items():
        rule = {"kind": kind, **first.get(kind, {})}
        # a column, E onto itself (so that there are autapses to allow) and driven to fire; PV hears
        # of it
        base = based(
            circuit__areas=["V1"], circuit__connections=[{**EDGE, "target": "E", "rule": rule}]
        )
        rows |= at("circuit.connections.0.rule", kind, base, **changed)
        other = (
            {"kind": "FixedIndegree", "n": 3}
            if kind != "FixedIndegree"
            else {"kind": "FixedTotal", "n": 8}
        )
        rows[f"{kind}.kind"] = Change("circuit.connections.0.rule", other, base)
        known = getattr(config, kind).model_fields
        if "multapses" in known:
            rows[f"{kind}.multapses"] = Change("circuit.connections.0.rule.multapses", False, base)
        if "autapses" in known:
            rows[f"{kind}.autapses"] = Change(
                "circuit.connections.0.rule.autapses", kind != "OneToOne", base
            )
    decay = {"kind": "DistanceDecay", "p0": 0.9, "length_mm": 0.2}
    near = based(
        circuit__areas=["V1"], circuit__connections=[{**EDGE, "target": "E", "rule": decay}]
    )
    round_one = put(near, "circuit.connections.0.rule.profile", "GaussianDecay")
    rows["ExponentialDecay.kind"] = Change(
        "circuit.connections.0.rule.profile", "ExponentialDecay", round_one
    )
    rows["GaussianDecay.kind"] = Change("circuit.connections.0.rule.profile", "GaussianDecay", near)
    wave = {"kind": "FromDistance", "velocity_m_s": 8.0, "offset_ms": 0.5}
    far = based(circuit__connections=[{**EDGE, "delay_ms": wave}])
    rows |= at(
        "circuit.connections.0.delay_ms", "FromDistance", far, velocity_m_s=4.0, offset_ms=1.5
    )
    rows["FromDistance.kind"] = Change("circuit.connections.0.delay_ms", 0.5, far)
    for kind, given, changed in (
        (
            "Normal",
            {"mean": 100.0, "sd": 20.0},
            {"mean": 120.0, "sd": 40.0, "low": 95.0, "high": 105.0},
        ),
        (
            "LogNormal",
            {"mean": 100.0, "sd": 20.0},
            {"mean": 120.0, "sd": 40.0, "low": 95.0, "high": 105.0},
        ),
        ("Uniform", {"low": 50.0, "high": 150.0}, {"low": 80.0, "high": 120.0}),
    ):
        late = {name: value / 40.0 for name, value in given.items()}
        late |= {} if kind == "Uniform" else {"low": 0.2}
        heavy = based(circuit__connections=[{**EDGE, "weight": {"kind": kind, **given}}])
        delayed = based(circuit__connections=[{**EDGE, "delay_ms": {"kind": kind, **late}}])
        for field, value in changed.items():
            delay = Change(f"circuit.connections.0.delay_ms.{field}", value / 40.0, delayed)
            rows[f"{kind}.{field}"] = [
                Change(f"circuit.connections.0.weight.{field}", value, heavy),
                delay,
            ]
        rows[f"{kind}.kind"] = Change("circuit.connections.0.weight", 100.0, heavy)
    return rows


def _drives():
    """Every field of every stimulus, in the run and in the table of events."""
    changed = {
        "Constant": {"amplitude": 5.0, "start_ms": 9.0},
        "Pulse": {"amplitude": 5.0, "start_ms": 9.0, "duration_ms": 8.0},
        "PulseTrain": {"amplitude": 5.0, "start_ms": 9.0, "duration_ms": 3.0, "period_ms": 7.0, "count": 4},
        "Poisson": {"rate_Hz": 500.0, "weight_pA": 40.0, "mechanism": "NMDA", "start_ms": 9.0, "stop_ms": 20.0,
                    "shared": True},
        "Trace": {"values": [1.0, 2.0, 2.0], "dt_ms": 3.0, "start_ms": 9.0, "amplitude": 2.0},
        "Ramp": {"amplitude": 5.0, "start_ms": 9.0, "duration_ms": 9.0, "begin": 0.5, "end": 0.5},
        "Sine": {"amplitude": 5.0, "frequency_Hz": 60.0, "phase_rad": 1.0, "start_ms": 9.0, "stop_ms": 20.0},
        "Chirp": {"amplitude": 5.0, "duration_ms": 20.0, "first_Hz": 30.0, "last_Hz": 60.0, "phase_rad": 1.0,
                  "start_ms": 9.0},
        "OrnsteinUhlenbeck": {"sd": 5.0, "tau_ms": 9.0, "mean": 3.0, "start_ms": 9.0, "stop_ms": 20.0, "shared": True,
                              "stream": "mine"},
        "SpikeTimes": {"times_ms": [5.0, 9.0, 12.0], "cells": [0, 1, 2], "weight_pA": 600.0, "mechanism": "NMDA"},
        "Evoked": {"mean_ms": 15.0, "sd_ms": 1.0, "n_spikes": 1, "weight_pA": 500.0, "mechanism": "NMDA",
                   "synchronous": True, "stream": "mine"},
        "Rhythmic": {"start_ms": 9.0, "stop_ms": 20.0, "rate_Hz": 150.0, "sd_ms": 2.0, "n_spikes": 1, "isi_ms": 1.0,
                     "n_afferents": 2, "weight_pA": 500.0, "mechanism": "NMDA", "synchronous": True, "stream": "mine"},
    }  # fmt: skip
    rows = {}
    for kind, fields in changed.items():
        rows |= at("task.stimuli.0.drive", kind, stimulated(DRIVES[kind]), **fields)
    marked = stimulated({"kind": "Marker", "start_ms": 5.0})
    for field, value in {"start_ms": 9.0, "duration_ms": 3.0}.items():
        rows[f"Marker.{field}"] = Change(f"task.stimuli.0.drive.{field}", value, marked, "events")
    rows["Poisson.weight_nS"] = Change("task.stimuli.0.drive.weight_nS", 4.0, GATED)
    for drive in (SPIKES, VOLLEY, RHYTHM):
        opens = {**drive, "weight_pA": None, "weight_nS": 3.0, "mechanism": "g"}
        base = put(GATED, "task.stimuli.0.drive", opens)
        rows[f"{drive['kind']}.weight_nS"] = Change("task.stimuli.0.drive.weight_nS", 4.0, base)
    for drive in (RAIN, SPIKES, VOLLEY, RHYTHM):
        jumps = {**drive, "weight_pA": None, "weight_mV": 3.0, "mechanism": "d"}
        base = put(GATED, "task.stimuli.0.drive", jumps)
        rows[f"{drive['kind']}.weight_mV"] = Change("task.stimuli.0.drive.weight_mV", 4.0, base)
    return rows


def _probes():
    """Every field of every probe; the kind is the readout itself."""
    shank = {"interval_ms": 2.0, "n_channels": 12, "kernel_mm": 0.2}
    names = {"Spikes": "spk", "Voltage": "vm", "SourceProbe": "source", "LFPProxy": "lfp_proxy",
             "CSDProxy": "csd_proxy", "SpectrolaminarProxy": "spectrolaminar_proxy", "EMMProxy": "emm_proxy",
             "EEGProxy": "eeg_proxy", "MEGProxy": "meg_proxy", "LFP": "lfp", "CSD": "csd", "Dipole": "dipole",
             "EEG": "eeg", "MEG": "meg", "RWS": "rws", "ERWS": "erws", "Rate": "rate"}  # fmt: skip
    head = {
        "centre_mm": [0.0, 2.0, 40.0],
        "radii_mm": [78.0, 80.0, 85.0, 90.0],
        "sigmas_S_m": [0.33, 1.0, 0.01, 0.3],
    }
    deep = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1]
    changed = {
        "Voltage": {"interval_ms": 2.0, "cells": "PV"},
        "SourceProbe": {"interval_ms": 2.0},
        "LFPProxy": shank,
        "CSDProxy": shank,
        "SpectrolaminarProxy": {**shank, "max_frequency_Hz": 60.0},
        "EMMProxy": {**shank, "weights": [1.0, 0.0, 2.0]},
        "EEGProxy": {"interval_ms": 2.0, "sites": ["Oz", "Cz"]},
        "MEGProxy": {"interval_ms": 2.0, "sensors": ["MEG 0111", "MEG 2111"]},
        "LFP": {"interval_ms": 2.0, "n_channels": 12, "contacts_mm": [[0.0, 0.0, 0.4]], "sources": "Points",
                "sigma_S_m": 0.4, "surface": {"sigma_above_S_m": 0.1}, "far": True},
        "CSD": {"interval_ms": 2.0, "n_channels": 12, "depths_mm": deep, "method": "SecondDifference"},
        "Dipole": {"interval_ms": 2.0},
        "Rate": {"interval_ms": 2.0, "cells": "PV"},
        "EEG": {"interval_ms": 2.0, "montage": "biosemi32", "sites": ["Oz", "Cz"], "head": head},
        "MEG": {"interval_ms": 2.0, "helmet": "ctf151", "sensors": ["MEG 0111", "MEG 0121"], "head": head},
    }  # fmt: skip
    first = {
        kind: based(readouts__probes=["vm" if name == "spk" else "spk"])
        for kind, name in names.items()
    }
    rows = {
        f"{kind}.kind": Change("readouts.probes.0", name, first[kind])
        for kind, name in names.items()
    }
    for kind, fields in changed.items():
        rows |= at("readouts.probes.1", kind, probed(kind=names[kind]), **fields)
    rows |= at("readouts.probes.1.head", "Spheres", probed(kind="eeg", head={}), **head)
    by_file = {"kind": "Forward", "path": str(FORWARDS / "one-fwd.fif")}
    solved = probed(kind="eeg", head=by_file)
    rows |= at(
        "readouts.probes.1.head",
        "Forward",
        solved,
        path=str(FORWARDS / "other-fwd.fif"),
        within_mm=1e-3,
    )
    rows["Forward.kind"] = Change("readouts.probes.1.head", {"kind": "Spheres"}, solved)
    rows["Spheres.kind"] = Change("readouts.probes.1.head", by_file, probed(kind="eeg"))
    moved = Change(
        "readouts.probes.1.head.centre_mm", head["centre_mm"], probed(kind="meg", head={})
    )
    rows["Spheres.centre_mm"] = [rows["Spheres.centre_mm"], moved]
    rows["CSD.surface"] = Change(
        "readouts.probes.1.surface", {}, probed(kind="csd", depths_mm=deep, method="StepICSD")
    )
    lit = probed(kind="lfp", surface={"z_mm": -0.1, "sigma_above_S_m": 0.1})
    rows |= at("readouts.probes.1.surface", "Surface", lit, z_mm=-0.2, sigma_above_S_m=0.2)
    points = probed(kind="lfp", sources={"kind": "Points", "radius_mm": 0.01})
    rows["LFP.shanks_mm"] = Change("readouts.probes.1.shanks_mm", [[0.0, 0.1]], points)
    rows["Points.kind"] = Change("readouts.probes.1.sources", "Points", probed(kind="lfp"))
    rows["Discs.kind"] = Change("readouts.probes.1.sources", "Discs", points)
    rows["Points.radius_mm"] = Change("readouts.probes.1.sources.radius_mm", 0.3, points)
    for kind in ("DeltaICSD", "StepICSD", "SplineICSD"):
        base = probed(kind="csd", depths_mm=deep, method={"kind": kind})
        shallow = {"diameter_mm": 0.3} | ({"step_mm": 0.1} if kind == "SplineICSD" else {})
        rows |= at("readouts.probes.1.method", kind, base, **shallow, sigma_top_S_m=0.0)
    for kind in ("RWS", "ERWS"):
        into = put(probed(kind=names[kind]), "circuit.connections.0.target", {})
        rows |= at(
            "readouts.probes.1", kind, into, interval_ms=0.5 if kind == "RWS" else 0.3, cells="PV"
        )
    inhibits = {**EDGE, "target": "E", "mechanism": "GABA_A", "weight": -150.0}
    weighed = put(
        probed(kind="erws", variant={"kind": "ERWS2", "rate": 3.0}),
        "circuit.connections",
        [inhibits],
    )
    rows["ERWS.variant"] = Change("readouts.probes.1.variant", {"kind": "ERWS1"}, weighed)
    rows["ERWS1.kind"] = rows["ERWS.variant"]
    rows["ERWS2.kind"] = Change("readouts.probes.1.variant", {"kind": "ERWS2", "rate": 3.0},
                                put(weighed, "readouts.probes.1.variant", {"kind": "ERWS1"}))  # fmt: skip
    rows["ERWS1.causal"] = Change("readouts.probes.1.variant.causal", True,
                                  put(weighed, "readouts.probes.1.variant", {"kind": "ERWS1"}))  # fmt: skip
    rows |= at("readouts.probes.1.variant", "ERWS2", weighed, rate=5.0, causal=True)
    standard = probed(kind="csd", method={"kind": "SecondDifference"})
    return rows | at("readouts.probes.1.method", "SecondDifference", standard, vaknin=True)


def _maps():
    """Every field of a source map and of its profiles, seen in the moment."""
    tuft = {
        "kind": "Between",
        "first": {"kind": "AtSoma"},
        "last": {"kind": "AtDepth", "depth": 0.0},
    }
    deep = {"kind": "AtSoma", "above_mm": -0.1}
    base = put(probed(kind="dipole"), "readouts.maps", [
        {"cells": {"cell_type": "E"}, "mechanism": ["external"], "enters": tuft, "returns": deep}])  # fmt: skip
    rows = at(
        "readouts.maps.0",
        "SourceMap",
        base,
        cells="PV",
        mechanism=["AMPA"],
        enters="AtSoma",
        returns="AtSoma",
    )
    rows |= at("readouts.maps.0.returns", "AtSoma", base, above_mm=-0.2, kind="AtDepth")
    rows["AtSoma.kind"] = Change("readouts.maps.0.returns", {"kind": "AtDepth", "depth": 0.9}, base)
    rows["AtDepth.kind"] = Change(
        "readouts.maps.0.enters.last", {"kind": "AtSoma", "above_mm": 0.1}, base
    )
    rows["AtDepth.depth"] = Change("readouts.maps.0.enters.last.depth", 0.1, base)
    rows["Between.kind"] = Change("readouts.maps.0.enters", {"kind": "AtDepth", "depth": 0.0}, base)
    rows["Between.first"] = Change(
        "readouts.maps.0.enters.first", {"kind": "AtSoma", "above_mm": 0.1}, base
    )
    rows["Between.last"] = Change(
        "readouts.maps.0.enters.last", {"kind": "AtSoma", "above_mm": 0.1}, base
    )
    rows["Readouts.maps"] = Change("readouts.maps", [], base)
    rows["Readouts.scale"] = Change("readouts.scale", 20.0, base)
    return rows


def _sources():
    """Every mode, seen in the source and in a field made of it; each is unlike the default."""
    base = based(readouts__probes=["source", "lfp_proxy"])
    kinds = {cls.__name__: cls.model_fields["kind"].default for cls in config.SOURCE_MODES}
    rows = {f"{name}.kind": Change("readouts.source", kind, base) for name, kind in kinds.items()}
    other = put(base, "readouts.source", "synaptic_current")
    return {**rows, "InputCurrent.kind": Change("readouts.source", "input_current", other)}


SEEN_BY_EEG = probed(kind="eeg_proxy")
BY_DISTANCE = based(
    circuit__connections=[{**EDGE, "source": {"area": "V1", "cell_type": "E"}, "target": {"area": "V1"},
                           "rule": {"kind": "DistanceDecay", "p0": 0.9, "length_mm": 0.1}}]
)  # fmt: skip
GATED = based(circuit__connections=[{**EDGE, "mechanism": "g", "weight": 8.0}],
              circuit__mechanisms={"g": {"kind": "Conductance", "tau_ms": 3.0, "e_rev_mV": 0.0},
                                   "d": {"kind": "Delta"}},
              task__stimuli=[{"target": "E", "drive": {"kind": "Poisson", "rate_Hz": 900.0, "weight_nS": 3.0,
                                                       "mechanism": "g"}}])  # fmt: skip
SCHEDULED = based(task={"n_trials": 2, "stimuli": [
    {"target": "E", "drive": PULSE, "label": "s", "at": {"onsets_ms": [3.0, 20.0], "trials": [0, 1]}}]})  # fmt: skip


def _synapses():
    """Every field of every synapse, on a connection from cells that fire."""
    rise = {"tau_rise_ms": 1.0, "tau_decay_ms": 3.0}
    given = {"Exponential": {"tau_ms": 3.0}, "Alpha": {"tau_ms": 3.0}, "BiExponential": rise,
             "Conductance": {"tau_ms": 3.0, "e_rev_mV": 0.0}, "AlphaConductance": {"tau_ms": 3.0, "e_rev_mV": 0.0},
             "BiExponentialConductance": {**rise, "e_rev_mV": 0.0}, "NMDA": rise, "Delta": {},
             "BoltzmannConductance": {**rise, "e_rev_mV": 0.0, "v_half_mV": -50.0, "slope_per_mV": 0.1}}  # fmt: skip
    changed = {
        "tau_ms": 6.0,
        "tau_rise_ms": 2.0,
        "tau_decay_ms": 6.0,
        "e_rev_mV": -80.0,
        "mg_mM": 0.5,
        "v_half_mV": -60.0,
        "slope_per_mV": 0.05,
        "sign": -1,
    }
    rows = {}
    for kind, fields in given.items():
        own = {"own": {"kind": kind, **fields}}
        weight = 150.0 if SYNAPSES[kind].unit == "pA" else 8.0
        base = based(
            circuit__connections=[{**EDGE, "mechanism": "own", "weight": weight}],
            circuit__mechanisms=own,
        )
        names = [
            field.name
            for field in dataclasses.fields(SYNAPSES[kind])
            if field.name != "dendrite_share"
        ]
        rows |= at("circuit.mechanisms.own", kind, base, **{name: changed[name] for name in names})
        # a dendrite, where it matters
        branched = put(base, "circuit.emitters", {"PV": {"kind": "TwoCompartment"}})
        rows |= at("circuit.mechanisms.own", kind, branched, dendrite_share=0.4)
    return rows


def _plasticities():
    """Every field of every rule of plasticity, between cells that fire."""
    given = {
        "ShortTerm": {"u": 0.5, "tau_rec_ms": 100.0, "tau_facil_ms": 50.0},
        "PairSTDP": {
            "w_max": 200.0,
            "a_plus": 0.2,
            "a_minus": 0.3,
            "tau_plus_ms": 20.0,
            "tau_minus_ms": 20.0,
        },
    }
    changed = {
        "ShortTerm": {"u": 0.3, "tau_rec_ms": 300.0, "tau_facil_ms": 0.0},
        "PairSTDP": {
            "w_max": 300.0,
            "a_plus": 0.1,
            "a_minus": 0.1,
            "tau_plus_ms": 5.0,
            "tau_minus_ms": 5.0,
        },
    }
    rows = {
        "Connection.plasticity": Change(
            "circuit.connections.0.plasticity", {"kind": "ShortTerm", **given["ShortTerm"]}
        )
    }
    for kind, fields in given.items():
        base = based(
            circuit__connections=[{**EDGE, "target": "E", "plasticity": {"kind": kind, **fields}}]
        )
        rows |= at("circuit.connections.0.plasticity", kind, base, **changed[kind])
    return rows


def aiming(metric, **gate):
    """BASE with a metric, on all that a metric can be on, and a gate if it is given."""
    base = based(
        readouts__probes=[
            "spk",
            "lfp_proxy",
            {"kind": "eeg_proxy", "sites": ["Cz", "Oz", "Fz", "Pz"]},
        ]
    )
    targets = {"metrics": [metric], **({"gates": [gate]} if gate else {})}
    return put(base, "training.objective", targets)


def _objectives():
    """Every field of every measure, metric, gate and condition, in the table of results."""
    wave = {"kind": "Curve", "values": [float(k % 5) for k in range(40)], "dims": ["time"],
            "coords": {"time": [float(k) for k in range(40)]}}  # fmt: skip
    spectrum = {"kind": "Curve", "values": [3.0, 2.0, 1.0], "dims": ["frequency"],
                "coords": {"frequency": [1.0, 100.0, 500.0]}}  # fmt: skip
    depths = {"kind": "Curve", "values": [float(k**2 % 7) for k in range(120)], "dims": ["time", "z_mm"],
              "coords": {"time": [0.0, 10.0, 40.0], "z_mm": [0.05 * k for k in range(40)]}}  # fmt: skip
    sites = {"kind": "Curve", "values": [1.0, 2.0, 0.0, 5.0], "dims": ["channel"],
             "coords": {"channel": ["Cz", "Oz", "Fz", "Pz"]}}  # fmt: skip
    area = {"cells": {"area": "V1"}}
    later = {"onset_ms": 20.0, "baseline_ms": 5.0}
    edges = ("low_from_Hz", "low_to_Hz", "high_from_Hz", "high_to_Hz")
    band = {"low_Hz": 60.0, "high_Hz": 90.0, "relative": True, "segment_ms": 20.0}
    rows = {}
    for kind, given, around, fields in (
        ("MeanRate", {}, {"target": 5.0}, {}),
        ("CV", {}, {"target": 5.0}, {"min_intervals": 3}),
        ("FanoFactor", {"bin_ms": 10.0}, {"target": 5.0}, {"bin_ms": 20.0}),
        ("Synchrony", {}, {"target": 5.0}, {"bin_ms": 10.0}),
        ("PowerSpectrum", {"low_Hz": 25.0}, {"readout": "lfp_proxy", "target": spectrum},
         {**band, "relative": False}),
        ("BandPower", {"low_Hz": 25.0, "high_Hz": 120.0}, {"readout": "lfp_proxy", "target": 5.0}, band),
        ("SpectrolaminarCrossover", dict(zip(edges, (20.0, 60.0, 70.0, 110.0), strict=True)),
         {"readout": "lfp_proxy", "target": 5.0, **area},
         dict(zip((*edges, "segment_ms"), (30.0, 30.0, 90.0, 130.0, 20.0), strict=True))),
        ("EvokedWaveform", {}, {"readout": "lfp_proxy", "channels": "ch05", "target": wave, **area},
         {**later, "shape_only": True}),
        ("CSDProfile", {}, {"readout": "lfp_proxy", "target": depths, **area}, {**later, "relative_depth": True}),
        ("Topography", {}, {"readout": "eeg_proxy", "target": sites}, later),
    ):  # fmt: skip
        base = aiming({"measure": {"kind": kind, **given}, **around})
        part = "training.objective.metrics.0.measure"
        rows |= {
            f"{kind}.{name}": Change(f"{part}.{name}", value, base, "objective")
            for name, value in fields.items()
        }
        if "baseline_ms" in fields:  # a baseline needs an onset
            base = put(base, f"{part}.onset_ms", 20.0)
            rows[f"{kind}.baseline_ms"] = Change(f"{part}.baseline_ms", 5.0, base, "objective")
        if kind == "PowerSpectrum":  # trials, so that their mean is another one
            rows[f"{kind}.evoked"] = Change(
                f"{part}.evoked", True, put(base, "task.n_trials", 2), "objective"
            )
    rate = {"measure": "MeanRate", "target": 5.0}
    fano = {"measure": {"kind": "FanoFactor", "bin_ms": 10.0}, "target": 5.0}
    power = {
        "measure": {"kind": "BandPower", "low_Hz": 25.0, "high_Hz": 120.0},
        "readout": "lfp_proxy",
        "target": 5.0,
    }
    ceiling = {"measure": "MeanRate", "condition": {"kind": "Below", "value": 9.0}}
    first, gate, target = (
        "training.objective.metrics.0",
        "training.objective.gates.0",
        "training.objective",
    )
    synchrony = {"kind": "Synchrony"}
    for field, value, metric in (
        ("measure", synchrony, rate), ("readout", "eeg_proxy", power), ("cells", "PV", rate),
        ("channels", "ch03", power), ("window_ms", [10.0, 30.0], rate), ("name", "mine", rate),
        ("target", 6.0, rate), ("weight", 2.0, rate), ("scale", 2.0, rate),
    ):  # fmt: skip
        rows[f"Metric.{field}"] = Change(f"{first}.{field}", value, aiming(metric), "objective")
        if field not in ("target", "weight", "scale"):
            held = {**metric, "condition": ceiling["condition"]}
            base = aiming(fano, **{name: each for name, each in held.items() if name != "target"})
            rows[f"Gate.{field}"] = Change(f"{gate}.{field}", value, base, "objective")
    for kind, given, changed in (
        ("Above", {"value": 5.0}, {"value": 6.0}), ("Below", {"value": 5.0}, {"value": 6.0}),
        ("InRange", {"low": 1.0, "high": 5.0}, {"low": 2.0, "high": 6.0}),
        ("Equal", {"value": 5.0, "within": 1.0}, {"value": 6.0, "within": 2.0}),
    ):  # fmt: skip
        base = aiming(fano, measure="MeanRate", condition={"kind": kind, **given})
        for field, value in changed.items():
            rows[f"{kind}.{field}"] = [
                Change(f"{gate}.condition.{field}", value, base, "objective")
            ]
            if kind == "InRange":
                ranged = aiming({**rate, "target": {"kind": kind, "low": 1.0, "high": 5.0}})
                rows[f"{kind}.{field}"].append(
                    Change(f"{first}.target.{field}", value, ranged, "objective")
                )
    rows["Gate.condition"] = Change(
        f"{gate}.condition", {"kind": "Above", "value": 9.0}, aiming(fano, **ceiling), "objective"
    )
    square = {"kind": "Curve", "values": [1.0, 2.0, 3.0, 5.0], "dims": ["time", "channel"],
              "coords": {"time": [0.0, 40.0], "channel": ["ch05", "ch06"]}, "units": "a.u."}  # fmt: skip
    shown = aiming({"measure": "EvokedWaveform", "readout": "lfp_proxy", "target": square, **area})
    later = {"time": [0.0, 30.0], "channel": ["ch05", "ch06"]}
    for field, value in (
        ("values", [1.0, 2.0, 3.0, 6.0]),
        ("dims", ["channel", "time"]),
        ("coords", later),
        ("units", "V"),
    ):
        rows[f"Curve.{field}"] = Change(f"{first}.target.{field}", value, shown, "objective")
    rows["Curve.kind"] = Change(first, rate, shown, "objective")
    rows["Targets.metrics"] = Change(f"{target}.metrics", [rate, fano], aiming(rate), "objective")
    rows["Targets.gates"] = Change(f"{target}.gates", [ceiling], aiming(rate), "objective")
    rows["Training.objective"] = Change(target, {"metrics": [fano]}, aiming(rate), "objective")
    rows["Config.training"] = Change(
        "training", {"objective": {"metrics": [fano]}}, aiming(rate), "objective"
    )
    return rows


NAMED = [{"name": "mine", "top": 0.1, "bottom": 0.4}, {"name": "L4", "top": 0.4, "bottom": 0.6}]
NEAR = based(circuit__connections=[{**EDGE, "source": {"area": "V1", "cell_type": "E"},
                                    "target": {"area": "V1", "cell_type": "PV"}}])  # fmt: skip
FIELDS = {
    # which contract: not a number
    "Config.schema_version": Change("schema_version", "0.3.28", seen="config"),
    "Config.circuit": Change("circuit.cells.n", 24),
    "Config.run": Change("run", {"seed": 4, "duration_ms": 40.0}),
    "Config.task": Change("task", {"stimuli": [{"target": "E", "drive": PULSE}]}),
    "Config.readouts": Change("readouts", {"probes": ["vm"]}),
    "Circuit.areas": Change("circuit.areas", AREAS[:1]),
    "Circuit.layers": Change("circuit.layers", LAYERS[:1], BY_DISTANCE),
    "Circuit.geometry": Change("circuit.geometry", {"thickness_mm": 2.5}, BY_DISTANCE),
    "Circuit.cells": Change("circuit.cells", {"mix": {"E": 6, "PV": 4}}),
    "Circuit.emitters": Change("circuit.emitters", {"PV": {"kind": "LIF"}}),
    "Circuit.cell_params": [Change("circuit.cell_params", {"E": {"drive": 15.0, name: value}})
                            for name, value in {"noise": 0.5, "d": 5.0, "drive": 12.0, "v_init_mV": -60.0}.items()]
                         + [Change("circuit.cell_params", {"E": {"drive": 15.0, name: [value] * 23 + [other]}})
                            for name, value, other in (("noise", 0.0, 0.5), ("d", 8.0, 5.0), ("drive", 15.0, 12.0))],
    "Circuit.mechanisms": Change("circuit.mechanisms", {"AMPA": {"tau_ms": 6.0, "sign": 1}}),
    "Circuit.connections": Change("circuit.connections", []),
    "Circuit.gains": Change("circuit.gains", {"E->PV": 1.5}),
    "Area.name": [Change("circuit.areas.1.name", "MT", seen="neurons"),
                  Change("circuit.areas.1.name", "MT", SEEN_BY_EEG)],
    "Area.position_mm": Change("circuit.areas.1.position_mm", [-40.0, -20.0, 80.0], SEEN_BY_EEG),
    "Area.normal": Change("circuit.areas.1.normal", [0.0, -1.0, 0.5], SEEN_BY_EEG),
    "Layer.name": Change("circuit.layers.0.name", "ours", based(circuit__layers=NAMED), "neurons"),
    "Layer.top": Change("circuit.layers.0.top", 0.2, put(BY_DISTANCE, "circuit.layers", NAMED)),
    "Layer.bottom": Change("circuit.layers.0.bottom", 0.2, put(BY_DISTANCE, "circuit.layers", NAMED)),
    "Geometry.thickness_mm": Change("circuit.geometry.thickness_mm", 2.5, BY_DISTANCE),
    "Geometry.radius_mm": Change("circuit.geometry.radius_mm", 0.1, BY_DISTANCE),
    "Cells.mix": Change("circuit.cells.mix", {"E": 0.8, "PV": 0.2}),
    "Cells.n": Change("circuit.cells.n", 24),
    "Cells.unit": Change("circuit.cells.unit", "fraction",
                         based(circuit__cells={"mix": {"E": 1}}, circuit__connections=[])),
    "Connection.source": Change("circuit.connections.0.source", {"area": "V1", "cell_type": "E"}),
    "Connection.target": Change("circuit.connections.0.target", "E"),
    "Connection.mechanism": Change("circuit.connections.0.mechanism", "NMDA"),
    "Connection.rule": Change("circuit.connections.0.rule", "AllToAll"),
    "Connection.weight": Change("circuit.connections.0.weight", 90.0),
    "Connection.delay_ms": Change("circuit.connections.0.delay_ms", 2.0),
    "Connection.weight_decay": Change("circuit.connections.0.weight_decay", {"length_mm": 0.3}, NEAR),
    **at("circuit.connections.0.weight_decay", "WeightDecay",
         put(NEAR, "circuit.connections.0.weight_decay", {"length_mm": 0.3}),
         length_mm=0.1, profile="GaussianDecay", lateral=True),
    "Run.seed": Change("run.seed", 4),
    "Run.dtype": Change("run.dtype", "float64"),
    "Run.duration_ms": Change("run.duration_ms", 50.0),
    "Run.dt_ms": Change("run.dt_ms", 0.05),
    "Task.n_trials": Change("task.n_trials", 2),
    "Task.conditions": [Change("task.conditions", ["one"], stimulated(PULSE), "events"),
                        Change("task.conditions", ["one"], seen="coords")],
    "Task.stimuli": Change("task.stimuli", [{"target": "E", "drive": PULSE}]),
    "Stimulus.target": Change("task.stimuli.0.target", "PV", stimulated(PULSE)),
    "Stimulus.drive": Change("task.stimuli.0.drive", TRACE, stimulated(PULSE)),
    "Stimulus.label": Change("task.stimuli.0.label", "flash", stimulated(PULSE), "events"),
    "Stimulus.event": Change("task.stimuli.0.event", False, stimulated(PULSE), "events"),
    "Stimulus.code": Change("task.stimuli.0.code", 7, stimulated(PULSE), "events"),
    "Stimulus.at": Change("task.stimuli.0.at", {"onsets_ms": [3.0, 20.0]}, stimulated(PULSE)),
    "Schedule.onsets_ms": Change("task.stimuli.0.at.onsets_ms", [3.0, 21.0], SCHEDULED),
    "Schedule.trials": Change("task.stimuli.0.at.trials", [1, 0], SCHEDULED),
    "Training.trainables": Change("training.trainables", [GAIN], seen="config"),
    **{f"Trainable.{field}": Change(f"training.trainables.0.{field}", value, TUNED, "config")
       for field, value in {"path": "cells.PV.drive", "bounds": (1.0, 16.0), "transform": "Log"}.items()},
    "Linear.kind": Change("training.trainables.0.transform", "Linear", TUNED_BY_FACTORS, "config"),
    "Log.kind": Change("training.trainables.0.transform", "Log", TUNED, "config"),
    "Readouts.probes": Change("readouts.probes", ["spk", "source"]),
    "Readouts.source": [Change("readouts.source", "synaptic_current", probed(kind=name)) for name in ("source", "lfp")],
    **_maps(),
    **_selectors(), **_emitters(), **_rules(), **_drives(), **_probes(), **_sources(),
    **_synapses(),
    **_plasticities(),
    **_objectives(),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def forwards():
    """Two solutions with sources near the areas of BASE."""
    areas = Config(**BASE).circuit.areas
    FORWARDS.mkdir(exist_ok=True)
    for name, away_mm in (("one", 0.5), ("other", 1.0)):
        places_mm = np.array([each.position_mm for each in areas]) + away_mm
        solution = heads.forward(heads.eeg_info(), places_mm)
        mne.write_forward_solution(
            FORWARDS / f"{name}-fwd.fif", solution, overwrite=True, verbose="error"
        )
    yield
    shutil.rmtree(FORWARDS)


@pytest.fixture(scope="module", autouse=True)
def quick_compilation():
    """Many small programs, each run once: compile them quickly, and leave none of them to other
    tests.
    """
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()


def classes_of(hint, found):
    """All declarations that a type mentions, however deep."""
    if isinstance(hint, type) and issubclass(hint, pydantic.BaseModel) and hint not in found:
        found.append(hint)
        for field in hint.model_fields.values():
            classes_of(
                typing.Annotated[(field.annotation, *field.metadata)]
                if field.metadata
                else field.annotation,
                found,
            )
    if isinstance(hint, Declared):
        found.extend(cls for cls in hint.catalogue.values() if cls not in found)
    if isinstance(hint, ReadoutField):
        for cls in hint.catalogue.classes:
            classes_of(cls, found)
    for inner in (*typing.get_args(hint), *getattr(hint, "__metadata__", ())):
        classes_of(inner, found)
    return found


def declared_fields():
    """Class.field of everything that a Config can hold."""
    names = []
    for cls in classes_of(Config, []):
        fields = (
            cls.model_fields if issubclass(cls, pydantic.BaseModel) else dataclasses.fields(cls)
        )
        names += [f"{cls.__name__}.{getattr(field, 'name', field)}" for field in fields]
    return names


def test_the_table_holds_every_field():
    known = declared_fields()
    assert len(known) > 120 and {
        "LIF.t_ref_ms",
        "Uniform.low",
        "MEGProxy.sensors",
        "Trace.values",
    } <= set(known)
    assert sorted(set(known) - set(FIELDS)) == [], "fields without a row in FIELDS"
    assert sorted(set(FIELDS) - set(known)) == [], "rows for fields that are gone"


@pytest.mark.parametrize("field", FIELDS)
def test_field_has_an_effect(field):
    rows = FIELDS[field] if isinstance(FIELDS[field], list) else [FIELDS[field]]
    for row in rows:
        before = result(Config(**row.base))
        try:
            after = result(Config(**put(row.base, row.path, row.value)))
        except jtfne.JtfneError:
            assert field in REFUSED, f"{field}: {row.path} refused"
            continue
        assert field not in REFUSED and before[row.seen] != after[row.seen], (
            f"{row.path}={row.value!r} changes nothing"
        )


REFUSED = {
    *(
        f"{kind}.sign" for kind in ("Exponential", "Alpha", "BiExponential", "Delta")
    ),  # a positive weight that is to inhibit
    "Curve.units",  # volts beside a proxy
    "Forward.within_mm",  # a source that is then too far away
}


NET = Config(**based(circuit__mechanisms=GATED["circuit"]["mechanisms"]))
OPENED = {"weight_pA": None, "weight_nS": 3.0, "mechanism": "g"}
JUMPED = {"weight_pA": None, "weight_mV": 3.0, "mechanism": "d"}
ARGUMENTS = {
    "constant_dc": {"target": ("PV", "E"), "amplitude": (4.0, 5.0), "start_ms": (5.0, 9.0)},
    "pulse": {"target": ("PV", "E"), "start_ms": (5.0, 9.0), "duration_ms": (5.0, 8.0), "amplitude": (4.0, 5.0)},
    "pulse_train": {"target": ("PV", "E"), "start_ms": (5.0, 9.0), "duration_ms": (2.0, 3.0), "period_ms": (6.0, 7.0),
                    "count": (3, 4), "amplitude": (4.0, 5.0)},
    "poisson": {"target": ("PV", "E"), "rate_Hz": (900.0, 500.0), "weight_pA": (60.0, 40.0),
                "weight_nS": (None, OPENED), "weight_mV": (None, JUMPED),
                "mechanism": ("AMPA", "NMDA"), "start_ms": (5.0, 9.0), "stop_ms": (30.0, 20.0),
                "shared": (False, True)},
    "ramp": {"target": ("PV", "E"), "start_ms": (5.0, 9.0), "duration_ms": (20.0, 9.0), "amplitude": (9.0, 5.0),
             "begin": (0.0, 0.5), "end": (1.0, 0.5)},
    "sine": {"target": ("PV", "E"), "amplitude": (6.0, 5.0), "frequency_Hz": (50.0, 60.0), "phase_rad": (0.0, 1.0),
             "start_ms": (5.0, 9.0), "stop_ms": (30.0, 20.0)},
    "chirp": {"target": ("PV", "E"), "amplitude": (6.0, 5.0), "duration_ms": (25.0, 20.0), "first_Hz": (20.0, 30.0),
              "last_Hz": (90.0, 60.0), "phase_rad": (0.0, 1.0), "start_ms": (5.0, 9.0)},
    "ornstein_uhlenbeck": {"target": ("PV", "E"), "sd": (8.0, 5.0), "tau_ms": (4.0, 9.0), "mean": (0.0, 3.0),
                           "start_ms": (5.0, 9.0), "stop_ms": (30.0, 20.0), "shared": (False, True),
                           "stream": (None, "mine")},
    "spike_times": {"times_ms": ([5.0, 9.0, 9.0], [5.0, 9.0, 12.0]), "cells": (None, [7, 8, 9]),
                    "target": ("PV", "E"), "weight_pA": (900.0, 600.0), "weight_nS": (None, OPENED),
                    "weight_mV": (None, JUMPED),
                    "mechanism": ("AMPA", "NMDA")},
    "evoked": {"target": ("PV", "E"), "mean_ms": (12.0, 15.0), "sd_ms": (3.0, 1.0), "n_spikes": (3, 1),
               "weight_pA": (600.0, 500.0), "weight_nS": (None, OPENED), "weight_mV": (None, JUMPED),
               "mechanism": ("AMPA", "NMDA"), "synchronous": (False, True), "stream": (None, "mine")},
    "rhythmic": {"target": ("PV", "E"), "start_ms": (5.0, 9.0), "stop_ms": (30.0, 20.0), "rate_Hz": (100.0, 150.0),
                 "sd_ms": (1.0, 2.0), "n_spikes": (2, 1), "isi_ms": (2.0, 1.0), "n_afferents": (1, 2),
                 "weight_pA": (600.0, 500.0), "weight_nS": (None, OPENED), "weight_mV": (None, JUMPED),
                 "mechanism": ("AMPA", "NMDA"), "synchronous": (False, True), "stream": (None, "mine")},
    "from_array": {"values": ((1.0, 3.0, 2.0), (1.0, 2.0, 2.0)), "dt_ms": (2.0, 3.0), "target": ("PV", "E"),
                   "amplitude": (1.0, 2.0), "start_ms": (5.0, 9.0)},
    "from_dataarray": {"recorded": ((1.0, 3.0, 2.0), (1.0, 2.0, 2.0)), "target": ("PV", "E"), "amplitude": (1.0, 2.0),
                       "start_ms": (5.0, 9.0)},
}  # fmt: skip
ITEMS = {name: jtfne.Paradigm.pulse(target="E", start_ms=0.0, duration_ms=4.0, amplitude=each)
         for name, each in (("A", 4.0), ("B", 9.0))}  # fmt: skip
OTHERS = {"A": ITEMS["B"], "B": ITEMS["A"]}
TIMING, LATER = (
    jtfne.paradigm.Timing(soa_ms=8.0, start_ms=each, jitter_ms=1.0) for each in (2.0, 4.0)
)
TASKS = {
    "sequence": {"items": (ITEMS, OTHERS), "order": ("AB", "ABA"), "timing": (TIMING, LATER), "n_trials": (1, 2),
                 "seed": (0, 1)},
    "oddball": {"items": (ITEMS, OTHERS), "mix": ({"A": 3, "B": 1}, {"A": 2, "B": 1}), "timing": (TIMING, LATER),
                "n": (None, {"n": 4, "mix": {"A": 0.5, "B": 0.5}, "apart": 0}),
                "apart": (1, {"apart": 0, "mix": {"A": 1, "B": 3}}), "n_trials": (1, 2), "seed": (0, 1)},
    "omission": {"items": (ITEMS, OTHERS), "order": ("AB", "ABB"), "timing": (TIMING, LATER), "omit": ("B", "A"),
                 "n_trials": (2, 3), "n_omitted": (1, 2), "seed": (0, 2)},
    "by_condition": {"paradigms": (ITEMS, OTHERS), "order": (None, {"order": "BAA", "counts": None}),
                     "counts": ({"A": 2, "B": 2}, {"A": 4, "B": 2}), "block": (1, 2), "seed": (0, 1)},
}  # fmt: skip
LISTED = ("order",)
CASES = [
    (name, argument) for name, arguments in ARGUMENTS.items() for argument in (*arguments, "label")
]


def constructors():
    """The public class methods that make a Paradigm."""
    rooms = [
        vars(cls) for cls in jtfne.Paradigm.__mro__ if cls.__module__.startswith("jtfne.paradigm")
    ]
    return [
        name
        for room in rooms
        for name, each in room.items()
        if isinstance(each, classmethod) and name[0] != "_"
    ]


def test_the_table_holds_every_argument():
    given = {
        name: set(TASKS[name]) if name in TASKS else {*ARGUMENTS.get(name, ()), "label"}
        for name in constructors()
    }
    assert given == {
        name: set(inspect.signature(getattr(jtfne.Paradigm, name)).parameters)
        for name in constructors()
    }


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_argument_of_a_paradigm_has_an_effect(name, argument):
    first = {key: pair[0] for key, pair in ARGUMENTS[name].items()}
    new = "other" if argument == "label" else ARGUMENTS[name][argument][1]
    # a dict where others must change with it
    changed = new if isinstance(new, dict) else {argument: new}
    before, after = (result(NET, made(name, each)) for each in (first, {**first, **changed}))
    seen = "events" if argument == "label" else "values"
    assert before[seen] != after[seen], f"Paradigm.{name}({argument}=...) changes nothing"
    if argument in ("start_ms", "duration_ms", "stop_ms", "period_ms", "count"):
        assert before["events"] != after["events"]


@pytest.mark.parametrize(
    ("name", "argument"), [(name, each) for name, given in TASKS.items() for each in given]
)
def test_argument_of_a_task_has_an_effect(name, argument):
    first = {key: pair[0] for key, pair in TASKS[name].items()}
    new = TASKS[name][argument][1]
    changed = (
        new if isinstance(new, dict) and argument in ("n", "apart", "order") else {argument: new}
    )
    before, after = (result(NET, made(name, each)) for each in (first, {**first, **changed}))
    seen = "values" if argument in ("items", "paradigms") else "events"
    assert before[seen] != after[seen], f"Paradigm.{name}({argument}=...) changes nothing"


def made(name, given):
    given = {key: list(each) if key in LISTED and each else each for key, each in given.items()}
    if name == "from_dataarray":
        values = np.array(given["recorded"])
        given = {
            **given,
            "recorded": xr.DataArray(values, {"time": 2.0 * np.arange(values.size)}, ("time",)),
        }
    return getattr(jtfne.Paradigm, name)(**given)


@pytest.mark.parametrize(
    "how", [{"seed": 9}, {"duration_ms": 30.0}, {"dt_ms": 0.05}, {"trials": 2}]
)
def test_argument_of_simulate_has_an_effect(how):
    assert result(NET)["values"] != result(NET, **how)["values"]
