"""A circuit at a glance: numbers of cells, in-degrees between populations, and expected rates."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import JtfneError
from jtfne._units import Floats, S_PER_ms
from jtfne.config import Population
from jtfne.config.labels import connection_labels
from jtfne.emitters import LIF
from jtfne.measures.meanfield import stationary_rates
from jtfne.stimuli import Constant, Poisson
from jtfne.synapses import Delta, Exponential, Synapse
from jtfne.wiring._data import NetData

if TYPE_CHECKING:
    import pandas as pd


CONNECTION_COLUMNS = (
    "connection",
    "mechanism",
    "rule",
    "n_edges",
    "mean",
    "least",
    "most",
    "weight",
    "unit",
    "delay_ms",
)
MAX_STEPS = 5000  # of the relaxation of rates, some tenths of a second


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Summary:
    """Tables about a circuit, as `Net.summary` returns them; printed, a page of text.

    Attributes
    ----------
    populations : pandas.DataFrame
        `area`, `layer`, `cell_type`, `n_neurons`, `mean_in_degree`, `mean_out_degree`, and
        `expected_rate_Hz`, NaN where it is not known.
    connections : pandas.DataFrame
        A row a connection: its label, mechanism, rule, `n_edges`, in-degrees (`mean`, `least`,
        `most` over the cells that its target selects), mean weight (`pA`, `nS` or `mV`) and delay.
    in_degrees : pandas.DataFrame
        Mean inputs onto a cell of the row's population from the column's, of all connections.
    rates : str
        Where the expected rates are from, or why there are none.
    """

    populations: "pd.DataFrame"
    connections: "pd.DataFrame"
    in_degrees: "pd.DataFrame"
    rates: str

    def __str__(self) -> str:
        """The tables as text."""
        n_neurons, n_edges = self.populations["n_neurons"].sum(), self.connections["n_edges"].sum()
        populations = self.populations.dropna(axis="columns", how="all")
        parts = [
            f"{n_neurons:,} cells, {n_edges:,} synapses",
            populations.round(2).to_string(index=False),
            self.rates,
        ]
        if len(self.connections):
            parts.append(self.connections.round(3).to_string(index=False))
        return "\n\n".join(parts)

    __repr__ = __str__


def summarize_net(net: NetData) -> Summary:
    """The summary of a net with names. Raises: JtfneError for one without."""
    import pandas as pd

    labels, code = _populations(net)
    n_cells = np.bincount(code, minlength=len(labels))
    in_degree, out_degree = net.degrees()
    inputs = _sums(net, code, len(labels), power=0)
    rate_Hz, rates_note = expected_rates(net)
    populations = pd.DataFrame(labels, columns=["area", "layer", "cell_type"]).assign(
        n_neurons=n_cells,
        mean_in_degree=np.bincount(code, in_degree, len(labels)) / n_cells,
        mean_out_degree=np.bincount(code, out_degree, len(labels)) / n_cells,
        expected_rate_Hz=rate_Hz,
    )
    has_several_areas = len({area for area, *_ in labels}) > 1
    names = [" ".join(label if has_several_areas else label[1:]) for label in labels]
    in_degrees = pd.DataFrame(
        inputs / n_cells[:, None], pd.Index(names, name="target"), pd.Index(names, name="source")
    )
    return Summary(
        populations=populations,
        connections=_connections(net),
        in_degrees=in_degrees,
        rates=rates_note,
    )


def _populations(net: NetData) -> tuple[list[tuple[str, str, str]], NDArray[np.int64]]:
    """Labels of the populations by their first cells, and each cell's population, (n_neurons,)."""
    cells = net.neurons
    keys = list(zip(cells["area"], cells["layer"], cells["cell_type"], strict=True))
    code_by_key = {key: code for code, key in enumerate(dict.fromkeys(keys))}
    return list(code_by_key), np.array([code_by_key[key] for key in keys], dtype=np.int64)


def _sums(net: NetData, code: NDArray[np.int64], n: int, *, power: int) -> Floats:
    """Sum of weight**power over all edges, (n, n) target by source population."""
    sums = np.zeros(n * n)
    for projection in net.projections:
        pair = code[projection.target] * n + np.repeat(code, np.diff(projection.indptr))
        weight = np.broadcast_to(
            np.asarray(projection.weight, np.float64) ** power, projection.n_edges
        )
        sums += np.bincount(pair, weight, n * n)
    return sums.reshape(n, n)


def _connections(net: NetData) -> "pd.DataFrame":
    """The table of connections, one row each."""
    import pandas as pd

    connections = net.config.circuit.connections
    synapses, labels = net.config.circuit.mechanisms, connection_labels(connections)
    rows: list[dict[str, Any]] = []
    for projection in net.projections:
        connection = connections[projection.connection]
        in_degree = np.bincount(projection.target, minlength=net.n_neurons)
        in_degree = in_degree[net.select_with(connection.target)]
        rows.append(
            {
                "connection": labels[projection.connection],
                "mechanism": projection.mechanism,
                "rule": connection.rule.kind,
                "n_edges": projection.n_edges,
                "mean": float(in_degree.mean()),
                "least": int(in_degree.min()),
                "most": int(in_degree.max()),
                "weight": _average(projection.weight, projection.n_edges),
                "unit": synapses[projection.mechanism].unit,
                "delay_ms": _average(projection.delay_ms, projection.n_edges),
            }
        )
    return pd.DataFrame(rows, columns=list(CONNECTION_COLUMNS))


def _average(values: NDArray[np.float32], n_edges: int) -> float:
    """The mean of a value of edges, (n_edges,) or (1,) for all; NaN where there is no edge."""
    return float(np.mean(values, dtype=np.float64)) if n_edges else np.nan


def expected_rates(net: NetData) -> tuple[Floats | float, str]:
    """Stationary rates by mean field, (n_populations,) Hz, and a sentence.

    Where it does not apply, NaN and the reason.

    It applies to LIF cells of one kind, driven by constant currents and by Poisson spikes through
    the whole run, and joined by exponential currents of one time constant, or by jumps.
    Source: as `jtfne.measures.meanfield.stationary_rates`.
    """
    labels, code = _populations(net)
    population_by_label = {}
    for population in net.populations:
        label = population.area, population.layer, population.cell_type
        population_by_label[label] = population
    populations = [population_by_label[label] for label in labels]
    obstacle = _find_obstacle(net, populations)
    if obstacle:
        return np.nan, f"no expected rates: {obstacle}"
    cell: Any = populations[0].emitter
    tau_ms = max(map(_tau_syn_ms, _list_synapses(net)), default=0.0)
    # of an event of weight 1: pA ms of a pA, or of a jump of a mV
    charge_ms = tau_ms if tau_ms else cell.c_m_pF
    n_cells, jump_mV = np.bincount(code), charge_ms / cell.c_m_pF
    sum_mV = _sums(net, code, len(labels), power=1) / n_cells[:, None] * jump_mV
    square_sum_mV2 = _sums(net, code, len(labels), power=2) / n_cells[:, None] * jump_mV**2
    # as many equal inputs as have this mean and this variance
    with np.errstate(divide="ignore", invalid="ignore"):
        jumps = np.where(sum_mV != 0.0, square_sum_mV2 / sum_mV, 0.0)
        inputs = np.where(square_sum_mV2 > 0.0, sum_mV * sum_mV / square_sum_mV2, 0.0)
    mean_pA = np.array([population.drive for population in populations], np.float64)
    variance = np.zeros(len(labels))
    for stimulus in net.config.task.stimuli:
        cell_share = (
            np.bincount(code[net.select_with(stimulus.target)], minlength=len(labels)) / n_cells
        )
        drive = stimulus.drive
        if np.any((cell_share > 0.0) & (cell_share < 1.0)):
            return np.nan, "no expected rates: a stimulus reaches a part of a population"
        if isinstance(drive, Poisson):
            mean_pA += cell_share * drive.weight * charge_ms * drive.rate_Hz * S_PER_ms
            variance += (
                cell_share
                * cell.tau_m_ms
                * S_PER_ms
                * drive.rate_Hz
                * (drive.weight * jump_mV) ** 2
            )
        elif isinstance(drive, Constant):
            mean_pA += cell_share * drive.amplitude
    try:
        solution = stationary_rates(
            inputs,
            jumps,
            mu_ext_mV=mean_pA * cell.tau_m_ms / cell.c_m_pF,
            variance_ext_mV2=variance,
            tau_m_ms=cell.tau_m_ms,
            v_th_mV=cell.v_th_mV - cell.v_rest_mV,
            v_reset_mV=cell.v_reset_mV - cell.v_rest_mV,
            t_ref_ms=cell.t_ref_ms,
            tau_syn_ms=tau_ms,
            max_steps=MAX_STEPS,
        )
    except JtfneError as error:
        return np.nan, f"no expected rates: {error}"
    return (
        solution.rate_Hz,
        "expected rates: mean field (Amit & Brunel 1997), asynchronous and stationary",
    )


def _list_synapses(net: NetData) -> list[Synapse]:
    """The synapses that connections and Poisson stimuli of the net use."""
    mechanisms = {projection.mechanism for projection in net.projections}
    for stimulus in net.config.task.stimuli:
        if isinstance(stimulus.drive, Poisson):
            mechanisms.add(stimulus.drive.mechanism)
    return [net.config.circuit.mechanisms[mechanism] for mechanism in sorted(mechanisms)]


def _tau_syn_ms(synapse: Synapse) -> float:
    """The time constant of an exponential current, 0 of a jump."""
    return float(synapse.tau_ms) if isinstance(synapse, Exponential) else 0.0


def _find_obstacle(net: NetData, populations: list[Population]) -> str:
    """Why mean field does not apply; "" where it does."""
    if not all(isinstance(population.emitter, LIF) for population in populations):
        return "not all cells are LIF"
    for population in populations:
        numbers = (*vars(population.emitter).values(), population.drive, population.noise)
        if any(map(np.ndim, numbers)):
            return "parameters differ from cell to cell"
    for population in populations:
        if vars(population.emitter) != vars(populations[0].emitter):
            return "populations differ in their parameters"
    if any(population.noise for population in populations):
        return "cells have white noise"
    synapses = _list_synapses(net)
    if not all(isinstance(synapse, Exponential | Delta) for synapse in synapses):
        return "some synapses are neither exponential currents nor jumps"
    if len({_tau_syn_ms(synapse) for synapse in synapses}) > 1:
        return "synapses have several time constants"
    duration_ms = net.config.run.duration_ms
    for stimulus in net.config.task.stimuli:
        drive = stimulus.drive
        is_stationary = isinstance(drive, Constant | Poisson) and drive.start_ms == 0.0
        if isinstance(drive, Poisson):
            is_stationary = (
                is_stationary
                and not drive.shared
                and (drive.stop_ms is None or drive.stop_ms >= duration_ms)
            )
        if not is_stationary:
            return "a stimulus varies over time, or is shared"
    return ""
