"""Every refusal of Config is one clear message: what was given, what was expected, the nearest match,
and where.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jtfne
from jtfne.config import (
    CSD,
    EEG,
    LFP,
    MEG,
    Above,
    AllToAll,
    Area,
    AtDepth,
    Config,
    Curve,
    DistanceDecay,
    EEGProxy,
    FixedProbability,
    FromDistance,
    FromTable,
    Gate,
    LFPProxy,
    LogNormal,
    Metric,
    Normal,
    Selector,
    SourceMap,
    SpectrolaminarProxy,
    Uniform,
    Voltage,
)
from jtfne.delivery import Event
from jtfne.emitters import LIF, AdEx, Izhikevich2007, PoissonSource, SpikeSource
from jtfne.measures import (
    CV,
    BandPower,
    CSDProfile,
    EvokedWaveform,
    FanoFactor,
    MeanRate,
    PowerSpectrum,
)
from jtfne.paradigm import Timing
from jtfne.stimuli import (
    Constant,
    Evoked,
    OrnsteinUhlenbeck,
    Poisson,
    Pulse,
    PulseTrain,
    Rhythmic,
    Sine,
    SpikeTimes,
    Trace,
)
from jtfne.surrogates import SuperSpike, Triangular
from jtfne.synapses import CONDUCTANCES, NMDA, Alpha, BiExponential, PairSTDP, ShortTerm

BASE = (
    Config()
    .runtime(duration_ms=100.0)
    .areas(["V1", "V4"])
    .layers(["L2/3", "L4"])
    .cells({"L2/3": {"E": 8, "PV": 2}, "L4": {"E": 10}})
)
NAN, INF = math.nan, math.inf


def edge(**changed: Any) -> Config:
    """BASE with one connection."""
    given = {
        "source": "E",
        "target": "PV",
        "mechanism": "AMPA",
        "rule": AllToAll(),
        "weight": 1.0,
        **changed,
    }
    return BASE.connections([{name: each for name, each in given.items() if each is not None}])


def stimulus(drive: Any, **target: Any) -> Config:
    """BASE with one stimulus."""
    return BASE.stimuli([{"target": target, "drive": drive}])


def opened(**changed: Any) -> Config:
    """BASE with a conductance."""
    return BASE.mechanisms(
        {"g": {"kind": "Conductance", "tau_ms": 5.0, "e_rev_mV": 0.0, **changed}}
    )


TONES = {
    name: jtfne.Paradigm.pulse(target="E", start_ms=0.0, duration_ms=each, amplitude=1.0)
    for name, each in (("tone", 5.0), ("click", 20.0))
}
ENDLESS = {"tone": jtfne.Paradigm.constant_dc(target="E", amplitude=1.0)}
EVERY_10 = Timing(soa_ms=10.0)


def sequence(
    order: Any, timing: Timing = EVERY_10, items: Any = TONES, **given: Any
) -> jtfne.Paradigm:
    """A sequence of tones."""
    return jtfne.Paradigm.sequence(items, order, timing=timing, **given)


def oddball(mix: Any, **given: Any) -> jtfne.Paradigm:
    """An oddball of tones and clicks, 30 ms apart."""
    return jtfne.Paradigm.oddball(TONES, mix, **{"timing": Timing(soa_ms=30.0), **given})


def omission(**given: Any) -> jtfne.Paradigm:
    """A sequence of two tones, of which one is left out in half of two trials."""
    given = {"order": ["tone", "tone"], "omit": "tone", "n_trials": 2, "n_omitted": 1, **given}
    return jtfne.Paradigm.omission(TONES, timing=EVERY_10, **given)


def task(**fields: Any) -> Config:
    """BASE with a task."""
    return Config(
        **{**{name: getattr(BASE, name) for name in BASE.model_fields_set}, "task": fields}
    )


def on(**fields: Any) -> Config:
    """BASE with one pulse of which more is said."""
    return BASE.stimuli(
        [{"target": "E", "drive": Pulse(start_ms=0, duration_ms=2, amplitude=1), **fields}]
    )


def seen(*probes: Any, areas: Any = ("V1", "V4"), **source: Any) -> Any:
    """BASE with physical probes, checked: what a run would refuse is refused before any circuit is
    built.
    """
    return BASE.areas(list(areas)).source(**source).probes(list(probes)).check()


def loop(**fields: Any) -> SourceMap:
    """A source map."""
    return SourceMap(**{"enters": "AtSoma", "returns": "AtSoma", **fields})


def aim(measure: Any = "MeanRate", target: Any = 1.0, **fields: Any) -> Config:
    """BASE with one metric, spikes and two fields recorded."""
    probes = BASE.probes(["spk", "lfp_proxy", "eeg_proxy"])
    return probes.objective([{"measure": measure, "target": target, **fields}])


def curve(**fields: Any) -> Curve:
    """A waveform of three points."""
    given = {"values": [1.0, 2.0, 3.0], "dims": ["time"], "coords": {"time": [0.0, 1.0, 2.0]}}
    return Curve(**{**given, **fields})


IN_METRIC = "Config.training.objective.metrics[0]"
RECORDED = {"readout": "lfp_proxy", "cells": {"area": "V1"}}
OPENS = {"source": "E", "target": "PV", "mechanism": "g", "rule": "AllToAll"}

# (what is tried, what the message must say, in this order)
CASES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    # times
    "duration zero": (
        lambda: BASE.runtime(duration_ms=0),
        ("duration_ms=0", "above 0", "Config.run.duration_ms"),
    ),
    "duration negative": (
        lambda: BASE.runtime(duration_ms=-1.0),
        ("duration_ms=-1.0", "above 0", "Config.run"),
    ),
    "duration nan": (
        lambda: BASE.runtime(duration_ms=NAN),
        ("duration_ms=nan", "finite", "Config.run.duration_ms"),
    ),
    "duration inf": (
        lambda: BASE.runtime(duration_ms=INF),
        ("duration_ms=inf", "finite", "Config.run.duration_ms"),
    ),
    "dt nan": (lambda: BASE.runtime(dt_ms=NAN), ("dt_ms=nan", "finite", "Config.run.dt_ms")),
    "dt zero": (lambda: BASE.runtime(dt_ms=0.0), ("dt_ms=0.0", "above 0", "Config.run.dt_ms")),
    "dt does not divide": (
        lambda: BASE.runtime(dt_ms=0.3),
        ("dt_ms=0.3", "divides the duration", "Config.run"),
    ),
    "dt longer than the run": (
        lambda: BASE.runtime(dt_ms=200.0),
        ("dt_ms=200", "divides the duration", "Config.run"),
    ),
    "time as text": (
        lambda: BASE.runtime(dt_ms="0.1"),
        ("dt_ms='0.1'", "a number", "Config.run.dt_ms"),
    ),
    "time as bool": (
        lambda: BASE.runtime(dt_ms=True),
        ("dt_ms=True", "a number", "Config.run.dt_ms"),
    ),
    "gain of an unknown pair": (
        lambda: edge().connections(gains={"E->VP": 1.2}),
        ("unknown gain 'E->VP'", "'E->PV'", "nearest: 'E->PV'", "Config.circuit.gains"),
    ),
    "gain of a pair without a connection": (
        lambda: edge().connections(gains={"PV->E": 1.2}),
        ("unknown gain 'PV->E'", "'E->PV'", "Config.circuit.gains"),
    ),
    "gain negative": (
        lambda: edge().connections(gains={"E->PV": -1.0}),
        ("E->PV=-1.0", "at least 0", "Config.circuit.gains"),
    ),
    "gain above 1 of synapses that learn": (
        lambda: edge(plasticity=PairSTDP(w_max=2.0, a_plus=0.01, a_minus=0.01)).connections(
            gains={"E->PV": 1.5}
        ),
        ("E->PV=1.5", "w_max", "at most 1", "Config.circuit.gains"),
    ),
    "delay below dt": (
        lambda: edge(delay_ms=0.05),
        ("delay_ms=0.05", "dt_ms=0.1", "connections[0]"),
    ),
    "delay zero": (lambda: edge(delay_ms=0.0), ("delay_ms=0", "dt_ms=0.1", "connections[0]")),
    "delay nan": (
        lambda: edge(delay_ms=NAN),
        ("delay_ms=nan", "finite", "connections[0].delay_ms"),
    ),
    "delay without low": (
        lambda: edge(delay_ms=Normal(mean=1.5, sd=0.75)),
        ("Normal delay without low", "dt_ms=0.1", "connections[0].delay_ms"),
    ),
    "delay with low below dt": (
        lambda: edge(delay_ms=LogNormal(mean=1.5, sd=0.75, low=0.01)),
        ("delay_ms=0.01", "dt_ms=0.1", "connections[0]"),
    ),
    "uniform delay below dt": (
        lambda: edge(delay_ms=Uniform(low=0.05, high=2)),
        ("delay_ms=0.05", "dt_ms=0.1", "connections[0]"),
    ),
    "delay by distance at a snail's pace": (
        lambda: edge(delay_ms=FromDistance(velocity_m_s=1e-12, offset_ms=1.0)),
        (
            "a delay of up to",
            "velocity_m_s=1e-12",
            "at most 16777216 steps",
            "connections[0].delay_ms",
        ),
    ),
    "distribution beyond float32": (
        lambda: edge(weight=LogNormal(mean=1.0, sd=1e300)),
        ("sd=1e+300", "at most 1e+30", "LogNormal.sd"),
    ),
    "drive beyond float32": (
        lambda: BASE.cell_params({"E": {"drive": 1e300}}),
        ("drive=1e+300", "at most 1e+30", "cell_params.E.drive"),
    ),
    "length that is next to none": (
        lambda: LFPProxy(kernel_mm=1e-300),
        ("1e-300", "at least 1e-30", "LFPProxy.kernel_mm"),
    ),
    "scale that makes a score infinite": (
        lambda: Metric(measure=CV(), target=1.0, scale=1e-300),
        ("1e-300", "at least 1e-30", "Metric.scale"),
    ),
    "time constant next to none": (
        lambda: BASE.emitters({"E": {"kind": "LIF", "tau_m_ms": 1e-300}}),
        ("1e-300", "at least 1e-30", "tau_m_ms"),
    ),
    "code beyond 32 bits": (
        lambda: on(code=2**31, label="x"),
        ("code=2147483648", "at most", "stimuli[0].code"),
    ),
    "text added to a paradigm": (
        lambda: TONES["tone"] + "x",
        ("'x'", "a Paradigm", "Paradigm + Paradigm"),
    ),
    "array added to a paradigm": (
        lambda: TONES["tone"] + np.array([]),
        ("an array of shape (0,)", "a Paradigm", "Paradigm + Paradigm"),
    ),
    "blocks beside an order": (
        lambda: jtfne.Paradigm.by_condition(TONES, order=["tone"], block=3),
        ("block=3 beside order", "counts", "Paradigm.by_condition"),
    ),
    "delay by distance without offset": (
        lambda: edge(target="E", delay_ms={"kind": "FromDistance", "velocity_m_s": 0.3}),
        ("offset_ms=0 within 'V1'", "at least one step, dt_ms=0.1", "connections[0].delay_ms"),
    ),
    "delay between areas below dt": (
        lambda: edge(
            source={"area": "V1"},
            target={"area": "V4"},
            delay_ms=FromDistance(velocity_m_s=1000.0),
        ),
        (
            "a delay of 0.02",
            "'V1' and 'V4'",
            "at least one step, dt_ms=0.1",
            "connections[0].delay_ms",
        ),
    ),
    "delay from an area without place": (
        lambda: edge(target="E", delay_ms=FromDistance(velocity_m_s=1.0, offset_ms=1.0)).areas(
            ["V1", "X"]
        ),
        ("between 'V1' and 'X'", "without position_mm of 'X'", "connections[0].delay_ms"),
    ),
    "velocity": (
        lambda: FromDistance(velocity_m_s=0.0),
        ("velocity_m_s=0", "above 0", "FromDistance.velocity_m_s"),
    ),
    "negative offset": (
        lambda: FromDistance(velocity_m_s=1.0, offset_ms=-0.1),
        ("offset_ms=-0.1", "at least 0", "FromDistance.offset_ms"),
    ),
    "weight by distance": (
        lambda: edge(weight=FromDistance(velocity_m_s=1.0)),
        ("FromDistance", "'Normal'", "connections[0].weight"),
    ),
    "profile": (
        lambda: DistanceDecay(p0=0.5, length_mm=0.1, profile="Gauss"),
        (
            "unknown kind 'Gauss'",
            "'ExponentialDecay', 'GaussianDecay'",
            "nearest: 'GaussianDecay'",
            "DistanceDecay.profile",
        ),
    ),
    "weights that fall, and are listed": (
        lambda: edge(
            rule=FromTable(source=(0,), target=(8,), weight=(5.0,)), weight_decay={"length_mm": 0.1}
        ),
        ("weight_decay with a table that has weights", "one of the two", "connections[0]"),
    ),
    "weights that fall over no length": (
        lambda: edge(weight_decay={"length_mm": 0.0}),
        ("length_mm=0.0", "above 0", "weight_decay.length_mm"),
    ),
    "length": (
        lambda: DistanceDecay(p0=0.5, length_mm=0),
        ("length_mm=0", "above 0", "DistanceDecay.length_mm"),
    ),
    "table delay below dt": (
        lambda: edge(rule=FromTable(source=(0,), target=(8,), delay_ms=(0.01,))),
        ("delay_ms=0.01", "dt_ms=0.1", "connections[0]"),
    ),
    "dt above a delay, later": (
        lambda: edge(delay_ms=0.5).runtime(dt_ms=1.0),
        ("delay_ms=0.5", "dt_ms=1", "connections[0]"),
    ),
    "interval off the grid": (
        lambda: BASE.probes([LFPProxy(interval_ms=0.25)]),
        ("interval_ms=0.25", "a multiple of dt_ms=0.1", "probes[0]"),
    ),
    "interval beyond the run": (
        lambda: BASE.probes([LFPProxy(interval_ms=200)]),
        ("interval_ms=200", "at most the run, 100 ms", "probes[0]"),
    ),
    "interval negative": (
        lambda: BASE.probes([{"kind": "vm", "interval_ms": -1}]),
        ("interval_ms=-1", "above 0", "probes[0]"),
    ),
    # the seed
    "seed negative": (lambda: BASE.runtime(seed=-1), ("seed=-1", "at least 0", "Config.run.seed")),
    "seed too large": (
        lambda: BASE.runtime(seed=2**32),
        ("seed=4294967296", "at most", "Config.run.seed"),
    ),
    "seed not whole": (
        lambda: BASE.runtime(seed=1.5),
        ("seed=1.5", "a whole number", "Config.run.seed"),
    ),
    "dtype": (
        lambda: BASE.runtime(dtype="float16"),
        ("unknown dtype 'float16'", "'float32', 'float64'", "nearest", "Config.run"),
    ),
    # keys, names, probes
    "schema_version": (
        lambda: Config(schema_version="0.4.0"),
        ("unknown schema_version '0.4.0'", "'0.1.0', '0.3.28'", "nearest", "Config"),
    ),
    "key of Config": (
        lambda: Config(circiut={}),
        ("unknown key 'circiut'", "'circuit'", "nearest: 'circuit'", "Config"),
    ),
    "key within": (
        lambda: Config(run={"seeed": 1}),
        ("unknown key 'seeed'", "'seed'", "nearest: 'seed'", "Config.run"),
    ),
    "key of an area": (
        lambda: BASE.areas([{"name": "V1", "positon_mm": (0, 0, 1)}]),
        ("unknown key 'positon_mm'", "nearest: 'position_mm'", "Config.circuit.areas[0]"),
    ),
    "key of an emitter": (
        lambda: BASE.emitters({"E": {"kind": "LIF", "tau_ms": 10}}),
        ("unknown key 'tau_ms'", "'tau_m_ms'", "nearest: 'tau_m_ms'", "emitters.E"),
    ),
    "probe": (
        lambda: BASE.probes(["spk", "lpf_proxy"]),
        (
            "unknown probe 'lpf_proxy'",
            "'spk', 'vm'",
            "nearest: 'lfp_proxy'",
            "Config.readouts.probes[1]",
        ),
    ),
    "probe without kind": (
        lambda: BASE.probes([{"interval_ms": 1}]),
        ("a probe without kind", "'spk'", "probes[0]"),
    ),
    "probe of another sort": (lambda: BASE.probes([3]), ("3", "probes[0]")),
    "source mode": (
        lambda: BASE.source("input_curent"),
        (
            "unknown kind 'input_curent'",
            "'input_current'",
            "nearest: 'input_current'",
            "Config.readouts.source",
        ),
    ),
    "layer": (
        lambda: BASE.layers(["L23"]),
        ("'L23'", "'L2/3'", "nearest: 'L2/3'", "Config.circuit.layers[0]"),
    ),
    "layer of a mix": (
        lambda: BASE.cells({"L5": {"E": 1.0}}),
        ("unknown layer 'L5'", "'L2/3', 'L4'", "nearest", "Config.circuit.cells.mix"),
    ),
    "area of a mix": (
        lambda: BASE.cells({"V2": {"L4": {"E": 1.0}}}),
        ("unknown area 'V2'", "'V1', 'V4'", "nearest", "Config.circuit.cells.mix"),
    ),
    "area of a selector": (
        lambda: edge(source={"area": "V2"}),
        ("unknown area 'V2'", "'V1', 'V4'", "nearest", "connections[0].source"),
    ),
    "layer of a selector": (
        lambda: edge(target={"layer": "L23"}),
        ("unknown layer 'L23'", "'L2/3', 'L4'", "nearest: 'L2/3'", "connections[0].target"),
    ),
    "type of a selector": (
        lambda: edge(source="SST"),
        ("unknown cell_type 'SST'", "'E', 'PV'", "connections[0].source"),
    ),
    "key of a selector": (
        lambda: edge(source={"celltype": "E"}),
        ("unknown key 'celltype'", "nearest: 'cell_type'", "connections[0].source"),
    ),
    "type of a stimulus": (
        lambda: stimulus(Constant(amplitude=1), cell_type="Ex"),
        ("unknown cell_type 'Ex'", "'E', 'PV'", "nearest: 'E'", "Config.task.stimuli[0].target"),
    ),
    "kind of a stimulus": (
        lambda: stimulus({"kind": "Pulss", "amplitude": 1}),
        ("unknown kind 'Pulss'", "'Pulse'", "nearest: 'Pulse'", "stimuli[0].drive"),
    ),
    "type of a probe": (
        lambda: BASE.probes([Voltage(cells=Selector(cell_type="VIP"))]),
        ("unknown cell_type 'VIP'", "'E', 'PV'", "probes[0].cells"),
    ),
    "mechanism": (
        lambda: edge(mechanism="AMPAR"),
        ("unknown mechanism 'AMPAR'", "'AMPA'", "nearest: 'AMPA'", "connections[0]"),
    ),
    "mechanism of a stimulus": (
        lambda: stimulus(Poisson(rate_Hz=1, weight_pA=1, mechanism="GABA")),
        ("unknown mechanism 'GABA'", "'GABA_A'", "nearest: 'GABA_", "stimuli[0]"),
    ),
    "kind of a rule": (
        lambda: edge(rule={"kind": "FixedProbabilty", "p": 0.1}),
        ("unknown kind 'FixedProbabilty'", "nearest: 'FixedProbability'", "connections[0].rule"),
    ),
    "kind of a distribution": (
        lambda: edge(weight={"kind": "Gauss", "mean": 1, "sd": 1}),
        ("unknown kind 'Gauss'", "'Normal'", "connections[0].weight"),
    ),
    "weight as text": (
        lambda: edge(weight="1"),
        ("weight='1'", "a number", "connections[0].weight"),
    ),
    "kind of an emitter": (
        lambda: BASE.emitters({"E": {"kind": "Izhikevich"}}),
        ("unknown kind 'Izhikevich'", "'Izhikevich2003'", "nearest: 'Izhikevich200", "emitters.E"),
    ),
    "emitter without kind": (
        lambda: BASE.emitters({"E": {}}),
        ("without 'kind'", "'LIF'", "emitters.E"),
    ),
    "emitter of another sort": (lambda: BASE.emitters({"E": 3}), ("a int", "LIF", "emitters.E")),
    "emitter for no cells": (
        lambda: BASE.emitters({"SST": LIF()}),
        ("unknown cell type 'SST'", "'E', 'PV'", "Config.circuit.emitters"),
    ),
    "type without emitter": (
        lambda: BASE.cells({"Ee": 10}).populations(),
        ("'Ee' without emitter", "'E', 'PV', 'SST', 'VIP'", "Config.circuit.cells.mix"),
    ),
    "parameters for no cells": (
        lambda: BASE.cell_params({"SST": {"drive": 1}}),
        ("unknown cell type 'SST'", "'E', 'PV'", "Config.circuit.cell_params"),
    ),
    "parameter": (
        lambda: BASE.cell_params({"E": {"drve": 1}}),
        ("unknown parameter 'drve'", "'drive'", "nearest: 'drive'", "cell_params['E']"),
    ),
    "name of a verb's list": (lambda: BASE.areas("V1"), ("areas='V1'", "a list", "Config.areas")),
    "layer to move": (
        lambda: BASE.geometry(layers={"L5": (0.5, 0.6)}),
        ("unknown layer 'L5'", "'L2/3', 'L4'", "nearest", "Config.geometry"),
    ),
    "blank name": (lambda: BASE.areas([" V1"]), ("' V1'", "no blank", "areas[0].name")),
    "empty name": (lambda: BASE.areas([""]), ("name=''", "not empty", "areas[0].name")),
    # names given twice
    "area twice": (
        lambda: BASE.areas(["V1", "V1"]),
        ("areas='V1', given twice", "once", "Config.circuit"),
    ),
    "layer twice": (
        lambda: BASE.layers(["L4", "L4"]),
        ("layers='L4', given twice", "once", "Config.circuit"),
    ),
    "probe twice": (
        lambda: BASE.probes(["vm", "V_m"]),
        ("probes='vm', given twice", "once", "Config.readouts"),
    ),
    "name twice in a selector": (
        lambda: edge(source={"cell_type": ["E", "E"]}),
        ("cell_type='E', given twice", "once", "connections[0].source"),
    ),
    "id twice": (lambda: edge(source={"ids": [1, 1]}), ("ids", "once", "connections[0].source")),
    # cells
    "fractions": (
        lambda: BASE.cells({"E": 0.7, "PV": 0.2}),
        ("sum to 0.9", "sum of 1", "Config.circuit.cells"),
    ),
    "fractions of a layer": (
        lambda: BASE.cells({"L2/3": {"E": 1.0}, "L4": {"E": 0.8, "PV": 0.1}}),
        ("0.9 in L4", "sum of 1", "Config.circuit.cells"),
    ),
    "mixed numbers": (
        lambda: BASE.cells({"E": 80, "PV": 0.2}),
        ("whole numbers and fractions", "counts", "cells"),
    ),
    "negative count": (
        lambda: BASE.cells({"E": -1}),
        ("E=-1", "0 to 2147483647", "Config.circuit.cells"),
    ),
    "nan fraction": (
        lambda: BASE.cells({"E": NAN}),
        ("E=nan", "0 to 2147483647", "Config.circuit.cells"),
    ),
    "no cells": (
        lambda: BASE.cells({"E": 0}),
        ("without cells", "at least one", "Config.circuit.cells"),
    ),
    "empty mix": (lambda: BASE.cells({}), ("{}", "fraction or count", "Config.circuit.cells")),
    "types beside layers": (
        lambda: BASE.cells({"E": 0.5, "L4": {"E": 0.5}}),
        ("types beside layers", "expected", "Config.circuit.cells"),
    ),
    "n against counts": (
        lambda: BASE.cells({"E": 80}, n=100),
        ("n=100", "sum to 80", "Config.circuit.cells"),
    ),
    "n zero": (
        lambda: BASE.cells({"E": 1.0}, n=0),
        ("n=0", "at least 1", "Config.circuit.cells.n"),
    ),
    "area without cells": (
        lambda: BASE.cells({"V1": {"L4": {"E": 1.0}}}).populations(),
        ("area 'V4' without cells", "every area", "Config.circuit.cells.mix"),
    ),
    # empty selections
    "no match": (
        lambda: edge(target={"layer": "L4", "cell_type": "PV"}),
        ("layer=('L4',)", "matches no cell", "V1/L2/3/E", "connections[0].target"),
    ),
    "no match for a stimulus": (
        lambda: stimulus(Constant(amplitude=1), layer="L4", cell_type="PV"),
        ("matches no cell", "V1/L2/3/E", "stimuli[0].target"),
    ),
    "no match of ids": (
        lambda: edge(source={"layer": "L4", "ids": [0]}),
        ("ids=(0,)", "matches no cell", "connections[0].source"),
    ),
    "ids out of range": (
        lambda: edge(source={"ids": [40]}),
        ("ids=[40]", "0 .. 39", "connections[0].source"),
    ),
    "negative id": (
        lambda: edge(source={"ids": [-1]}),
        ("-1", "at least 0", "connections[0].source.ids"),
    ),
    "empty list of names": (
        lambda: edge(source={"layer": []}),
        ("layer=[]", "at least 1", "connections[0].source"),
    ),
    # signs
    "negative weight of AMPA": (
        lambda: edge(weight=-1.0),
        ("weight=-1 pA", "positive", "'AMPA'", "connections[0]"),
    ),
    "positive weight of GABA": (
        lambda: edge(source="PV", mechanism="GABA_A"),
        ("weight=1 pA", "negative", "'GABA_A'", "connections[0]"),
    ),
    "sign of a distribution": (
        lambda: edge(weight=LogNormal(mean=-1, sd=1)),
        ("weight=-1 pA", "positive", "'AMPA'", "connections[0]"),
    ),
    "sign of a table": (
        lambda: edge(weight=None, rule=FromTable(source=(0, 1), target=(8, 8), weight=(1.0, -2.0))),
        ("weight=-2 pA", "positive", "connections[0].rule"),
    ),
    "sign of a stimulus": (
        lambda: stimulus(Poisson(rate_Hz=10, weight_pA=-1)),
        ("weight_pA=-1", "'AMPA'", "stimuli[0]"),
    ),
    "no weight": (
        lambda: edge(weight=None),
        ("no weight", "a number or distribution", "connections[0]"),
    ),
    "weight nan": (lambda: edge(weight=NAN), ("weight=nan", "finite", "connections[0].weight")),
    # shapes of rules and distributions
    "probability": (
        lambda: edge(rule=FixedProbability(p=1.5)),
        ("p=1.5", "at most 1", "FixedProbability.p"),
    ),
    "probability in a table": (
        lambda: edge(rule={"kind": "FixedProbability", "p": -0.1}),
        ("p=-0.1", "at least 0", "connections[0].rule.p"),
    ),
    "field of a rule": (
        lambda: edge(rule="FixedIndegree"),
        ("'n' is missing", "connections[0].rule.n"),
    ),
    "indegree zero": (
        lambda: edge(rule={"kind": "FixedIndegree", "n": 0}),
        ("n=0", "at least 1", "connections[0].rule.n"),
    ),
    "bounds of a distribution": (
        lambda: Normal(mean=1, sd=1, low=2, high=1),
        ("low=2, high=1", "low below high", "Normal"),
    ),
    "negative sd": (lambda: Normal(mean=1, sd=-1), ("sd=-1", "at least 0", "Normal.sd")),
    "log-normal around zero": (
        lambda: LogNormal(mean=0, sd=1),
        ("mean=0", "above or below zero", "LogNormal"),
    ),
    "columns of a table": (
        lambda: FromTable(source=(0, 1), target=(1,)),
        ("2 of source, 1 of target", "one length", "FromTable"),
    ),
    "column that is missing": (
        lambda: FromTable.from_table({"src": [0], "target": [1]}),
        ("unknown column 'source'", "'src', 'target'", "FromTable.from_table"),
    ),
    "empty cell of a table": (
        lambda: FromTable.from_table({"source": [0, None], "target": [1, 1]}),
        (
            "source without a value in row 1",
            "whole numbers, one in each row",
            "FromTable.from_table",
        ),
    ),
    "cell of a table in a config": (
        lambda: edge(rule={"kind": "FromTable", "source": [0, -1], "target": [8, 8]}),
        ("source[1]=-1", "whole numbers of at least 0", "connections[0].rule.source"),
    ),
    "unit of a column": (
        lambda: FromTable.from_table({"source": [0], "target": [1], "weight_uS": [1.0]}),
        (
            "unknown column 'weight_uS'",
            "'weight_pA', 'weight_nS'",
            "nearest: 'weight_nS'",
            "FromTable.from_table",
        ),
    ),
    "several connections of a table": (
        lambda: FromTable.from_table(
            {"source": [0, 1], "target": [1, 1], "connection": ["a", "b"]}
        ),
        ("a table of 2 connections", "connection= one of 'a', 'b'", "FromTable.from_table"),
    ),
    "suffix of a table": (
        lambda: FromTable.read("edges.xls"),
        ("unknown suffix '.xls'", "'.csv'", "edges.xls"),
    ),
    # stimuli outside the run
    "starts after the end": (
        lambda: stimulus(Constant(amplitude=1, start_ms=100)),
        ("Constant from 100", "0 to 100 ms", "stimuli[0]"),
    ),
    "ends after the end": (
        lambda: stimulus(Pulse(start_ms=90, duration_ms=20, amplitude=1)),
        ("Pulse from 90 to 110 ms", "0 to 100 ms", "stimuli[0]"),
    ),
    "last pulse after the end": (
        lambda: stimulus(
            PulseTrain(start_ms=10, duration_ms=5, period_ms=30, count=4, amplitude=1)
        ),
        ("PulseTrain from 10 to 105 ms", "0 to 100 ms", "stimuli[0]"),
    ),
    "trace longer than the run": (
        lambda: stimulus(Trace(values=(1.0, 2.0), dt_ms=60)),
        ("Trace from 0 to 120 ms", "0 to 100 ms", "stimuli[0]"),
    ),
    "start before zero": (
        lambda: stimulus(Pulse(start_ms=-1, duration_ms=2, amplitude=1)),
        ("start_ms=-1", "at least 0", "stimuli[0].drive.start_ms"),
    ),
    "run cut short, later": (
        lambda: stimulus(Pulse(start_ms=80, duration_ms=10, amplitude=1)).runtime(duration_ms=50),
        ("Pulse from 80 to 90 ms", "0 to 50 ms", "stimuli[0]"),
    ),
    "pulses that run together": (
        lambda: stimulus(
            PulseTrain(start_ms=0, duration_ms=20, period_ms=10, count=2, amplitude=1)
        ),
        ("duration_ms=20.0", "less than period_ms=10.0", "stimuli[0].drive"),
    ),
    "onset outside the run": (
        lambda: on(at={"onsets_ms": [1.0, 99.0]}),
        ("Pulse from 1 to 101 ms", "0 to 100 ms", "stimuli[0]"),
    ),
    "onset beyond the run": (
        lambda: BASE.stimuli(
            [{"target": "E", "drive": Constant(amplitude=1), "at": {"onsets_ms": [120.0]}}]
        ),
        ("Constant from 120", "0 to 100 ms", "stimuli[0]"),
    ),
    "onset negative": (
        lambda: on(at={"onsets_ms": [-1.0]}),
        ("-1.0", "at least 0", "stimuli[0].at.onsets_ms[0]"),
    ),
    "onset nan": (
        lambda: on(at={"onsets_ms": [NAN]}),
        ("nan", "finite", "stimuli[0].at.onsets_ms[0]"),
    ),
    "no onsets": (
        lambda: on(at={"onsets_ms": []}),
        ("onsets_ms=[]", "at least 1", "stimuli[0].at.onsets_ms"),
    ),
    "onsets without trials": (
        lambda: on(at={"onsets_ms": [1.0, 2.0], "trials": [0]}),
        ("2 onsets_ms and 1 trials", "equally many", "stimuli[0].at"),
    ),
    "key of a schedule": (
        lambda: on(at={"onset_ms": [1.0]}),
        ("unknown key 'onset_ms'", "nearest: 'onsets_ms'", "stimuli[0].at"),
    ),
    "a trial that is not there": (
        lambda: on(at={"onsets_ms": [1.0], "trials": [1]}),
        ("stimuli[0] in trial 1 with n_trials=1", "0 .. 0", "Config.task"),
    ),
    "conditions that are not one a trial": (
        lambda: task(n_trials=3, conditions=["a", "b"]),
        ("2 conditions with n_trials=3", "one for each trial", "Config.task"),
    ),
    "more trials than a float counts": (
        lambda: task(n_trials=10**400),
        ("n_trials=1", "at most 9.0072e+15", "Config.task.n_trials"),
    ),
    "no trials": (lambda: task(n_trials=0), ("n_trials=0", "at least 1", "Config.task.n_trials")),
    "code zero": (lambda: on(code=0), ("code=0", "at least 1", "stimuli[0].code")),
    "two labels of one code": (
        lambda: BASE.stimuli(
            [
                {"target": "E", "drive": {"kind": "Marker"}, "label": each, "code": 3}
                for each in "ab"
            ]
        ),
        ("code=3 of 'a' and of 'b'", "a code for each label", "Config.task"),
    ),
    "two codes of one label": (
        lambda: BASE.stimuli(
            [{"target": "E", "drive": {"kind": "Marker"}, "label": "a", "code": k} for k in (3, 4)]
        ),
        ("label 'a' with codes 3 and 4", "one code", "Config.task"),
    ),
    # tasks
    "unknown item": (
        lambda: sequence(["tone", "clik"]),
        ("unknown item 'clik'", "'tone', 'click'", "nearest: 'click'", "Paradigm.sequence"),
    ),
    "order as text": (lambda: sequence("tone"), ("order='tone'", "a list", "Paradigm")),
    "no items": (lambda: sequence([]), ("without items", "at least one", "Paradigm.sequence")),
    "items that overlap": (
        lambda: sequence(["click", "tone"]),
        ("'click' of 20 ms with the next 10 ms", "Timing(overlap=True)", "Paradigm.sequence"),
    ),
    "items that overlap by jitter": (
        lambda: sequence(["tone"] * 50, Timing(soa_ms=10.0, start_ms=10.0, jitter_ms=4.0)),
        ("'tone' of 5 ms with the next", "Timing(overlap=True)", "Paradigm.sequence"),
    ),
    "an item without end": (
        lambda: sequence(["tone"], items=ENDLESS),
        ("does not end", "an end", "Paradigm.sequence"),
    ),
    "an item of several trials": (
        lambda: sequence(["tone"], items={"tone": TONES["tone"].trials(2)}),
        ("'tone' of 1 stimuli and 2 trials", "of one trial", "Paradigm.sequence"),
    ),
    "jitter negative": (
        lambda: Timing(soa_ms=10.0, jitter_ms=-1.0),
        ("jitter_ms=-1.0", "at least 0", "Timing"),
    ),
    "jitter before the trial": (
        lambda: Timing(soa_ms=10.0, start_ms=2.0, jitter_ms=3.0),
        ("jitter_ms=3", "at most start_ms=2", "Timing"),
    ),
    "jitter beyond the interval": (
        lambda: Timing(soa_ms=10.0, jitter_ms=11.0, cumulative=True),
        ("jitter_ms=11", "at most soa_ms=10", "Timing"),
    ),
    "soa zero": (lambda: Timing(soa_ms=0.0), ("soa_ms=0.0", "above 0", "Timing")),
    "key of a timing": (
        lambda: Timing(soa_ms=1.0, jiter_ms=1.0),
        ("unknown key 'jiter_ms'", "nearest: 'jitter_ms'", "Timing"),
    ),
    "trials of a sequence": (
        lambda: sequence(["tone"], n_trials=0),
        ("n_trials=0", "whole number in [1, inf)"),
    ),
    "probabilities beyond 1": (
        lambda: oddball({"tone": 0.8, "click": 0.3}, n=10),
        ("probabilities that sum to 1.1", "a sum of 1", "Paradigm.oddball"),
    ),
    "probabilities of no number": (
        lambda: oddball({"tone": 0.8, "click": 0.2}),
        ("n of probabilities=None", "whole number in [1,", "Paradigm.oddball"),
    ),
    "counts beside n": (
        lambda: oddball({"tone": 8, "click": 2}, n=9),
        ("n=9 with counts", "sum to 10", "oddball"),
    ),
    "a count below zero": (
        lambda: oddball({"tone": 8, "click": -1}),
        ("click=-1", "a count", "Paradigm.oddball"),
    ),
    "unknown deviant": (
        lambda: oddball({"tone": 8, "klick": 1}),
        ("unknown item 'klick'", "'tone', 'click'", "nearest: 'click'", "Paradigm.oddball"),
    ),
    "deviants that cannot be apart": (
        lambda: oddball({"tone": 2, "click": 3}, apart=2),
        ("3 deviants in 5 items with 2 standards", "7 items or more", "Paradigm.oddball"),
    ),
    "apart below zero": (
        lambda: oddball({"tone": 2, "click": 1}, apart=-1),
        ("apart=-1", "whole number in [0,", "oddball"),
    ),
    "omission of an unknown item": (
        lambda: omission(omit="ton"),
        ("unknown omit 'ton'", "'tone'", "nearest: 'tone'", "Paradigm.omission"),
    ),
    "omission of an item that does not come": (
        lambda: omission(omit="click"),
        ("unknown omit 'click'", "'tone'", "Paradigm.omission"),
    ),
    "more omissions than trials": (
        lambda: omission(n_omitted=3),
        ("n_omitted=3", "whole number in [0, 2]", "Paradigm.omission"),
    ),
    "unknown condition": (
        lambda: jtfne.Paradigm.by_condition(TONES, order=["tone", "clck"]),
        ("unknown condition 'clck'", "nearest: 'click'", "Paradigm.by_condition"),
    ),
    "order beside counts": (
        lambda: jtfne.Paradigm.by_condition(TONES, order=["tone"], counts={"tone": 1}),
        ("order beside counts", "one of the two", "Paradigm.by_condition"),
    ),
    "blocks that do not fill": (
        lambda: jtfne.Paradigm.by_condition(TONES, counts={"tone": 4, "click": 3}, block=2),
        ("3 trials of 'click' in blocks of 2", "whole blocks", "Paradigm.by_condition"),
    ),
    "a condition whose trials differ": (
        lambda: jtfne.Paradigm.by_condition({"a": omission()}, counts={"a": 2}),
        ("whose trials differ", "the same in every trial", "Paradigm.by_condition"),
    ),
    "conditions that differ": (
        lambda: omission() + omission(seed=5, n_omitted=2),
        ("two sets of conditions", "the same", "Paradigm + Paradigm"),
    ),
    "code of an unknown label": (
        lambda: omission().coded({"tone omited": 9}),
        ("unknown label 'tone omited'", "nearest: 'tone omitted'", "Paradigm.coded"),
    ),
    "other trials than the task's": (
        lambda: jtfne.construct(BASE).simulate(omission(), trials=3),
        ("trials=3", "its own 2", "simulate"),
    ),
    # drives
    "sine of no frequency": (
        lambda: stimulus(Sine(amplitude=1, frequency_Hz=0)),
        ("frequency_Hz=0", "above 0", "stimuli[0].drive.frequency_Hz"),
    ),
    "tau of no length": (
        lambda: stimulus(OrnsteinUhlenbeck(sd=1, tau_ms=0)),
        ("tau_ms=0", "at least 1e-06", "stimuli[0].drive.tau_ms"),
    ),
    "sd below zero": (
        lambda: stimulus(OrnsteinUhlenbeck(sd=-1, tau_ms=1)),
        ("sd=-1", "at least 0", "drive.sd"),
    ),
    "a spike before the run": (
        lambda: stimulus(SpikeTimes(times_ms=(-1.0,), weight_pA=1)),
        ("times_ms", "-1.0", "at least 0", "drive.times_ms[0]"),
    ),
    "a spike after the run": (
        lambda: stimulus(SpikeTimes(times_ms=(1.0, 101.0), weight_pA=1)),
        ("SpikeTimes from 1 to 101 ms", "0 to 100 ms", "stimuli[0]"),
    ),
    "spikes without their cell": (
        lambda: stimulus(SpikeTimes(times_ms=(1.0, 2.0), cells=(1,), weight_pA=1)),
        ("2 times_ms and 1 cells", "equally many", "stimuli[0].drive"),
    ),
    "spikes of cells beyond the target": (
        lambda: stimulus(SpikeTimes(times_ms=(1.0, 2.0), cells=(1, 8), weight_pA=1), cell_type="E"),
        ("cells=[8]", "cells of the target", "stimuli[0]"),
    ),
    "a cell that is no whole number": (
        lambda: stimulus({"kind": "SpikeTimes", "times_ms": [1.0], "cells": [1.5], "weight_pA": 1}),
        ("1.5", "a whole number", "drive.cells[0]"),
    ),
    "sign of a volley": (
        lambda: stimulus(Evoked(mean_ms=10, sd_ms=1, weight_pA=-1)),
        ("weight_pA=-1", "'AMPA'", "stimuli[0]"),
    ),
    "a volley after the run": (
        lambda: stimulus(Evoked(mean_ms=100, sd_ms=1, weight_pA=1)),
        ("Evoked from 100", "0 to 100 ms", "stimuli[0]"),
    ),
    "a volley of no spikes": (
        lambda: stimulus(Evoked(mean_ms=10, sd_ms=1, n_spikes=0, weight_pA=1)),
        ("n_spikes=0", "at least 1", "drive.n_spikes"),
    ),
    "bursts longer than their period": (
        lambda: stimulus(
            Rhythmic(start_ms=1, stop_ms=90, rate_Hz=100, sd_ms=1, n_spikes=3, weight_pA=1)
        ),
        ("burst_ms=20", "less than period_ms=10", "stimuli[0].drive"),
    ),
    "no samples": (
        lambda: stimulus(Trace(values=(), dt_ms=1)),
        ("values=()", "at least 1", "stimuli[0].drive.values"),
    ),
    "sample nan": (
        lambda: stimulus(Trace(values=(NAN,), dt_ms=1)),
        ("nan", "finite", "stimuli[0].drive.values"),
    ),
    "amplitude nan": (
        lambda: stimulus(Constant(amplitude=NAN)),
        ("amplitude=nan", "finite", "drive.amplitude"),
    ),
    # emitters and mechanisms keep to their LIMITS
    "tau": (
        lambda: BASE.emitters({"E": LIF(tau_m_ms=-3)}),
        ("tau_m_ms=-3", "above 0", "emitters.E.tau_m_ms"),
    ),
    "capacitance inf": (
        lambda: BASE.emitters({"E": LIF(c_m_pF=INF)}),
        ("c_m_pF=inf", "finite", "emitters.E"),
    ),
    "an array for a number": (
        lambda: BASE.emitters({"E": LIF(tau_m_ms=np.ones(2))}),
        ("tau_m_ms=[1.0, 1.0]", "a number", "emitters.E.tau_m_ms"),
    ),
    "threshold below reset": (
        lambda: BASE.emitters({"E": LIF(v_th_mV=-70)}),
        ("v_reset_mV=-65.0", "less than v_th_mV=-70.0", "emitters.E"),
    ),
    "threshold below reset, by cell_params": (
        lambda: BASE.cell_params({"E": {"v_peak_mV": -80.0}}),
        ("c_mV=-65.0", "less than v_peak_mV=-80.0", "cell_params['E']"),
    ),
    "threshold below rest": (
        lambda: BASE.emitters({"E": Izhikevich2007(v_t_mV=-70)}),
        ("v_r_mV=-60.0", "less than v_t_mV=-70.0", "emitters.E"),
    ),
    "capacitance negative": (
        lambda: BASE.emitters({"E": AdEx(c_m_pF=-281.0)}),
        ("c_m_pF=-281.0", "above 0", "emitters.E.c_m_pF"),
    ),
    "reset above the peak": (
        lambda: BASE.emitters({"E": AdEx(v_reset_mV=10.0)}),
        ("v_reset_mV=10.0", "less than v_peak_mV=0.0", "emitters.E"),
    ),
    "rule that resets above threshold": (
        lambda: BASE.emitters({"E": {"kind": "GLIF2", "reset_add_mV": 30.0}}),
        ("reset_mV=-43.4", "less than v_th_mV=-51.68", "emitters.E"),
    ),
    "tau of an after-spike current": (
        lambda: BASE.emitters({"E": {"kind": "GLIF3", "tau_2_ms": 0}}),
        ("tau_2_ms=0", "above 0", "emitters.E.tau_2_ms"),
    ),
    "substeps": (
        lambda: BASE.emitters({"E": AdEx(substeps=0)}),
        ("substeps=0", "at least 1", "emitters.E.substeps"),
    ),
    "share of a dendrite": (
        lambda: BASE.emitters({"E": {"kind": "TwoCompartment", "dendrite_share": 1.5}}),
        ("dendrite_share=1.5", "at most 1", "emitters.E.dendrite_share"),
    ),
    "kind of a class that is not imported": (
        lambda: BASE.emitters({"E": {"kind": "my_cells:Fast"}}),
        ("kind='my_cells:Fast'", "'LIF'", "imported before", "emitters.E"),
    ),
    "object that is no emitter": (
        lambda: BASE.emitters({"E": Constant(amplitude=1.0)}),
        (
            "a Constant without input_unit, input_pA, init, step, balance",
            "an emitter",
            "emitters.E",
        ),
    ),
    "rate of a source negative": (
        lambda: BASE.emitters({"PV": PoissonSource(rate_Hz=-1.0)}),
        ("rate_Hz=-1.0", "at least 0", "emitters.PV.rate_Hz"),
    ),
    "a train that is none": (
        lambda: BASE.emitters({"PV": {"kind": "SpikeSource", "times_ms": [3.0]}}),
        ("times_ms=[3.0]", "a list of trains", "emitters.PV.times_ms"),
    ),
    "trains of texts": (
        lambda: SpikeSource(times_ms=[["late"]]),
        ("times_ms of another form", "a list of trains", "SpikeSource"),
    ),
    "a spike before the start": (
        lambda: BASE.emitters({"PV": SpikeSource(times_ms=[[], [-0.5, 1.0]])}),
        ("times_ms[1] with -0.5", "of at least 0 ms", "emitters.PV.times_ms"),
    ),
    "a spike at no time": (
        lambda: BASE.emitters({"PV": SpikeSource(times_ms=[[1.0, NAN]])}),
        ("times_ms[0] with nan", "finite times", "emitters.PV.times_ms"),
    ),
    "spikes out of order": (
        lambda: BASE.emitters({"PV": SpikeSource(times_ms=[[4.0], [3.0, 2.0]])}),
        ("times_ms[1] with 2 after 3", "times in order", "emitters.PV.times_ms"),
    ),
    "more trains than cells": (
        lambda: BASE.emitters({"PV": SpikeSource(times_ms=[[1.0]] * 5)}),
        ("5 trains", "one for each of the 4 cells", "emitters.PV"),
    ),
    "two spikes in one step": (
        lambda: BASE.emitters({"PV": SpikeSource(times_ms=[[1.0], [1.0, 1.06, 1.09]])}),
        (
            "times_ms[1] with two spikes in one step, at 1.09 ms",
            "at most one in dt_ms=0.1",
            "emitters.PV",
        ),
    ),
    "a table without times": (
        lambda: SpikeSource.from_table({"cell": [1], "time": [2.0]}),
        ("unknown column 't_ms'", "'cell', 'time'", "SpikeSource.from_table"),
    ),
    "a table of half cells": (
        lambda: SpikeSource.from_table({"cell": [0.5], "t_ms": [2.0]}),
        ("a cell that is no id", "whole numbers", "SpikeSource.from_table"),
    ),
    "a table of several trials": (
        lambda: SpikeSource.from_table({"trial": [0, 1], "neuron": [0, 0], "time_ms": [2.0, 2.0]}),
        ("several trials", "those of one", "SpikeSource.from_table"),
    ),
    "connection onto a source": (
        lambda: edge().emitters({"PV": PoissonSource()}),
        (
            "a connection onto cells of type 'PV' (PoissonSource), which only send",
            "receive",
            "connections[0].target",
        ),
    ),
    "connection onto all cells, sources too": (
        lambda: edge(target={"layer": "L2/3"}).emitters({"PV": PoissonSource()}),
        ("'PV' (PoissonSource), which only send", "by its cell_type", "connections[0].target"),
    ),
    "stimulus onto a source": (
        lambda: stimulus(Constant(amplitude=1.0), area="V4").emitters({"PV": PoissonSource()}),
        ("a Constant onto cells of type 'PV' (PoissonSource)", "receive", "stimuli[0].target"),
    ),
    "drive of a source": (
        lambda: BASE.emitters({"PV": PoissonSource()}).cell_params({"PV": {"drive": 3.0}}),
        ("drive of a PoissonSource, which only sends", "no input", "cell_params['PV']"),
    ),
    "noise of some sources": (
        lambda: BASE.emitters({"PV": PoissonSource()}).cell_params(
            {"PV": {"noise": [0.0, 1.0, 0.0, 1.0]}}
        ),
        ("noise of a PoissonSource", "no input", "cell_params['PV']"),
    ),
    "parameter out of range": (
        lambda: BASE.cell_params({"E": {"c_m_pF": 0}}),
        ("c_m_pF=0.0", "above 0", "cell_params['E'].c_m_pF"),
    ),
    "negative noise": (
        lambda: BASE.cell_params({"E": {"noise": -1}}),
        ("noise=-1", "at least 0", "cell_params['E']"),
    ),
    "too few values": (
        lambda: BASE.cell_params({"E": {"drive": 1.0, "d": [8.0, 7.0]}}),
        ("d with 2 values", "a number, or one for each of the 36 cells", "cell_params['E']"),
    ),
    "a sequence of nothing": (
        lambda: BASE.cell_params({"E": {"d": []}}),
        ("without values", "one for each cell", "cell_params.E.d"),
    ),
    "a table of values": (
        lambda: BASE.cell_params({"E": {"d": [[8.0]]}}),
        ("d=[8.0]", "a number", "cell_params.E.d[0]"),
    ),
    "a value that is no number": (
        lambda: BASE.cell_params({"E": {"drive": [1.0, NAN]}}),
        ("drive=nan", "finite", "cell_params.E.drive[1]"),
    ),
    "one cell out of range": (
        lambda: BASE.cell_params({"E": {"c_m_pF": [100.0] * 35 + [0.0]}}),
        ("c_m_pF=0.0", "above 0", "cell_params['E'][cell 35].c_m_pF"),
    ),
    "threshold of one cell below reset": (
        lambda: BASE.cell_params(
            {"E": {"v_peak_mV": [30.0, -60.0] * 18, "c_mV": [-50.0, -70.0] * 17 + [-50.0, -59.0]}}
        ),
        ("c_mV=-59.0", "less than v_peak_mV=-60.0", "cell_params['E'][cell 35]"),
    ),
    "negative noise of one cell": (
        lambda: BASE.cell_params({"E": {"noise": [1.0] * 35 + [-1.0]}}),
        ("noise=-1", "at least 0", "cell_params['E']"),
    ),
    "cells of several models": (
        lambda: BASE.cell_params({"E": {"half_steps": [0, 1] * 18}}),
        ("half_steps as a sequence", "one value for all", "cell_params['E']"),
    ),
    "drive nan": (
        lambda: BASE.cell_params({"E": {"drive": NAN}}),
        ("drive=nan", "finite", "cell_params.E.drive"),
    ),
    "tau of a synapse": (
        lambda: BASE.mechanisms({"slow": {"tau_ms": 0.0}}),
        ("tau_ms=0.0", "above 0", "mechanisms.slow.tau_ms"),
    ),
    "sign of a synapse": (
        lambda: BASE.mechanisms({"slow": {"tau_ms": 1.0, "sign": 2}}),
        ("sign=2", "at most 1", "mechanisms.slow.sign"),
    ),
    "kind of a synapse": (
        lambda: BASE.mechanisms({"g": {"kind": "Conductnce", "tau_ms": 1.0}}),
        (
            "unknown kind 'Conductnce'",
            "'Exponential', 'Alpha'",
            "nearest: 'Conductance'",
            "mechanisms.g",
        ),
    ),
    "synapse of another sort": (
        lambda: BASE.mechanisms({"g": 3}),
        ("a int", "Conductance", "mechanisms.g"),
    ),
    "conductance without reversal": (
        lambda: BASE.mechanisms({"g": {"kind": "Conductance", "tau_ms": 1.0}}),
        ("'e_rev_mV' is missing", "mechanisms.g.e_rev_mV"),
    ),
    "rise of zero": (
        lambda: BASE.mechanisms(
            {"m": {"kind": "BiExponential", "tau_rise_ms": 0, "tau_decay_ms": 5.0}}
        ),
        ("tau_rise_ms=0", "above 0", "mechanisms.m.tau_rise_ms"),
    ),
    "rise as slow as the decay": (
        lambda: BASE.mechanisms({"m": BiExponential(tau_rise_ms=5.0, tau_decay_ms=5.0)}),
        ("tau_rise_ms=5.0", "less than tau_decay_ms=5.0", "mechanisms.m"),
    ),
    "rise slower than the decay": (
        lambda: BASE.mechanisms({"m": NMDA(tau_rise_ms=200.0)}),
        ("tau_rise_ms=200.0", "less than tau_decay_ms=100.0", "mechanisms.m"),
    ),
    "magnesium below zero": (
        lambda: BASE.mechanisms({"m": {"kind": "NMDA", "mg_mM": -1.0}}),
        ("mg_mM=-1.0", "at least 0", "mechanisms.m.mg_mM"),
    ),
    "sign of an alpha function": (
        lambda: BASE.mechanisms({"m": Alpha(tau_ms=2.0, sign=-1)}).connections(
            [{**OPENS, "mechanism": "m", "weight": 1.0}]
        ),
        ("weight=1 pA", "negative", "'m'", "connections[0]"),
    ),
    "inhibition in nS": (
        lambda: BASE.mechanisms(CONDUCTANCES).connections(
            [{**OPENS, "source": "PV", "mechanism": "GABA_A", "weight": -1.0}]
        ),
        ("weight=-1 nS", "positive", "'GABA_A'", "connections[0]"),
    ),
    "release of nothing": (
        lambda: edge(plasticity={"kind": "ShortTerm", "u": 0.0, "tau_rec_ms": 100.0}),
        ("u=0.0", "above 0", "connections[0].plasticity.u"),
    ),
    "release of more than all": (
        lambda: edge(plasticity=ShortTerm(u=1.5, tau_rec_ms=100.0)),
        ("u=1.5", "at most 1", "connections[0].plasticity.u"),
    ),
    "recovery of zero": (
        lambda: edge(plasticity={"kind": "ShortTerm", "u": 0.5, "tau_rec_ms": 0}),
        ("tau_rec_ms=0", "above 0", "connections[0].plasticity.tau_rec_ms"),
    ),
    "kind of plasticity": (
        lambda: edge(plasticity={"kind": "STDP", "w_max": 1.0}),
        (
            "unknown kind 'STDP'",
            "'ShortTerm', 'PairSTDP'",
            "nearest: 'PairSTDP'",
            "connections[0].plasticity",
        ),
    ),
    "plasticity without kind": (
        lambda: edge(plasticity={"w_max": 1.0}),
        ("without 'kind'", "'ShortTerm', 'PairSTDP'", "connections[0].plasticity"),
    ),
    "STDP without a bound": (
        lambda: edge(plasticity={"kind": "PairSTDP"}),
        ("'w_max' is missing", "connections[0].plasticity.w_max"),
    ),
    "weight above its bound": (
        lambda: edge(weight=3.0, plasticity=PairSTDP(w_max=2.0)),
        ("weight=3 pA", "at most w_max=2 pA", "connections[0]"),
    ),
    "weights without an upper bound": (
        lambda: edge(weight=LogNormal(mean=1.0, sd=1.0), plasticity=PairSTDP(w_max=2.0)),
        ("weights without an upper end", "w_max=2 pA (high=...)", "connections[0]"),
    ),
    "weights of a table above their bound": (
        lambda: edge(
            weight=None,
            rule=FromTable(source=(0, 1), target=(8, 8), weight=(1.0, 5.0)),
            plasticity=PairSTDP(w_max=2.0),
        ),
        ("weight=5 pA", "at most w_max=2 pA", "connections[0]"),
    ),
    "STDP of inhibition": (
        lambda: edge(source="PV", mechanism="GABA_A", weight=-1.0, plasticity=PairSTDP(w_max=2.0)),
        ("PairSTDP on an inhibitory connection", "excitatory ones", "connections[0]"),
    ),
    "share of a receptor": (
        lambda: opened(dendrite_share=1.2),
        ("dendrite_share=1.2", "at most 1", "mechanisms.g.dendrite_share"),
    ),
    "reversal nan": (
        lambda: opened(e_rev_mV=NAN),
        ("e_rev_mV=nan", "finite", "mechanisms.g.e_rev_mV"),
    ),
    "tau of a conductance": (
        lambda: opened(tau_ms=0.0),
        ("tau_ms=0.0", "above 0", "mechanisms.g.tau_ms"),
    ),
    "negative conductance": (
        lambda: opened().connections([{**OPENS, "weight": -1.0}]),
        ("weight=-1 nS", "positive", "'g'", "connections[0]"),
    ),
    "negative conductance from inhibition": (
        lambda: opened().connections([{**OPENS, "source": "PV", "weight": Normal(mean=-2, sd=1)}]),
        ("weight=-2 nS", "positive", "'g'", "connections[0]"),
    ),
    "current onto a conductance": (
        lambda: opened().stimuli(
            [{"target": "E", "drive": Poisson(rate_Hz=1, weight_pA=1, mechanism="g")}]
        ),
        ("weight_pA=1", "weight_nS", "'g' is of kind Conductance", "stimuli[0]"),
    ),
    "conductance onto a current": (
        lambda: stimulus(Poisson(rate_Hz=1, weight_nS=1)),
        ("weight_nS=1", "weight_pA", "'AMPA' is of kind Exponential", "stimuli[0]"),
    ),
    "no weight of a rain": (
        lambda: stimulus(Poisson(rate_Hz=1)),
        ("weight_pA=None with weight_nS=None", "exactly one", "stimuli[0].drive"),
    ),
    "two weights of a rain": (
        lambda: stimulus(Poisson(rate_Hz=1, weight_pA=1, weight_nS=1)),
        ("weight_pA=1.0 with weight_nS=1.0", "exactly one", "stimuli[0].drive"),
    ),
    "negative weight of a rain": (
        lambda: stimulus({"kind": "Poisson", "rate_Hz": 1, "weight_nS": -1}),
        ("weight_nS=-1", "at least 0", "stimuli[0].drive.weight_nS"),
    ),
    # places
    "layers out of order": (
        lambda: BASE.layers(["L4", "L2/3"]),
        ("'L2/3'", "below 'L4'", "from the pia down", "Config.circuit"),
    ),
    "layers that overlap": (
        lambda: BASE.layers(["L2/3", "L3"]),
        ("'L3'", "do not overlap", "Config.circuit"),
    ),
    "layer upside down": (
        lambda: BASE.layers([{"name": "L4", "top": 0.5, "bottom": 0.4}]),
        ("top=0.5, bottom=0.4", "top above bottom", "layers[0]"),
    ),
    "depth beyond white matter": (
        lambda: BASE.layers([{"name": "L6", "top": 0.5, "bottom": 1.4}]),
        ("bottom=1.4", "at most 1", "layers[0].bottom"),
    ),
    "thickness": (
        lambda: BASE.geometry(thickness_mm=0),
        ("thickness_mm=0", "above 0", "geometry.thickness_mm"),
    ),
    "place in metres' stead": (
        lambda: Area(name="here", position_mm=(0, 0, 5000)),
        ("position_mm=(0.0, 0.0, 5000.0)", "within 200 mm", "Area"),
    ),
    "normal of no length": (
        lambda: Area(name="V1", normal=(0, 0, 0)),
        ("normal=(0.0, 0.0, 0.0)", "not all zero", "Area"),
    ),
    "no way is outward": (
        lambda: Area(name="here", position_mm=(0, 0, 40)),
        ("normal=(0.0, 0.0, 0.0)", "not all zero", "Area"),
    ),
    "normal nan": (lambda: Area(name="V1", normal=(0, 0, NAN)), ("nan", "finite", "Area.normal")),
    "place of two numbers": (lambda: Area(name="V1", position_mm=(0, 0)), ("Area.position_mm",)),
    "EEG of an area without place": (
        lambda: BASE.areas(["V1", "Q7"]).probes([EEGProxy()]).check(),
        ("area 'Q7' without position_mm", "Area(name=..., position_mm=", "Config.circuit.areas[1]"),
    ),
    "frequency above Nyquist": (
        lambda: SpectrolaminarProxy(interval_ms=5.0),
        ("max_frequency_Hz=150", "at most 100", "SpectrolaminarProxy"),
    ),
    # physical fields
    "spikes seen by a physical probe": (
        lambda: BASE.source("spike_proxy").probes(["lfp_proxy", "dipole"]),
        (
            "'spike_proxy', which has no return current, with probe 'dipole'",
            "'input_current'",
            "Config.readouts",
        ),
    ),
    "physical probe of spikes": (
        lambda: BASE.probes(["eeg"]).source("spike_proxy"),
        ("'spike_proxy'", "probe 'eeg'", "Config.readouts"),
    ),
    "area outside the brain": (
        lambda: seen("meg", areas=[{"name": "V1", "position_mm": (0, -95, 40)}]),
        (
            "area 'V1' at [0.0, -95.0, 40.0] mm",
            "94.25 mm from the centre",
            "within 79 mm",
            "MEG.head",
        ),
    ),
    "EEG of an area without a place": (
        lambda: seen(EEG(), areas=["V1", "Q7"]),
        (
            "area 'Q7' without position_mm, with a probe 'eeg'",
            "Area(name=...",
            "Config.circuit.areas[1]",
        ),
    ),
    "far field of an area without a place": (
        lambda: seen(LFP(far=True), areas=["Q7"]),
        ("area 'Q7' without position_mm, with a probe 'lfp'", "Config.circuit.areas[0]"),
    ),
    "montage": (
        lambda: seen(EEG(montage="biosemi63")),
        ("unknown montage 'biosemi63'", "'biosemi64'", "nearest: 'biosemi6", "EEG.montage"),
    ),
    "site of a montage": (
        lambda: seen(EEG(sites=("Ozz",))),
        ("unknown sensor 'Ozz'", "nearest: 'Oz'", "EEG.sites"),
    ),
    "helmet": (
        lambda: seen(MEG(helmet="neuromags")),
        ("unknown helmet 'neuromags'", "nearest: 'neuromag'", "MEG.helmet"),
    ),
    "channel of a helmet": (
        lambda: seen(MEG(sensors=("MEG 0110",))),
        ("unknown channel 'MEG 0110'", "'MEG 0111'", "MEG.sensors"),
    ),
    "montage beside a forward": (
        lambda: EEG(montage="biosemi32", head={"kind": "Forward", "path": "x-fwd.fif"}),
        ("montage='biosemi32' with a Forward", "sensors that it has", "EEG"),
    ),
    "helmet beside a forward": (
        lambda: MEG(helmet="ctf275", head={"kind": "Forward", "path": "x-fwd.fif"}),
        ("helmet='ctf275' with a Forward", "sensors that it has", "MEG"),
    ),
    "no forward": (
        lambda: seen(EEG(head={"kind": "Forward", "path": "nowhere-fwd.fif"})),
        ("'nowhere-fwd.fif', which is no file", "a forward solution", "EEG.head"),
    ),
    "spheres inside out": (
        lambda: EEG(head={"radii_mm": (90, 85, 80, 79)}),
        ("radii_mm=(90.0, 85.0, 80.0, 79.0)", "increase", "EEG.head"),
    ),
    "contacts beside discs": (
        lambda: LFP(contacts_mm=((0.1, 0.0, 0.5),)),
        ("off the column's axis with Discs()", "sources=Points()", "LFP"),
    ),
    "shanks beside discs": (
        lambda: LFP(shanks_mm=((0, 0.1),)),
        ("off the column's axis", "Points()", "LFP"),
    ),
    "anisotropic discs": (
        lambda: LFP(sigma_S_m=(0.3, 0.3, 0.4)),
        ("three conductivities with Discs()", "sources=Points()", "LFP"),
    ),
    "anisotropic far field": (
        lambda: LFP(sigma_S_m=(0.3, 0.3, 0.4), sources="Points", far=True),
        ("far=True with three conductivities", "one conductivity", "LFP"),
    ),
    "conductivity": (lambda: LFP(sigma_S_m=0), ("sigma_S_m=0", "above 0", "LFP.sigma_S_m")),
    "contact above the surface": (
        lambda: seen(LFP(contacts_mm=((0, 0, -0.1),), surface={})),
        ("contact_depths_mm with one at z=-0.1", "z >= 0, the surface", "DiscSource"),
    ),
    "uneven contacts of a CSD": (
        lambda: seen(CSD(depths_mm=(0.1, 0.2, 0.4))),
        ("not evenly spaced", "one step", "DeltaICSD"),
    ),
    "contact at the surface of a CSD": (
        lambda: seen(CSD(surface={})),
        ("a contact at 0 mm with sigma_top_S_m", "below the surface", "DeltaICSD"),
    ),
    "method of a CSD": (
        lambda: CSD(method="DeltaCSD"),
        ("unknown kind 'DeltaCSD'", "'DeltaICSD'", "nearest: 'DeltaICSD'", "CSD.method"),
    ),
    "diameter of a CSD": (
        lambda: CSD(method={"kind": "StepICSD", "diameter_mm": 0.0}),
        ("diameter_mm=0.0", "finite number in (0, inf)", "StepICSD"),
    ),
    "cells of a map": (
        lambda: BASE.source(maps=[loop(cells="SST")]),
        ("unknown cell_type 'SST'", "'E', 'PV'", "Config.readouts.maps[0].cells"),
    ),
    "mechanism of a map": (
        lambda: BASE.source(maps=[loop(mechanism="excitation")]),
        (
            "unknown mechanism 'excitation'",
            "'excitatory', 'inhibitory'",
            "nearest: 'excitatory'",
            "Config.readouts.maps[0]",
        ),
    ),
    "depth of a map": (
        lambda: loop(enters=AtDepth(depth=1.5)),
        ("depth=1.5", "at most 1", "AtDepth.depth"),
    ),
    "kind of a profile": (
        lambda: loop(enters={"kind": "AtSomas"}),
        ("unknown kind 'AtSomas'", "nearest: 'AtSoma'", "SourceMap.enters"),
    ),
    "scale of cells": (
        lambda: BASE.source(scale=0.0),
        ("scale=0.0", "above 0", "Config.readouts.scale"),
    ),
    "list of maps": (lambda: BASE.source(maps="E"), ("source='E'", "a list", "Config.source")),
    # objectives
    "empty objective": (
        lambda: jtfne.Objective([]),
        ("metrics=()", "at least 1", "Objective.metrics"),
    ),
    "objective of a bare metric": (
        lambda: jtfne.Objective(Metric(measure=CV(), target=1.0)),  # type: ignore[arg-type]
        ("metrics=", "a list", "Objective"),
    ),
    "empty objective of a config": (
        lambda: BASE.objective([]),
        ("at least 1", "training.objective.metrics"),
    ),
    "unknown measure": (
        lambda: aim("MeanRat"),
        ("unknown kind 'MeanRat'", "'MeanRate'", "nearest: 'MeanRate'", f"{IN_METRIC}.measure"),
    ),
    "measure without its settings": (
        lambda: aim({"kind": "BandPower"}),
        ("'low_Hz' is missing", f"{IN_METRIC}.measure"),
    ),
    "unknown setting of a measure": (
        lambda: aim({"kind": "CV", "min_interval": 3}),
        ("unknown key 'min_interval'", "nearest: 'min_intervals'", f"{IN_METRIC}.measure"),
    ),
    "CV of a potential": (lambda: aim(CV(), readout="vm"), ("a CV of 'vm'", "'spk'", IN_METRIC)),
    "unknown readout of a metric": (
        lambda: aim(PowerSpectrum(), [1, 2, 3], readout="lfp_prox"),
        ("unknown readout 'lfp_prox'", "nearest: 'lfp_proxy'", IN_METRIC),
    ),
    "metric of any field": (
        lambda: aim(BandPower(low_Hz=1, high_Hz=9)),
        ("a BandPower without readout", "readout one of", "'lfp_proxy'", IN_METRIC),
    ),
    "readout that no probe records": (
        lambda: BASE.probes(["vm"]).objective([Metric(measure=MeanRate(), target=1.0)]).check(),
        (
            "'MeanRate spk' of 'spk', which no probe records",
            "'vm'; or Config.probes([..., 'spk'])",
            IN_METRIC,
        ),
    ),
    "gate on what no probe records": (
        lambda: (
            BASE.probes(["spk"])
            .objective(
                [Metric(measure=CV(), target=1.0)],
                [
                    Gate(
                        measure=BandPower(low_Hz=1, high_Hz=9),
                        readout="eeg_proxy",
                        condition=Above(1.0),
                    )
                ],
            )
            .check()
        ),
        (
            "no probe records",
            "Config.probes([..., 'eeg_proxy'])",
            "Config.training.objective.gates[0]",
        ),
    ),
    "cells of a metric": (
        lambda: aim(cells="SST"),
        ("unknown cell_type 'SST'", "'E', 'PV'", f"{IN_METRIC}.cells"),
    ),
    "cells of a field": (
        lambda: aim(BandPower(low_Hz=9, high_Hz=90), readout="lfp_proxy", cells="E"),
        ("cells by cell_type of 'lfp_proxy'", "area and channels", IN_METRIC),
    ),
    "area of EEG": (
        lambda: aim(BandPower(low_Hz=9, high_Hz=90), readout="eeg_proxy", cells={"area": "V1"}),
        ("cells by area of 'eeg_proxy'", "channels", IN_METRIC),
    ),
    "channels of a dipole": (
        lambda: aim(BandPower(low_Hz=9, high_Hz=90), readout="dipole", channels=["Cz"]),
        ("channels of 'dipole'", "cells={'area': ...}", IN_METRIC),
    ),
    "cell type of a dipole": (
        lambda: aim(BandPower(low_Hz=9, high_Hz=90), readout="dipole", cells="E"),
        ("cells by cell_type of 'dipole'", "expected area (in", IN_METRIC),
    ),
    "channels of spikes": (lambda: aim(channels=["Cz"]), ("channels of 'spk'", "cells", IN_METRIC)),
    "profile of two areas": (
        lambda: aim(EvokedWaveform(), curve(), readout="lfp_proxy"),
        ("EvokedWaveform of areas V1, V4", "one area", IN_METRIC),
    ),
    "window beyond the run": (
        lambda: aim(window_ms=(50, 150)),
        ("window_ms=50 to 150", "within the run, 0 to 100 ms", IN_METRIC),
    ),
    "window of no length": (
        lambda: aim(window_ms=(50, 50)),
        ("window_ms=(50.0, 50.0)", "start before stop", IN_METRIC),
    ),
    "bins longer than half the run": (
        lambda: aim(FanoFactor(bin_ms=60.0)),
        ("bin_ms=60 in 100 ms", "two bins", f"{IN_METRIC}.measure"),
    ),
    "bins off the grid": (
        lambda: aim({"kind": "Synchrony", "bin_ms": 0.25}),
        ("bin_ms=0.25 with steps of 0.1 ms", "a multiple", f"{IN_METRIC}.measure"),
    ),
    "band of a metric above Nyquist": (
        lambda: aim(BandPower(low_Hz=100, high_Hz=900), readout="lfp_proxy"),
        ("the band 100 to 900 Hz of samples every 1 ms", "up to 500 Hz", f"{IN_METRIC}.measure"),
    ),
    "band upside down": (
        lambda: aim(BandPower(low_Hz=30, high_Hz=20), readout="lfp_proxy"),
        ("low_Hz=30", "less than high_Hz=20", f"{IN_METRIC}.measure"),
    ),
    "band between two frequencies": (
        lambda: aim(BandPower(low_Hz=11, high_Hz=19), readout="lfp_proxy"),
        ("the band 11 to 19 Hz", "multiples of 10 Hz", f"{IN_METRIC}.measure"),
    ),
    "baseline before the window": (
        lambda: aim(EvokedWaveform(onset_ms=20, baseline_ms=30), curve(), **RECORDED),
        (
            "onset_ms=20 with baseline_ms=30",
            "the window, 0 to 100 ms, and a baseline within",
            f"{IN_METRIC}.measure",
        ),
    ),
    "onset after the window": (
        lambda: aim(EvokedWaveform(onset_ms=50), curve(), window_ms=(10, 40), **RECORDED),
        ("onset_ms=50", "before the end of the window, 10 to 40 ms", f"{IN_METRIC}.measure"),
    ),
    "no target": (lambda: Metric(measure=CV()), ("'target' is missing", "Metric")),
    "target nan": (lambda: aim(target=NAN), ("target=nan", "finite", f"{IN_METRIC}.target")),
    "target as bool": (
        lambda: aim(target=True),
        ("target=True", "a number", f"{IN_METRIC}.target"),
    ),
    "target as text": (
        lambda: aim(target="8"),
        ("target='8'", "a number, a range, a curve or a recording", f"{IN_METRIC}.target"),
    ),
    "range upside down": (
        lambda: aim(target=[5, 3]),
        ("low=5", "less than high=3", f"{IN_METRIC}.target"),
    ),
    "range of nan": (
        lambda: aim(target=[NAN, 3]),
        ("low=nan", "finite", f"{IN_METRIC}.target.low"),
    ),
    "curve for a number": (
        lambda: aim(target=[1, 2, 3]),
        ("a curve", "MeanRate", "a number or a range", IN_METRIC),
    ),
    "number for a curve": (
        lambda: aim(PowerSpectrum(), 5.0, readout="lfp_proxy"),
        ("target=5.0 of a PowerSpectrum", "a curve over frequency", IN_METRIC),
    ),
    "waveform for a spectrum": (
        lambda: aim(PowerSpectrum(), curve(), readout="lfp_proxy"),
        ("a curve over time", "PowerSpectrum", "over frequency", IN_METRIC),
    ),
    "waveform for a profile": (
        lambda: aim(CSDProfile(), curve(), **RECORDED),
        ("a curve over time", "CSDProfile", "over time, z_mm", IN_METRIC),
    ),
    "curve of lists": (
        lambda: aim(PowerSpectrum(), [[1], [2], [3]], readout="spk"),
        ("a list of lists", "DataArray"),
    ),
    "curve over trials": (
        lambda: aim(
            PowerSpectrum(), {"kind": "Curve", "values": [1], "dims": ["trial"]}, readout="spk"
        ),
        ("a curve over 'trial'", "'time', 'frequency', 'channel', 'z_mm'", f"{IN_METRIC}.target"),
    ),
    "curve without points": (
        lambda: curve(coords={}),
        ("over 'time' without its points", "coords with 'time'", "Curve"),
    ),
    "curve of too few values": (
        lambda: curve(values=[1.0]),
        ("1 values over 3 points", "a value for each", "Curve"),
    ),
    "curve with a gap": (lambda: curve(values=[1, NAN, 2]), ("nan", "finite", "Curve.values")),
    "curve back in time": (
        lambda: curve(coords={"time": [0, 2, 1]}),
        ("time that does not rise", "rising", "Curve"),
    ),
    "curve at named times": (
        lambda: curve(coords={"time": ["a", "b", "c"]}),
        ("time with names", "numbers", "Curve"),
    ),
    "curve with loose points": (
        lambda: curve(coords={"time": [0, 1, 2], "frequency": [1]}),
        ("coords of 'frequency'", "those of dims", "Curve"),
    ),
    "channel given twice": (
        lambda: curve(dims=["channel"], coords={"channel": ["Cz", "Oz", "Cz"]}),
        ("channel='Cz', given twice", "Curve"),
    ),
    "scale zero": (lambda: aim(scale=0.0), ("scale=0.0", "above 0", f"{IN_METRIC}.scale")),
    "weight negative": (
        lambda: aim(weight=-1.0),
        ("weight=-1.0", "at least 0", f"{IN_METRIC}.weight"),
    ),
    "no weight at all": (
        lambda: aim(weight=0.0),
        ("all have weight 0", "at least one above 0", "training.objective"),
    ),
    "metric given twice": (
        lambda: BASE.objective([Metric(measure=CV(), target=each) for each in (1.0, 2.0)]),
        ("name='CV spk', given twice", "each name once", "training.objective"),
    ),
    "gate on a curve": (
        lambda: Gate(measure=EvokedWaveform(), readout="eeg_proxy", condition=Above(1.0)),
        ("a gate on a EvokedWaveform, a curve", "MeanRate", "Gate"),
    ),
    "gate of nan": (
        lambda: Gate(measure=CV(), condition=Above(NAN)),
        ("value=nan", "finite", "Gate.condition.value"),
    ),
    "unknown condition of a gate": (
        lambda: Gate(measure=CV(), condition={"kind": "Abov", "value": 1.0}),
        ("unknown kind 'Abov'", "nearest: 'Above'", "Gate.condition"),
    ),
    "no signals": (
        lambda: jtfne.Objective([Metric(measure=CV(), target=1.0)]).evaluate({}),  # type: ignore[arg-type]
        ("a dict", "Signals", "Objective.evaluate"),
    ),
    # a config that is not complete
    "nothing declared": (
        lambda: Config().populations(),
        ("without areas", "Config.areas(...)", "without layers", "without cells"),
    ),
    # gradients
    "surrogate with events": (
        lambda: jtfne.construct(edge()).to_flat(delivery=Event(), surrogate=SuperSpike()),
        ("a surrogate with EventDelivery", "Sparse() or Dense()", "surrogate"),
    ),
    "surrogate beta zero": (
        lambda: jtfne.construct(edge()).to_flat(surrogate=SuperSpike(beta=0.0)),
        ("beta=0.0", "(0, inf)", "surrogate SuperSpike"),
    ),
    "surrogate width nan": (
        lambda: jtfne.construct(edge()).to_flat(surrogate=Triangular(width=NAN)),
        ("width=nan", "(0, inf)", "surrogate Triangular"),
    ),
    # files
    "suffix": (
        lambda: BASE.to_file("config.yaml"),
        ("unknown suffix '.yaml'", "'.json', '.toml'", "config.yaml"),
    ),
    "no file": (
        lambda: Config.from_file("nowhere.json"),
        ("nowhere.json", "no file", "Config.from_file"),
    ),
    "no TOML": (lambda: Config.from_toml("a = = 1"), ("TOML", "Config.from_toml")),
    "no object": (lambda: Config.from_json("[1]"), ("[1]", "an object", "Config")),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_voice(name: str) -> None:
    attempt, fragments = CASES[name]
    with pytest.raises(jtfne.JtfneError) as caught:
        attempt()
    message, at = str(caught.value), 0
    for fragment in fragments:
        found = message.find(fragment, at)
        assert found >= 0, f"{fragment!r} is not in the rest of: {message}"
        at = found
    assert "pydantic" not in message and "@" not in message
    assert all(line.endswith(")") and " (in " in line for line in message.splitlines())


def test_one_line_a_problem() -> None:
    with pytest.raises(jtfne.JtfneError) as caught:
        BASE.runtime(seed=-1, dtype="half", dt_ms=NAN)
    assert len(str(caught.value).splitlines()) == 3


def test_no_pydantic_error_is_chained() -> None:
    with pytest.raises(jtfne.JtfneError) as caught:
        BASE.connections([{"source": "E"}])
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert "'target' is missing" in str(caught.value)


def test_sources_of_both_signs_need_a_mechanism_with_one() -> None:
    own = BASE.mechanisms({"own": {"tau_ms": 5.0}})
    both = {"source": {}, "target": "PV", "mechanism": "own", "rule": "AllToAll", "weight": 1.0}
    with pytest.raises(
        jtfne.JtfneError, match=r"E, PV and a mechanism without sign.*sources of one sign"
    ):
        own.connections([both])
    with pytest.raises(jtfne.JtfneError, match=r"weight=1 pA.*negative, as its source, PV, has it"):
        own.connections([{**both, "source": "PV"}])
    assert (
        own.connections([{**both, "source": "PV", "weight": -1.0}]).circuit.connections[0].weight
        == -1.0
    )


def test_broken_json_is_refused() -> None:
    for text in ("{", '{"run": {"dt_ms": NaN}}', '{"run": {}, "run": {}}'):
        with pytest.raises(jtfne.JtfneError, match=r"Config\.from_json"):
            Config.from_json(text)
