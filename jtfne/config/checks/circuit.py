"""Checks of a circuit's parts, emitters, cell_params and gains against its cells and the step."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.circuit import Circuit
from jtfne.config.labels import group_by_pair
from jtfne.config.populations import INPUTS, V_INIT, base_emitter
from jtfne.emitters import EMITTERS, PoissonSource, SpikeSource, Trains, can_receive, has_method
from jtfne.pydantic_fields.custom_parts import OpenDeclared
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.pydantic_fields.part_protocols import EMITTER
from jtfne.synapses import PairSTDP

_EMITTERS = OpenDeclared(EMITTERS, EMITTER)
Arrays = Mapping[str, npt.NDArray[np.float64]]


def check_parts(circuit: Circuit) -> Iterator[str]:
    """Yield an error for each of areas, layers and cells that is missing."""
    parts = {"areas": circuit.areas, "layers": circuit.layers, "cells": circuit.cells}
    for verb, part in parts.items():
        if not part:
            yield describe_refusal(
                f"a circuit without {verb}",
                f"one that declares them, by Config.{verb}(...)",
                "Config.circuit",
            )


def check_emitters(circuit: Circuit, declared: DeclaredNames) -> Iterator[str]:
    """Yield each error of emitters and cell_params: unknown cell types or fields, bad values."""
    for part in ("emitters", "cell_params"):
        where = f"Config.circuit.{part}"
        for cell_type in getattr(circuit, part) if declared.cell_types else ():
            line = describe_unknown(
                cell_type, declared.cell_types or (), name="cell type", where=where
            )
            if line:
                yield line
    counts_by_type = declared.count_cells_of_types()
    for cell_type, params in circuit.cell_params.items():
        emitter = base_emitter(circuit, cell_type)
        if emitter is not None:
            where = f"Config.circuit.cell_params[{cell_type!r}]"
            yield from _check_parameters(emitter, params, counts_by_type.get(cell_type), where)


def _check_parameters(
    emitter: Any, params: Mapping[str, Any], n_cells: int | None, where: str
) -> Iterator[str]:
    """Yield each error in the cell_params of one cell type."""
    fields = [field.name for field in dataclasses.fields(emitter)]
    arrays: dict[str, npt.NDArray[np.float64]] = {}
    shared_values = {}  # the fields that all cells of the type have alike
    for name, value in params.items():
        if isinstance(value, tuple):
            arrays[name] = np.asarray(value)
        elif name in fields:
            shared_values[name] = value
        line = describe_unknown(name, [*fields, *INPUTS, V_INIT], name="parameter", where=where)
        if line:
            yield line
    array_problems = list(_check_arrays(emitter, arrays, n_cells, where))
    yield from array_problems
    yield from _check_input(emitter, params, where)
    base = dataclasses.replace(emitter, **shared_values)
    if V_INIT in params and not array_problems:
        yield from _check_v_init(base, arrays, params[V_INIT], where)
    field_arrays = {name: values for name, values in arrays.items() if name in fields}
    if not field_arrays:
        yield from _EMITTERS.list_errors(base, where)
    elif not array_problems:
        yield from _check_cell_values(base, field_arrays, where)


def _check_arrays(emitter: Any, arrays: Arrays, n_cells: int | None, where: str) -> Iterator[str]:
    """Yield an error for each array of another length than the cells, or for a static field."""
    if not arrays:
        return
    metadata: dict[str, Mapping[str, Any]] = {}
    for field in dataclasses.fields(emitter):
        metadata[field.name] = field.metadata
    # as long as no cells are declared, arrays have at least to be of one length
    n_values = next(iter(arrays.values())).size if n_cells is None else n_cells
    for name, values in arrays.items():
        if name in metadata and metadata[name].get("static"):
            yield describe_refusal(
                f"{name} as a sequence", "one value for all cells of the type", where
            )
        if values.size != n_values:
            yield describe_refusal(
                f"{name} with {values.size} values",
                f"a number, or one for each of the {n_values} cells",
                where,
            )


def _check_input(emitter: Any, params: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield an error for drive or noise (not 0) of cells that only send, and for noise below 0."""
    if not can_receive(emitter):
        for name in INPUTS:
            if np.any(params.get(name, 0.0)):
                description = f"{name} of a {type(emitter).__name__}, which only sends,"
                yield describe_refusal(description, "no input", where)
    least_noise = float(np.min(params.get("noise", 0.0)))
    if least_noise < 0:
        yield describe_refusal(f"noise={least_noise:g}", "a finite number of at least 0", where)


def _check_v_init(emitter: Any, arrays: Arrays, value: Any, where: str) -> Iterator[str]:
    """Yield an error for a v_init_mV that the emitter does not take, or at or above threshold."""
    if not has_method(emitter, "at_potential"):
        description = (
            f"{V_INIT} of cells of {type(emitter).__name__}, which has no method at_potential,"
        )
        yield describe_refusal(description, "no potential before the first step", where)
        return
    v_mV = np.asarray(value, np.float64)
    for name in ("v_th_mV", "v_peak_mV"):
        threshold_mV = arrays.get(name, getattr(emitter, name, np.inf))
        if np.any(v_mV >= threshold_mV):
            yield describe_refusal(
                f"{V_INIT}={float(np.max(v_mV)):g}",
                f"less than {name}={float(np.min(threshold_mV)):g}",
                where,
            )


def _check_cell_values(base: Any, arrays: Arrays, where: str) -> Iterator[str]:
    """Yield the errors of the first cell whose values break a limit of the emitter.

    base: the emitter with the values that all cells share.
    """
    for k in _find_extremes(base, arrays):
        cell_values = {name: float(values[k]) for name, values in arrays.items()}
        cell_emitter = dataclasses.replace(base, **cell_values)
        lines = _EMITTERS.list_errors(cell_emitter, f"{where}[cell {k}]")
        if lines:
            yield from lines
            return


def _find_extremes(base: Any, arrays: Arrays) -> list[int]:
    """Indices of cells to check: if any cell breaks a limit or a rule BELOW, one of these does."""
    cells: list[Any] = []
    for values in arrays.values():
        cells += [np.argmin(values), np.argmax(values)]
    for low, high in getattr(type(base), "BELOW", ()):
        gap = arrays.get(high, getattr(base, high)) - arrays.get(low, getattr(base, low))
        if np.ndim(gap):
            cells.append(np.argmin(gap))
    return sorted({int(k) for k in cells})


def check_spike_trains(
    circuit: Circuit, declared: DeclaredNames, dt_ms: float | None
) -> Iterator[str]:
    """Yield an error for more spike trains than cells, and for more than one spike a step.

    dt_ms: None as long as no run is declared.
    """
    counts_by_type = declared.count_cells_of_types()
    for cell_type, emitter in circuit.emitters.items():
        where = f"Config.circuit.emitters.{cell_type}"
        if dt_ms is not None:
            params = circuit.cell_params.get(cell_type, {})
            yield from _check_poisson_rate(emitter, params, dt_ms, where)
        trains = emitter.times_ms if isinstance(emitter, SpikeSource) else None
        if not isinstance(trains, Trains):
            continue
        n_cells = counts_by_type.get(cell_type)
        if n_cells is not None and len(trains) > n_cells:
            allowed = f"one for each of the {n_cells} cells"
            yield describe_refusal(f"{len(trains)} trains", allowed, where)
        double_spike = None if dt_ms is None else trains.at_once(dt_ms)
        if double_spike is not None:
            cell, t_ms = double_spike
            description = f"times_ms[{cell}] with two spikes in one step, at {t_ms:g} ms"
            yield describe_refusal(description, f"at most one in dt_ms={dt_ms:g}", where)


def _check_poisson_rate(
    emitter: Any, params: Mapping[str, Any], dt_ms: float, where: str
) -> Iterator[str]:
    """Yield an error for a PoissonSource with a rate above one spike a step.

    params: the cell_params of its type.
    """
    if not isinstance(emitter, PoissonSource):
        return
    rates_Hz = np.asarray(params.get("rate_Hz", emitter.rate_Hz))
    rate_Hz = float(rates_Hz.max()) if rates_Hz.dtype.kind in "iuf" and rates_Hz.size else 0.0
    if rate_Hz * dt_ms > 1e3:
        spikes_per_step = rate_Hz * dt_ms * 1e-3
        description = (
            f"a PoissonSource of rate_Hz={rate_Hz:g}, {spikes_per_step:g} spikes a step of "
            f"{dt_ms:g} ms,"
        )
        yield describe_refusal(description, f"at most one a step, {1e3 / dt_ms:g} Hz", where)


def check_gains(circuit: Circuit, ends: Sequence[tuple[Set[str], Set[str]]]) -> Iterator[str]:
    """Yield an error for gains of unconnected pairs, and above 1 on synapses with PairSTDP.

    ends: the cell types of the sources and of the targets of each connection.
    """
    where, indices_by_pair = "Config.circuit.gains", group_by_pair(ends)
    for pair, gain in circuit.gains.items():
        line = describe_unknown(pair, indices_by_pair, name="gain", where=where)
        if line:
            yield line
            continue
        for index in indices_by_pair[pair]:
            if gain > 1.0 and isinstance(circuit.connections[index].plasticity, PairSTDP):
                description = (
                    f"{pair}={gain:g} onto synapses of PairSTDP, whose weights are bounded by "
                    "w_max,"
                )
                yield describe_refusal(description, "at most 1", where)
                break
