"""What is fitted to the barrel recording on the page of fits, by what, and what is read off; for
page and tests.
"""

import dataclasses
import statistics
from typing import Any

import numpy as np
import xarray as xr

import jtfne
from jtfne import analysis
from jtfne.config import LFP, Config, Selector, Trainable
from jtfne.config.parameter_paths import find_place, list_places
from jtfne.config.parameter_values import replace_values
from jtfne.config.source_maps import AtDepth, AtSoma, Between, Profile, SourceMap
from jtfne.emitters import SpikeSource
from jtfne.measures import CSDProfile, MeanRate, PowerSpectrum
from jtfne.objective import Gate, InRange, Metric, Objective
from jtfne.optimizers import CMAES
from jtfne.presets._motif import edge
from jtfne.signals import Signals
from jtfne.trainer import Trainer, TrainingResult

SEEDS_APART = 100  # of one candidate
LATER = 1000  # added to the seed of a training, for runs that it never saw
N_TRIALS = 12  # a run; the recording is a mean over trials too, of how many is not told
N_CANDIDATES = 12  # a generation
# What cells must do all the while, or the search silences them: ranges of ours, wide about what the
# defaults do, before
# the onset and in the 20 ms after it.
RATES_Hz = {
    ("E", "before"): (1.0, 10.0),
    ("E", "after"): (5.0, 50.0),
    ("PV", "after"): (5.0, 100.0),
}
RATES_SCALE_Hz = {"before": 1.0, "after": 10.0}
RESPONSE_ms = 20.0

# -- the spectrum
# -----------------------------------------------------------------------------------------------------

SPECTRUM_ONSET_ms = 75.0
AROUND_ms = 62.5  # the recording lasts so long before and after its onset
BAND_Hz = (8.0, 80.0)  # from the least frequency that 125 ms resolve
SCALE_dB = 3.0
SPECTRUM_TRAINABLES = [
    *(Trainable(path=f"gains.{pair}", bounds=(0.25, 4.0), transform="Log")
      for pair in ("TC->E", "TC->PV", "E->E", "E->PV", "PV->E", "SST->E")),
    Trainable(path="mechanisms.AMPA.tau_ms", bounds=(1.0, 16.0), transform="Log"),
    Trainable(path="mechanisms.GABA_A.tau_ms", bounds=(2.0, 32.0), transform="Log"),
    Trainable(path="cells.E.drive", bounds=(0.0, 6.0)),
]  # fmt: skip

# -- the evoked CSD
# ---------------------------------------------------------------------------------------------------

CSD_ONSET_ms = 50.0
BASELINE_ms, AFTER_ms = 20.0, 40.0
CONTACTS_mm = tuple(round(0.1 * k, 1) for k in range(1, 24))  # those of the recording
# Layers of rat barrel cortex in mm, rounded to 0.05: near those of Meyer et al. (2011), PNAS
# 108:16807-16812, which we
# know second hand. Numbers of cells are ours, for speed; layer 6 is left out, and so are all
# inhibitory cells but PV.
LAYERS_mm = {"L2/3": (0.1, 0.55), "L4": (0.55, 0.85), "L5": (0.85, 1.3)}
THICKNESS_mm = 2.0
# half the diameter that Pettersen et al. (2006), J. Neurosci. Methods 154:116-133, take for it
RADIUS_mm = 0.25
CELLS = {"L2/3": {"E": 120, "PV": 24}, "L4": {"E": 120, "PV": 24}, "L5": {"E": 80, "PV": 16}}
VOLLEYS = {"early": (2.0, 1.0), "late": (8.0, 4.0)}  # mean from the onset and sd, ms
N_AFFERENTS = 30  # of each volley
LOCAL = (("E", "E", "AMPA", 20, 25.0), ("E", "PV", "AMPA", 20, 60.0),
         ("PV", "E", "GABA_A", 15, -60.0), ("PV", "PV", "GABA_A", 8, -60.0))  # fmt: skip
ROUTES = (("L4", "L2/3"), ("L2/3", "L5"))
RETURNS: dict[str, Profile] = {
    "tuft": Between(first=AtDepth(depth=0.0), last=AtDepth(depth=0.15)),  # the upper 0.3 mm
    "dendrite": Between(first=AtSoma(), last=AtDepth(depth=0.0)),
}
WEIGHTS = [
    *(f"{name}->{layer}/E" for name in VOLLEYS for layer in LAYERS_mm),
    "L4/E->L2/3/E", "L2/3/E->L5/E",
]  # fmt: skip
BANDS_mm = {"0.2-0.3": (0.15, 0.35), "0.4-0.5": (0.35, 0.55), "0.6-0.8": (0.55, 0.85), "0.9-1.2": (0.85, 1.25),
            "1.3-2.2": (1.25, 2.25)}  # fmt: skip
RISEN = 0.2  # of its extreme, at which a band has begun


def _volley(onset_ms: float, mean_ms: float, sd_ms: float, n: int) -> SpikeSource:
    """One spike of each of `n` cells, at the quantiles of a normal distribution, on a grid of 0.1
    ms.
    """
    normal = statistics.NormalDist(onset_ms + mean_ms, sd_ms)
    return SpikeSource(times_ms=[[round(normal.inv_cdf((k + 0.5) / n), 1)] for k in range(n)])


def _marked(config: Config, cell_type: str, onset_ms: float, n_trials: int) -> Config:
    """With an event at the onset."""
    marker = {
        "target": cell_type,
        "drive": {"kind": "Marker", "start_ms": onset_ms},
        "label": "volley",
    }
    return config.stimuli([marker], n_trials=n_trials)


def responder(n_cells: int = 300, n_trials: int = N_TRIALS) -> Config:
    """`suite2_net1` with a volley of 40 thalamic cells onto E and PV; its LFP is of synaptic
    currents.
    """
    base = jtfne.suite2_net1_config(n_cells)
    counts = {each.cell_type: each.n_cells for each in base.populations()}
    thalamic = [
        edge({"cell_type": "TC"}, {"cell_type": name}, "AMPA", 10, 40.0) for name in ("E", "PV")
    ]
    config = (
        base.runtime(duration_ms=SPECTRUM_ONSET_ms + AROUND_ms + 2.5)
        .cells({**counts, "TC": 40})
        .emitters({"TC": _volley(SPECTRUM_ONSET_ms, *VOLLEYS["early"], 40)})
        .connections([*base.circuit.connections, *thalamic])
        .source("synaptic_current")
        .probes(["spk", LFP()])
    )
    return _marked(config, "TC", SPECTRUM_ONSET_ms, n_trials)


def column(returns: str, n_trials: int = N_TRIALS) -> Config:
    """Layers 2/3 to 5 of a barrel column with two thalamic volleys; `returns`: where excitation
    leaves, of RETURNS.
    """
    pyramids, basal = (
        Selector(cell_type="E"),
        Between(first=AtSoma(above_mm=0.1), last=AtSoma(above_mm=-0.1)),
    )
    maps = [
        SourceMap(cells=pyramids, mechanism="excitatory", enters=basal, returns=RETURNS[returns]),
        SourceMap(
            cells=pyramids, mechanism="inhibitory", enters=AtSoma(), returns=RETURNS[returns]
        ),
    ]
    cells = {layer: dict(mix) for layer, mix in CELLS.items()}
    cells["L4"] |= dict.fromkeys(VOLLEYS, N_AFFERENTS)
    config = (
        Config()
        .runtime(duration_ms=CSD_ONSET_ms + AFTER_ms + 2.0)
        .areas(["S1"])
        .geometry(thickness_mm=THICKNESS_mm, radius_mm=RADIUS_mm)
        .layers(
            [
                {"name": k, "top": a / THICKNESS_mm, "bottom": b / THICKNESS_mm}
                for k, (a, b) in LAYERS_mm.items()
            ]
        )
        .cells(cells)
        .emitters(
            {name: _volley(CSD_ONSET_ms, *when, N_AFFERENTS) for name, when in VOLLEYS.items()}
        )
        .connections(_connections())
        .source("synaptic_current", maps=maps)
        .probes(
            ["spk", LFP(interval_ms=0.5, contacts_mm=[(0.0, 0.0, z_mm) for z_mm in CONTACTS_mm])]
        )
    )
    return _marked(config, "early", CSD_ONSET_ms, n_trials)


def _connections() -> list[dict[str, Any]]:
    """E and PV within each layer, E from layer to layer, and thalamic cells onto all layers."""
    found = [
        edge(
            {"layer": layer, "cell_type": source}, {"layer": layer, "cell_type": target}, *synapses
        )
        for layer in LAYERS_mm
        for source, target, *synapses in LOCAL
    ]
    for target in ("E", "PV"):
        found += [
            edge(
                {"layer": one, "cell_type": "E"},
                {"layer": other, "cell_type": target},
                "AMPA",
                20,
                25.0,
            )
            for one, other in ROUTES
        ]
        found += [
            edge({"cell_type": name}, {"layer": layer, "cell_type": target}, "AMPA", 10, 40.0)
            for name in VOLLEYS
            for layer in LAYERS_mm
        ]
    return found


def csd_trainables() -> list[Trainable]:
    """Weights between a quarter and four times those declared, gains of the same range, and how
    currents decay.
    """
    weight = {path: 25.0 if path.startswith("L") else 40.0 for path in WEIGHTS}
    gains = ("early->PV", "late->PV", "PV->E")
    given = [(f"connections.{path}.weight", (0.25 * w, 4.0 * w)) for path, w in weight.items()]
    given += [(f"gains.{pair}", (0.25, 4.0)) for pair in gains]
    given += [("mechanisms.AMPA.tau_ms", (1.0, 16.0)), ("mechanisms.GABA_A.tau_ms", (2.0, 32.0))]
    return [Trainable(path=path, bounds=bounds, transform="Log") for path, bounds in given]


def recording() -> xr.DataArray:
    """The recording that ships with elephant: (250 samples of 0.5 ms, 23 contacts), V; mean over
    trials.
    """
    return analysis.load_recording("barrel")


def recorded_spectrum() -> xr.DataArray:
    """Power of the whole recording, mean over contacts: V^2/Hz every 8 Hz."""
    return analysis.psd(recording()).mean("channel", keep_attrs=True)


def recorded_csd() -> xr.DataArray:
    """Density over depth and time from the onset, less its baseline, A/m^3; sinks below 0."""
    return _evoked(recording())


def _evoked(lfp: xr.DataArray, **given: Any) -> xr.DataArray:
    """CSD of the mean over trials."""
    window_ms = (-BASELINE_ms, AFTER_ms + 1.0)
    return analysis.csd(
        analysis.evoked(lfp, window_ms=window_ms, baseline_ms=(-BASELINE_ms, 0.0), **given)
    )


def _objective(curve: Metric, onset_ms: float) -> Objective:
    """A curve, and rates within their ranges, in the score and as gates."""
    windows_ms = {"before": (0.0, onset_ms), "after": (onset_ms, onset_ms + RESPONSE_ms)}
    metrics, gates = [curve], []
    for (cells, when), (low, high) in RATES_Hz.items():
        aim: dict[str, Any] = {"measure": MeanRate(), "cells": cells, "window_ms": windows_ms[when]}
        aim["name"] = f"{cells} {when}"
        metrics.append(Metric(**aim, target=InRange(low, high), scale=RATES_SCALE_Hz[when]))
        gates.append(Gate(**aim, condition=InRange(low, high)))
    return Objective(metrics, gates)


def spectrum_objective() -> Objective:
    """The shape of the spectrum of the evoked LFP in the recording's own window, in shares of 3
    dB.
    """
    low_Hz, high_Hz = BAND_Hz
    window_ms = (SPECTRUM_ONSET_ms - AROUND_ms, SPECTRUM_ONSET_ms + AROUND_ms)
    measure = PowerSpectrum(low_Hz=low_Hz, high_Hz=high_Hz, evoked=True)
    given = {
        "measure": measure,
        "target": recorded_spectrum(),
        "scale": SCALE_dB,
        "window_ms": window_ms,
    }
    return _objective(Metric(readout="lfp", name="spectrum", **given), SPECTRUM_ONSET_ms)


def csd_objective() -> Objective:
    """1 - r of the evoked CSD over depth and time."""
    measure = CSDProfile(onset_ms=CSD_ONSET_ms, baseline_ms=BASELINE_ms)
    window_ms = (CSD_ONSET_ms - BASELINE_ms, CSD_ONSET_ms + AFTER_ms)
    curve = Metric(
        measure=measure, readout="lfp", target=recorded_csd(), window_ms=window_ms, name="csd"
    )
    return _objective(curve, CSD_ONSET_ms)


@dataclasses.dataclass(frozen=True)
class Fit:
    """A circuit, what it should show, and what may change."""

    config: Config
    objective: Objective
    trainables: list[Trainable]
    n_seeds: int = 1  # with which a candidate is run

    def trained(
        self, seed: int, n_generations: int, n_candidates: int = N_CANDIDATES, **given: Any
    ) -> TrainingResult:
        """By CMA-ES, from what the config declares; the first of the seeds is `seed`."""
        seeds = [seed + SEEDS_APART * k for k in range(self.n_seeds)]
        optimizer, budget = CMAES(n=n_candidates), n_generations * n_candidates
        trainer = Trainer(self.objective, self.trainables, optimizer, seeds=seeds, budget=budget)
        return trainer.fit(jtfne.construct(self.config), **given)

    def distance(self, net: jtfne.Net, seed: int) -> float:
        """Of a run of its own."""
        return self.objective.evaluate(net.simulate(seed=seed, progress=False)).score

    def with_values(self, values: dict[str, float]) -> jtfne.Net:
        """The circuit with other values by path."""
        known = list_places(self.config.circuit)
        placed = {find_place(path, known, "fits"): value for path, value in values.items()}
        return jtfne.construct(replace_values(self.config, placed))


def fits(n_trials: int = N_TRIALS) -> dict[str, Fit]:
    """All of the page, by name: the spectrum by seeds, and the CSD with each place where excitation
    may return.
    """
    found = {}
    for name, n_seeds in (("1 seed", 1), ("4 seeds", 4)):
        config = responder(n_trials=max(n_trials // min(n_seeds, 2), 1))
        found[f"spectrum, {name}"] = Fit(config, spectrum_objective(), SPECTRUM_TRAINABLES, n_seeds)
    return found | {
        f"CSD, {name}": Fit(column(name, n_trials), csd_objective(), csd_trainables())
        for name in RETURNS
    }


def simulated_csd(signals: Signals) -> xr.DataArray:
    """As `recorded_csd`."""
    return _evoked(signals.get("lfp").isel(area=0), onset_ms=CSD_ONSET_ms)


def courses(csd: xr.DataArray) -> dict[str, tuple[str, float, float]]:
    """By band of depth: sink or source, when it rises beyond a share of its extreme, and when it is
    there, ms.
    """
    after = csd.sel(time=slice(0.0, AFTER_ms)).transpose("time", "channel")
    found = {}
    for name, (low_mm, high_mm) in BANDS_mm.items():
        inside = (after["z_mm"] > low_mm) & (after["z_mm"] < high_mm)
        course = after.values[:, inside.values].mean(axis=1)
        peak = int(np.argmax(np.abs(course)))
        below = np.flatnonzero(course[:peak] * np.sign(course[peak]) < RISEN * abs(course[peak]))
        risen = int(below[-1]) + 1 if below.size else 0
        times_ms = after["time"].values
        found[name] = (
            "sink" if course[peak] < 0 else "source",
            float(times_ms[risen]),
            float(times_ms[peak]),
        )
    return found


def same_sign(csd: xr.DataArray, recorded: xr.DataArray, at_least: float = 0.1) -> float:
    """Of the points whose recorded density is a tenth of the greatest or more, the share where
    `csd` has its sign.
    """
    times_ms = np.arange(0.0, AFTER_ms)
    one, other = (
        each.transpose("time", "channel").interp(time=times_ms).values for each in (csd, recorded)
    )
    large = np.abs(other) >= at_least * np.abs(other).max()
    return float(np.mean(np.sign(one[large]) == np.sign(other[large])))
