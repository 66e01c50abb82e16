"""Rows of docs/validation/agreement.rst about NEST, and how their numbers are read off both."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

import jtfne
from docs.validation import _agreement_circuits as circuits
from docs.validation._agreement import Row
from docs.validation._agreement_circuits import SEED, DT_ms, cell_rows
from jtfne import _keys
from jtfne._precision import precision

PEER = "NEST"
N_SAMPLES = 200  # of a trace that are compared, spread over the run
# An upstroke is too steep to compare: traces end so long before it.
BEFORE_SPIKE_ms = 2.0

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class NestRow(Row):
    """A row that is read off one circuit.

    circuit : str
        Of `_agreement_circuits.CONFIGS`.
    cell_type : str
        Whose cells are read; of a network "" for all that NEST simulates.
    before_first_spike : bool
        Whether a trace counts only up to shortly before the first spike.
    reads : str
        "v", "spikes", "crossings" (times at which v passes 0 mV upward), "weights" or "moments"
        (of v over cells).
    """

    circuit: str
    cell_type: str = ""
    before_first_spike: bool = False
    reads: str = "v"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one side found in a circuit.

    v_mV : dict of row to (n_steps,)
        Membrane potential at the end of each step.
    spikes : (n_spikes, 2)
        Row and step, sorted. Steps count from 1: a spike is at step x dt.
    weights : (n_edges,)
        Of the synapses under STDP at the end, in the order of their sources.
    last_mV : (n_cells,)
        Membrane potential at the end of the run.
    """

    v_mV: dict[int, Floats]
    spikes: Steps
    weights: Floats
    last_mV: Floats

    def spike_steps(self, row: int) -> Steps:
        """The steps at whose ends a cell spiked."""
        steps: Steps = self.spikes[self.spikes[:, 0] == row, 1]
        return steps


def run_jtfne(name: str) -> Outcome:
    """One of the circuits, run in jtfne from the seed `SEED`."""
    config = circuits.CONFIGS[name]()
    net = jtfne.construct(config)
    none = np.zeros(0)
    if name == "plastic":
        return Outcome({}, np.zeros((0, 2), np.int64), final_weights(net), none)
    signals = net.simulate(seed=SEED, progress=False)
    v_mV, spikes, last_mV = {}, np.zeros((0, 2), np.int64), none
    if "spk" in signals.tree:
        table = signals.spikes
        steps = np.rint(table["time_ms"].to_numpy() / DT_ms).astype(np.int64)
        spikes = np.stack([table["neuron"].to_numpy().astype(np.int64), steps], axis=1)
    if "vm" in signals.tree:
        traces = np.asarray(signals.get("vm", layout="node_time").values, np.float64)
        v_mV, last_mV = dict(enumerate(traces)), traces[:, -1]
    return Outcome(v_mV, spikes[np.lexsort(spikes.T[::-1])], none, last_mV)


def final_weights(net: jtfne.Net) -> Floats:
    """The weights that STDP leaves, of the sources in order."""
    with precision("float64"):
        flat = net.to_flat()
        n_steps = round(net.config.run.duration_ms / DT_ms)
        carry, _ = flat.run(_keys.key(SEED, "trial", "0"), n_steps=n_steps)
        table = flat.with_learned_weights(carry).to_net().edges.to_pandas()
    changed = table[table["source"].isin(cell_rows(net.config)["source"])].sort_values("source")
    return changed["weight_pA"].to_numpy().astype(np.float64)


def read_nest_answer(described: dict[str, Any], answer: dict[str, Any]) -> Outcome:
    """What NEST answered to one described circuit."""
    v_mV = {
        row: np.asarray(trace)
        for row, trace in zip(described["traced"], answer["v_mV"], strict=True)
    }
    pairs = np.asarray(answer["spikes"], np.float64).reshape(-1, 2)
    spikes = np.stack([pairs[:, 0], np.rint(pairs[:, 1] / DT_ms)], axis=1).astype(np.int64)
    return Outcome(v_mV, spikes, np.asarray(answer["weights"]), np.asarray(answer["last_mV"]))


# How a row is read. NEST's side is read first, and says at which steps jtfne's is.


def choose_steps(row: NestRow, outcome: Outcome, cell: int) -> Steps:
    """Where a trace is compared: not at spikes, where one side shows the peak, one the reset."""
    n_steps, spikes = outcome.v_mV[cell].size, outcome.spike_steps(cell)
    free = np.ones(n_steps + 1, bool)
    free[0] = False  # steps count from 1
    if row.before_first_spike and spikes.size:
        free[spikes[0] - round(BEFORE_SPIKE_ms / DT_ms) :] = False
    n_refractory = round(circuits.LONGEST_REFRACTORY_ms / DT_ms)
    for spike in spikes:
        free[spike - 1 : spike + n_refractory + 1] = False
    steps = np.flatnonzero(free)
    return steps[np.unique(np.linspace(0, steps.size - 1, N_SAMPLES).astype(np.int64))]


def find_crossings_ms(v_mV: Floats) -> Floats:
    """When a trace passes 0 mV upward, by a line between the two samples."""
    before = np.flatnonzero((v_mV[:-1] < 0.0) & (v_mV[1:] >= 0.0))
    share = -v_mV[before] / (v_mV[before + 1] - v_mV[before])
    times_ms: Floats = (before + 1 + share) * DT_ms
    return times_ms


def compute_moments(v_mV: Floats) -> list[list[float]]:
    """Mean and variance over cells, each with its standard error."""
    n_cells, variance = v_mV.size, float(v_mV.var(ddof=1))
    mean_error = np.sqrt(variance / n_cells)
    return [
        [float(v_mV.mean()), float(mean_error)],
        [variance, variance * np.sqrt(2.0 / (n_cells - 1))],
    ]


def select_rows(row: NestRow) -> list[int]:
    """The rows of the cells that a row of the page is about."""
    all_rows = cell_rows(circuits.CONFIGS[row.circuit]())
    if row.cell_type:
        return all_rows[row.cell_type]
    return [cell for name, cells in all_rows.items() if name != "source" for cell in cells]


def read(row: NestRow, outcome: Outcome, steps: list[int] | None = None) -> dict[str, Any]:
    """The numbers of one side: "values", and for a trace the "steps" at which they were taken."""
    if row.reads == "weights":
        return {"values": outcome.weights.tolist()}
    if row.reads == "moments":
        return {"values": compute_moments(outcome.last_mV)}
    cells = select_rows(row)
    if row.reads == "spikes":
        selected = outcome.spikes[np.isin(outcome.spikes[:, 0], cells)]
        return {"values": (selected[:, 1] if row.kind == "steps" else selected).tolist()}
    (cell,) = cells
    trace = outcome.v_mV[cell]
    if row.reads == "crossings":
        return {"values": find_crossings_ms(trace).tolist()}
    used_steps = choose_steps(row, outcome, cell) if steps is None else np.asarray(steps)
    return {"values": trace[used_steps - 1].tolist(), "steps": used_steps.tolist()}


EXACT = "both propagate the linear membrane exactly; rounding"
SECOND_ORDER = (
    "jtfne holds conductances at their mean over 0.1 ms (order 2); NEST's step is adaptive"
)
UPSTROKE = (
    "jtfne restarts a cell at the end of the step in which it spiked, NEST within it, so each "
    "spike comes later"
)
LAGS_FROM_RESTART = f"{UPSTROKE}; the lags add up"


def potential_row(name: str, circuit: str, cell_type: str, quantity: str, **more: Any) -> NestRow:
    """A row about a trace of potentials."""
    words = {"tolerance": 1e-10, "reason": EXACT} | more
    return NestRow(
        name=name,
        peer=PEER,
        quantity=quantity,
        kind="potential",
        circuit=circuit,
        cell_type=cell_type,
        **words,
    )


def spikes_row(
    name: str, circuit: str, cell_type: str, quantity: str, reason: str, **more: Any
) -> NestRow:
    """A row about spikes, which have to come in the same steps."""
    words = {"kind": "spikes", "tolerance": 0.0, "reads": "spikes"} | more
    return NestRow(
        name=name,
        peer=PEER,
        quantity=quantity,
        circuit=circuit,
        cell_type=cell_type,
        reason=reason,
        **words,
    )


ROWS: tuple[NestRow, ...] = (
    spikes_row(
        "nest 300 cells",
        "network",
        "",
        "300 ``LIF`` cells (240 excitatory, 60 inhibitory) and 60 sources for 1 s: spike for "
        "spike with 300 "
        "``iaf_psc_exp``, the same edges, weights, delays (0.5 to 3 ms), currents and initial "
        "potentials",
        "no potential came within rounding of the threshold",
    ),
    potential_row(
        "nest lif dc", "current", "dc", "``LIF`` under a constant current, 500 pA; ``iaf_psc_exp``"
    ),
    potential_row(
        "nest lif exp",
        "current",
        "exp",
        "``LIF`` with ``Exponential`` currents of both signs (2 and 8 ms), v between spikes; "
        "``iaf_psc_exp``",
    ),
    spikes_row("nest lif spikes", "current", "exp", "the same cell, spike for spike", "as above"),
    potential_row(
        "nest alpha",
        "current",
        "alpha",
        "``LIF`` with ``Alpha`` currents; ``iaf_psc_alpha``",
    ),
    potential_row(
        "nest delays",
        "current",
        "delays",
        "delays of 0.1 to 20 ms onto one ``LIF``, v; ``iaf_psc_exp``",
        reason="both count delays in whole steps, and a synapse of delay d acts from t + d; rounding",
    ),
    potential_row(
        "nest depression",
        "current",
        "depress",
        "``ShortTerm`` depression (U 0.5, 200 ms), v of the target; ``tsodyks2_synapse``",
        reason="both step from spike to spike exactly; rounding",
    ),
    potential_row(
        "nest facilitation",
        "current",
        "facilitate",
        "``ShortTerm`` facilitation (U 0.1, 100 and 500 ms), v of the target; ``tsodyks2_synapse``",
        reason="both step from spike to spike exactly; rounding",
    ),
    NestRow(
        name="nest stdp",
        peer=PEER,
        quantity="weights after 0.6 s of ``PairSTDP`` at 12 synapses; ``stdp_synapse`` with additive changes. NEST's "
        "delay is the dendrite's and counts in the lag of a pair, jtfne's does not: the target "
        "fires a delay earlier "
        "in NEST",
        circuit="plastic",
        reads="weights",
        tolerance=1e-6,
        reason="jtfne's table of edges has weights in float32",
    ),
    potential_row(
        "nest glif1", "current", "glif1", "``GLIF1`` under 400 pA, v between spikes; ``glif_psc``"
    ),
    spikes_row(
        "nest glif2",
        "current",
        "glif2",
        "``GLIF2`` (reset rules) under 500 pA, spikes; ``glif_psc``",
        "the same reset rules",
        kind="steps",
        difference_explained="the reset starts from the potential at the spike in jtfne, from that of the step before "
        "in NEST; both tend to the published rule as dt does to 0",
    ),
    potential_row(
        "nest glif3",
        "current",
        "glif3",
        "``GLIF3`` (after-spike currents) under 600 pA, v between spikes; ``glif_psc``",
        reason="both hold after-spike currents at their means over a step; rounding",
    ),
    potential_row(
        "nest izhikevich",
        "membrane",
        "izhikevich",
        "``Izhikevich2003`` under 10 mV/ms, v before the first spike; ``izhikevich``",
        before_first_spike=True,
        reason="both take the same Euler steps; rounding",
    ),
    spikes_row(
        "nest izhikevich spikes",
        "membrane",
        "izhikevich",
        "the same cell, spikes",
        "both take Euler steps and restart at the end of one",
        kind="steps",
        difference_explained="NEST restarts a cell at the end of the step in which it spiked, jtfne where it crossed "
        "the peak within it, so that intervals are shorter",
    ),
    potential_row(
        "nest adex",
        "membrane",
        "adex",
        "``AdEx`` (10 substeps) under 800 pA, v up to 2 ms before the first spike; "
        "``aeif_psc_exp``",
        before_first_spike=True,
        tolerance=1e-5,
        reason="jtfne's Heun steps of 0.01 ms (order 2); NEST's step is adaptive",
    ),
    spikes_row(
        "nest adex spikes",
        "membrane",
        "adex",
        "the same cell, spikes; NEST resets within a step",
        "jtfne rounds spikes up to the grid as NEST does",
        kind="steps",
        tolerance=1.0,
        difference_explained=LAGS_FROM_RESTART,
    ),
    potential_row(
        "nest hodgkin huxley",
        "membrane",
        "hh",
        "``HodgkinHuxley`` (10 substeps) under 400 pA, v up to 2 ms before the first spike; "
        "``hh_cond_exp_traub``",
        before_first_spike=True,
        tolerance=1e-3,
        reason="NEST's adaptive step allows 1e-3 mV",
    ),
    NestRow(
        name="nest hodgkin huxley spikes",
        peer=PEER,
        quantity="the same cell, times at which v passes 0 mV, by a line between samples of 0.1 ms",
        circuit="membrane",
        cell_type="hh",
        reads="crossings",
        tolerance=1e-3,
        reason="errors of both sides' steps add up from spike to spike",
    ),
    potential_row(
        "nest cond exp",
        "membrane",
        "cond",
        "``LIF`` with ``Conductance`` synapses of both kinds, v; ``iaf_cond_exp``",
        tolerance=1e-4,
        reason=SECOND_ORDER,
    ),
    potential_row(
        "nest cond alpha",
        "membrane",
        "cond_alpha",
        "``LIF`` with ``AlphaConductance`` synapses of both kinds, v; ``iaf_cond_alpha``",
        tolerance=1e-4,
        reason=SECOND_ORDER,
    ),
    potential_row(
        "nest spike times",
        "stimulus",
        "cell",
        "``Paradigm.spike_times`` at 10 to 80 ms, v; ``spike_generator`` whose spikes arrive at "
        "these times",
        reason="a spike acts from its time on; rounding",
    ),
    NestRow(
        name="nest poisson",
        peer=PEER,
        quantity="``Paradigm.poisson`` at 2 kHz: mean and variance of v over 1,000 cells; ``poisson_generator``",
        circuit="poisson",
        kind="statistic",
        reads="moments",
        tolerance=4.0,
        reason="two samples of one distribution",
    ),
    spikes_row(
        "nest jumps",
        "jump",
        "cell",
        "a cell of the preset ``brunel`` under 40 trains of jumps of 0.1 mV, spikes; "
        "``iaf_psc_delta``",
        "a jump acts when it arrives, and the threshold is tested at once",
        kind="steps",
    ),
)


def stored_values(described: dict[str, Any], answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """NEST's side of all rows, by name, as agreement.json keeps it."""
    outcomes = {
        name: read_nest_answer(circuit, answer["circuits"][name])
        for name, circuit in described["circuits"].items()
    }
    return {row.name: read(row, outcomes[row.circuit]) for row in ROWS}
