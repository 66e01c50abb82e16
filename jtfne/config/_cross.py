"""Checks between the parts of a config: names that must exist, signs, times. One line an error."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jtfne._check import JtfneError, list_problems, refuse
from jtfne._grid import nearest_fits, nearest_steps, whole_steps
from jtfne.config._aims import aimed
from jtfne.config._defaults import CELL_TYPES, SIGNS
from jtfne.config._fields import mapped, unplaced
from jtfne.config._gains import misplaced_gains
from jtfne.config._readout_checks import check_readouts
from jtfne.config._senders import driven, onto_rigid, onto_senders, trained
from jtfne.config._sizes import misfits
from jtfne.config.circuit import Circuit
from jtfne.config.connections import Connection, FromDistance, FromTable, LogNormal, Normal, Uniform
from jtfne.config.populations import INPUTS, V_INIT, base_emitter, counts_of
from jtfne.config.readouts import Readouts
from jtfne.config.task import Run, Task, span_ms
from jtfne.emitters import EMITTERS
from jtfne.pydantic_fields.custom_parts import OpenDeclared
from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.pydantic_fields.selector_field import Selector
from jtfne.stimuli import AFFERENTS, SYNAPTIC, Marker, SpikeTimes
from jtfne.synapses import PairSTDP, Synapse

if TYPE_CHECKING:
    from jtfne.config.config import Config

Key = tuple[str, str, str]  # area, layer, cell type
# of a delay: each is a slot of the ring, one number a cell, and float32 delays tell them apart
MOST_STEPS = 2**24
_EMITTERS = OpenDeclared(EMITTERS)


class Known:
    """Names and cell counts that a circuit has declared so far; None where nothing is declared."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.area = [area.name for area in circuit.areas] or None
        self.layer = [layer.name for layer in circuit.layers] or None
        leaves = circuit.cells.leaves() if circuit.cells else []
        self.cell_type = sorted({name for *_, name, _ in leaves}) or None
        self.misnamed = list(_check_mix_names(self, leaves))
        is_complete = self.area and self.layer and self.cell_type and not self.misnamed
        self.counts = counts_of(circuit) if is_complete else None
        # cache: many connections share few selectors
        self._populations_by_criteria: dict[Any, list[Key]] = {}
        self._valid_criteria: set[Any] = set()

    def chosen(self, selector: Selector) -> list[Key]:
        """The populations (area, layer, cell type) that hold cells of `selector`; cached."""
        criteria = _list_criteria(selector)
        if criteria not in self._populations_by_criteria:
            self._populations_by_criteria[criteria] = self._find_populations(selector)
        return self._populations_by_criteria[criteria]

    def types(self, selector: Selector) -> set[str]:
        """The cell types that `selector` matches; those that it names where no cells are known."""
        return {key[2] for key in self.chosen(selector)} or set(selector.cell_type or ())

    def count_cells(self, cell_type: str) -> int | None:
        """Number of cells of a type; None if there are none, or if it is not known."""
        return sum(n for key, n in (self.counts or {}).items() if key[2] == cell_type) or None

    def _find_populations(self, selector: Selector) -> list[Key]:
        """Search all populations for cells of `selector`."""
        populations, first = [], 0
        for key, n_cells in (self.counts or {}).items():
            criteria = (selector.area, selector.layer, selector.cell_type)
            is_named = all(
                names is None or name in names for name, names in zip(key, criteria, strict=True)
            )
            has_id = selector.ids is None or any(
                first <= cell_id < first + n_cells for cell_id in selector.ids
            )
            first += n_cells
            if is_named and has_id:
                populations.append(key)
        return populations

    def refusals(self, selector: Selector, where: str) -> list[str]:
        """The errors of `selector`, one line each: unknown names or ids, or no cell at all."""
        if _list_criteria(selector) in self._valid_criteria:
            return []
        lines = []
        for name in ("area", "layer", "cell_type"):
            allowed_names: Sequence[str] | None = getattr(self, name)
            names = (getattr(selector, name) or ()) if allowed_names else ()
            lines += [
                describe_unknown(given_name, allowed_names or (), name=name, where=where)
                for given_name in names
            ]
        if self.counts is not None:
            total = sum(self.counts.values())
            absent_ids = [cell_id for cell_id in selector.ids or () if cell_id >= total]
            if absent_ids:
                lines.append(
                    _no(
                        f"ids={absent_ids[:5]}",
                        f"ids of the {total} cells, 0 .. {total - 1}",
                        where,
                    )
                )
        problems = [line for line in lines if line]
        if not problems and self.counts is not None and not self.chosen(selector):
            description = ", ".join(f"{k}={v!r}" for k, v in selector if v is not None)
            populations = ", ".join("/".join(key) for key in self.counts)
            problems.append(_no(f"{description}, which matches no cell,", populations, where))
        if not problems:
            self._valid_criteria.add(_list_criteria(selector))
        return problems


def _list_criteria(selector: Selector) -> tuple[Any, ...]:
    """The criteria of a selector as a hashable key."""
    return selector.area, selector.layer, selector.cell_type, selector.ids


def findings(config: "Config", *, whole: bool) -> Iterator[str]:
    """Yield each error between the parts of a config. whole: missing parts are errors too."""
    circuit, declared = config.circuit, Known(config.circuit)
    if whole:
        yield from _check_parts(circuit)
    yield from declared.misnamed
    yield from _check_cells(circuit, declared, whole)
    timed = whole or "run" in config.model_fields_set
    n_cells = {
        name: n
        for name in declared.cell_type or ()
        if (n := declared.count_cells(name)) is not None
    }
    yield from trained(circuit, n_cells, config.run.dt_ms if timed else None)
    for index, connection in enumerate(circuit.connections):
        where = f"Config.circuit.connections[{index}]"
        yield from _check_connection(connection, declared, where)
        if timed:
            yield from _check_delays(connection, declared, config.run.dt_ms, where)
            longest_ms = _longest_delay_ms(connection)
            if longest_ms > MOST_STEPS * config.run.dt_ms:
                yield _no(f"delay_ms={longest_ms:g}", _at_most_steps(config.run.dt_ms), where)
    if whole or (declared.counts is not None and circuit.connections):
        ends = [
            (declared.types(connection.source), declared.types(connection.target))
            for connection in circuit.connections
        ]
        yield from misplaced_gains(circuit, ends)
    yield from _check_stimuli(config.task, config.run if timed else None, declared)
    yield from _check_probes(config.readouts, config.run if timed else None, declared)
    yield from aimed(config, declared, timed=timed, whole=whole)
    yield from mapped(config.readouts.maps, circuit, declared.refusals)
    if whole:
        yield from unplaced(config.readouts, circuit)
        yield from check_readouts(
            config.readouts,
            circuit,
            _used_mechanisms(config),
            declared.counts or (),
            declared.chosen,
        )


def circuit_findings(config: "Config") -> Iterator[str]:
    """Yield each error for which the cells of a config cannot be counted."""
    declared = Known(config.circuit)
    yield from _check_parts(config.circuit)
    yield from declared.misnamed
    yield from _check_cells(config.circuit, declared, whole=True)


def _used_mechanisms(config: "Config") -> list[str]:
    """Names of the declared mechanisms that connections and stimuli use, perhaps repeated."""
    drives: list[Any] = [stimulus.drive for stimulus in config.task.stimuli]
    names = [connection.mechanism for connection in config.circuit.connections]
    names += [drive.mechanism for drive in drives if isinstance(drive, SYNAPTIC)]
    return [name for name in names if name in config.circuit.mechanisms]


def _no(description: str, allowed: str, where: str) -> str:
    """The line of an error: `description` is not allowed, `allowed` is."""
    return str(refuse(description, allowed, where))


def _check_parts(circuit: Circuit) -> Iterator[str]:
    """Yield an error for each of areas, layers and cells that is missing."""
    for verb, part in (
        ("areas", circuit.areas),
        ("layers", circuit.layers),
        ("cells", circuit.cells),
    ):
        if not part:
            yield _no(
                f"a circuit without {verb}",
                f"one that declares them, by Config.{verb}(...)",
                "Config.circuit",
            )


def _check_mix_names(
    declared: Known, leaves: Iterable[tuple[str, str, str, float]]
) -> Iterator[str]:
    """Yield an error for each layer or area of a mix that is not declared."""
    where = "Config.circuit.cells.mix"
    areas, layers = (
        dict.fromkeys(names) for names in list(zip(*leaves, strict=True))[:2] or ((), ())
    )
    for name, names, allowed_names in (
        ("area", areas, declared.area),
        ("layer", layers, declared.layer),
    ):
        for mix_name in names:
            line = (
                describe_unknown(mix_name, allowed_names, name=name, where=where)
                if mix_name and allowed_names
                else None
            )
            if line:
                yield line


def _check_cells(circuit: Circuit, declared: Known, whole: bool) -> Iterator[str]:
    """Yield each error of emitters and cell_params: unknown cell types or fields, bad values."""
    for part in ("emitters", "cell_params"):
        for name in getattr(circuit, part) if declared.cell_type else ():
            line = describe_unknown(
                name, declared.cell_type or (), name="cell type", where=f"Config.circuit.{part}"
            )
            if line:
                yield line
    for cell_type, params in circuit.cell_params.items():
        yield from _check_parameters(declared, cell_type, params)
    if not whole:
        return
    for cell_type in declared.cell_type or ():
        if base_emitter(circuit, cell_type) is None:
            allowed = (
                f"{', '.join(map(repr, CELL_TYPES))}, or a type with an emitter, by "
                "Config.emitters(...)"
            )
            yield _no(
                f"cell type {cell_type!r} without emitter", allowed, "Config.circuit.cells.mix"
            )
    for area in declared.area or () if declared.counts is not None else ():
        if not any(key[0] == area for key in declared.counts or ()):
            yield _no(
                f"area {area!r} without cells", "cells in every area", "Config.circuit.cells.mix"
            )


def _check_parameters(declared: Known, cell_type: str, params: Mapping[str, Any]) -> Iterator[str]:
    """Yield each error in the cell_params of one cell type."""
    where = f"Config.circuit.cell_params[{cell_type!r}]"
    emitter: Any = base_emitter(declared.circuit, cell_type)
    if emitter is None:
        return
    fields = {
        field.name: bool(field.metadata.get("static")) for field in dataclasses.fields(emitter)
    }
    problems = [
        describe_unknown(name, [*fields, *INPUTS, V_INIT], name="parameter", where=where)
        for name in params
    ]
    yield from (line for line in problems if line)
    arrays = {name: np.asarray(value) for name, value in params.items() if isinstance(value, tuple)}
    array_problems = list(_check_arrays(arrays, fields, declared.count_cells(cell_type), where))
    yield from array_problems
    yield from driven(emitter, params, where)
    noise = float(np.min(params.get("noise", 0.0)))
    if noise < 0:
        yield _no(f"noise={noise:g}", "a finite number of at least 0", where)
    numbers = {
        name: value for name, value in params.items() if name in fields and name not in arrays
    }
    base = dataclasses.replace(emitter, **numbers)
    if V_INIT in params and not array_problems:
        yield from _check_v_init(base, arrays, params[V_INIT], where)
    field_arrays = {name: values for name, values in arrays.items() if name in fields}
    if not field_arrays:
        yield from _EMITTERS.list_errors(base, where)
    for k in () if array_problems else _find_extremes(type(emitter), field_arrays, base):
        cell_emitter = dataclasses.replace(
            base, **{name: float(values[k]) for name, values in field_arrays.items()}
        )
        lines = _EMITTERS.list_errors(cell_emitter, f"{where}[cell {k}]")
        yield from lines
        if lines:
            return


def _check_v_init(
    emitter: Any, arrays: Mapping[str, npt.NDArray[np.float64]], value: Any, where: str
) -> Iterator[str]:
    """Yield an error for a v_init_mV that the emitter does not take, or at or above threshold."""
    if not hasattr(emitter, "at_potential"):
        description = (
            f"{V_INIT} of cells of {type(emitter).__name__}, which has no method at_potential,"
        )
        yield _no(description, "no potential before the first step", where)
        return
    v_mV = np.asarray(value, np.float64)
    for name in ("v_th_mV", "v_peak_mV"):
        threshold_mV = arrays.get(name, getattr(emitter, name, np.inf))
        if np.any(v_mV >= threshold_mV):
            description = f"{V_INIT}={float(np.max(v_mV)):g}"
            yield _no(description, f"less than {name}={float(np.min(threshold_mV)):g}", where)


def _check_arrays(
    arrays: Mapping[str, npt.NDArray[np.float64]],
    fields: Mapping[str, bool],
    n_cells: int | None,
    where: str,
) -> Iterator[str]:
    """Yield an error for each array of another length than the cells, or for a static field."""
    for name, values in arrays.items():
        n_values = next(iter(arrays.values())).size if n_cells is None else n_cells
        if fields.get(name):
            yield _no(f"{name} as a sequence", "one value for all cells of the type", where)
        if values.size != n_values:
            yield _no(
                f"{name} with {values.size} values",
                f"a number, or one for each of the {n_values} cells",
                where,
            )


def _find_extremes(cls: Any, arrays: Mapping[str, npt.NDArray[np.float64]], base: Any) -> list[int]:
    """Indices of cells to check: if any cell breaks a limit or a rule BELOW, one of these does."""
    cells = [k for values in arrays.values() for k in (np.argmin(values), np.argmax(values))]
    for low, high in getattr(cls, "BELOW", ()):
        gap = arrays.get(high, getattr(base, high)) - arrays.get(low, getattr(base, low))
        cells += [np.argmin(gap)] if np.ndim(gap) else []
    return sorted({int(k) for k in cells})


def _check_connection(connection: Connection, declared: Known, where: str) -> Iterator[str]:
    """Yield each error of a connection: unknown names, wrong signs, targets that take no input."""
    yield from declared.refusals(connection.source, f"{where}.source")
    yield from declared.refusals(connection.target, f"{where}.target")
    yield from onto_senders(
        declared.circuit, declared.types(connection.target), "a connection", f"{where}.target"
    )
    mechanisms = declared.circuit.mechanisms
    line = describe_unknown(connection.mechanism, mechanisms, name="mechanism", where=where)
    if line:
        yield line
        return
    types = declared.types(connection.source)
    mechanism = mechanisms[connection.mechanism]
    sign = mechanism.sign
    why = f"as mechanism {connection.mechanism!r} says"
    if not sign:
        signs = {SIGNS.get(cell_type, 0) for cell_type in types}
        if len(signs) > 1:
            description = (
                f"source with cell types {', '.join(sorted(types))} and a mechanism without sign"
            )
            yield _no(description, "sources of one sign", where)
            return
        sign = signs.pop() if signs else 0
        why = f"as its source, {', '.join(sorted(types))}, has it"
    yield from _check_signs(connection, sign, mechanism.unit, why, where)
    if mechanism.unit == "mV":
        yield from onto_rigid(
            declared.circuit, declared.types(connection.target), "a jump", f"{where}.target"
        )
    if isinstance(connection.plasticity, PairSTDP):
        yield from _check_w_max(
            connection, float(connection.plasticity.w_max), sign, mechanism.unit, where
        )


def _check_w_max(
    connection: Connection, w_max: float, sign: int, unit: str, where: str
) -> Iterator[str]:
    """Yield an error for a connection with PairSTDP that inhibits, or with weights above w_max."""
    weight, rule = connection.weight, connection.rule
    largest: float | None
    if isinstance(rule, FromTable) and rule.weight is not None:
        largest = max(rule.weight)
    else:
        largest = weight.high if isinstance(weight, Uniform | Normal | LogNormal) else weight
    if sign < 0:
        yield _no(
            "PairSTDP on an inhibitory connection",
            "excitatory ones, whose weights are positive",
            where,
        )
    elif largest is None or largest > w_max:
        description = (
            "weights without an upper end" if largest is None else f"weight={largest:g} {unit}"
        )
        yield _no(description, f"at most w_max={w_max:g} {unit} (high=...) with PairSTDP", where)


def _check_signs(
    connection: Connection, sign: int, unit: str, why: str, where: str
) -> Iterator[str]:
    """Yield an error for weights of both signs, or of another than `sign` (0: either may be)."""
    weight, rule = connection.weight, connection.rule
    if isinstance(rule, FromTable) and rule.weight is not None:
        values, name = [rule.weight.array.min(), rule.weight.array.max()], f"{where}.rule"
    elif isinstance(weight, Uniform):
        values, name = [weight.low, weight.high], where
    elif isinstance(weight, Normal | LogNormal):
        values, name = [weight.mean], where
        if weight.mean == 0.0:
            yield _no("a weight of mean 0, which has no sign,", "a mean above or below 0", name)
    else:
        values, name = [weight], where
    wrong_values = [value for value in values if value * sign < 0]
    if wrong_values:
        yield _no(
            f"weight={wrong_values[0]:g} {unit}",
            f"{'positive' if sign > 0 else 'negative'}, {why}",
            name,
        )
    elif min(values) < 0 < max(values):
        yield _no(
            f"weights from {min(values):g} to {max(values):g} {unit}", "weights of one sign", name
        )


def _check_delays(
    connection: Connection, declared: Known, dt_ms: float, where: str
) -> Iterator[str]:
    """Yield an error for delays under one step, and for one of all edges off the grid."""
    delay, rule = connection.delay_ms, connection.rule
    shortest_ms: float | None
    if isinstance(rule, FromTable) and rule.delay_ms is not None:
        shortest_ms = rule.delay_ms.array.min()
    elif isinstance(delay, FromDistance):
        yield from _check_far_delays(connection, delay, declared, dt_ms, where)
        return
    elif isinstance(delay, Normal | LogNormal):
        shortest_ms = delay.low
        if shortest_ms is None:
            yield _no(
                f"a {delay.kind} delay without low",
                f"low of at least dt_ms={dt_ms:g}",
                f"{where}.delay_ms",
            )
            return
    else:
        shortest_ms = delay.low if isinstance(delay, Uniform) else delay
    # a delay that was float32 once, as in `Net.edges`, is rounded
    if shortest_ms < dt_ms * (1.0 - 1e-6):
        yield _no(f"delay_ms={shortest_ms:g}", f"at least one step, dt_ms={dt_ms:g}", where)
    elif shortest_ms is delay and whole_steps(shortest_ms, dt_ms) is None:  # one for all edges
        yield _refuse_off_grid("delay_ms", shortest_ms, dt_ms, where)


def _refuse_off_grid(name: str, span_ms: float, dt_ms: float, where: str) -> str:
    """The line of an error for a time that is not a whole number of steps."""
    fits = nearest_fits(span_ms, dt_ms)
    return _no(
        f"{name}={span_ms:.9g}", f"a multiple of dt_ms={dt_ms:.9g}, such as {fits} ms", where
    )


def _longest_delay_ms(connection: Connection) -> float:
    """The longest declared delay, ms; 0 for a distribution without an upper end."""
    delay, rule = connection.delay_ms, connection.rule
    if isinstance(rule, FromTable) and rule.delay_ms is not None:
        return float(rule.delay_ms.array.max(initial=0.0))
    if isinstance(delay, FromDistance):
        return float(delay.offset_ms)
    if isinstance(delay, Uniform | Normal | LogNormal):
        return float(delay.high or 0.0)
    return float(delay)


def _check_far_delays(
    connection: Connection, delay: FromDistance, declared: Known, dt_ms: float, where: str
) -> Iterator[str]:
    """Yield the first error of delays by distance: no position, too short, too long."""
    ends = [
        {key[0] for key in declared.chosen(selector)}
        for selector in (connection.source, connection.target)
    ]
    areas = {area.name: area for area in declared.circuit.areas}
    for source, target in (
        (source, target) for source in sorted(ends[0]) for target in sorted(ends[1])
    ):
        unplaced_areas = [name for name in (source, target) if not areas[name].placed]
        if source != target and unplaced_areas:
            description = (
                f"a delay by the distance between {source!r} and {target!r}, "
                f"without position_mm of {unplaced_areas[0]!r},"
            )
            yield _no(description, "Area(name=..., position_mm=...)", f"{where}.delay_ms")
            return
        least_ms = (
            delay.offset_ms
            + math.dist(areas[source].position_mm, areas[target].position_mm) / delay.velocity_m_s
        )
        if least_ms < dt_ms * (1.0 - 1e-6):
            if source == target:
                description = f"offset_ms={delay.offset_ms:g} within {source!r}"
            else:
                description = f"a delay of {least_ms:g} ms between {source!r} and {target!r}"
            yield _no(description, f"at least one step, dt_ms={dt_ms:g}", f"{where}.delay_ms")
            return
        geometry = declared.circuit.geometry
        diagonal_mm = math.hypot(geometry.thickness_mm, 2.0 * geometry.radius_mm)
        longest_ms = least_ms + (diagonal_mm / delay.velocity_m_s if source == target else 0.0)
        if longest_ms > MOST_STEPS * dt_ms:
            ends_named = f"from {source!r} to {target!r} (velocity_m_s={delay.velocity_m_s:g})"
            description = f"a delay of up to {longest_ms:g} ms {ends_named}"
            yield _no(description, _at_most_steps(dt_ms), f"{where}.delay_ms")
            return


def _at_most_steps(dt_ms: float) -> str:
    """Text of an error: the longest delay that is allowed."""
    return f"at most {MOST_STEPS} steps of {dt_ms:g} ms, for which spikes are held in memory"


def _check_stimuli(task: Task, run: Run | None, declared: Known) -> Iterator[str]:
    """Yield each error of the stimuli: bad targets or mechanisms, or times outside the run."""
    for index, stimulus in enumerate(task.stimuli):
        where = f"Config.task.stimuli[{index}]"
        yield from declared.refusals(stimulus.target, f"{where}.target")
        drive: Any = stimulus.drive
        if not isinstance(drive, Marker):
            what = f"a {type(drive).__name__}"
            yield from onto_senders(
                declared.circuit, declared.types(stimulus.target), what, f"{where}.target"
            )
        if isinstance(drive, SpikeTimes) and drive.cells is not None:
            yield from _check_table_cells(drive.cells, stimulus.target, declared, where)
        if isinstance(drive, SYNAPTIC):
            line = describe_unknown(
                drive.mechanism, declared.circuit.mechanisms, name="mechanism", where=where
            )
            if line:
                yield line
            else:
                mechanism = declared.circuit.mechanisms[drive.mechanism]
                yield from _check_poisson_weight(drive, mechanism, where)
                if mechanism.unit == "mV":
                    yield from onto_rigid(
                        declared.circuit,
                        declared.types(stimulus.target),
                        "a jump",
                        f"{where}.target",
                    )
        if run is not None:
            yield from misfits(drive, run, where)
            start_ms, last_ms, stop_ms = span_ms(stimulus, run.duration_ms)
            if last_ms >= run.duration_ms or stop_ms > run.duration_ms * (1.0 + 1e-9):
                description = (
                    f"a {type(drive).__name__} from {start_ms:g} to {max(last_ms, stop_ms):g} ms"
                )
                yield _no(
                    description, f"a stimulus within the run, 0 to {run.duration_ms:g} ms", where
                )
            elif isinstance(drive, AFFERENTS) and nearest_steps(last_ms, run.dt_ms) >= run.n_steps:
                description = (
                    f"a {type(drive).__name__} at {last_ms:.9g} ms, from which the run does not "
                    "go on,"
                )
                yield _no(
                    description,
                    f"at most the start of the last step, {run.duration_ms - run.dt_ms:.9g} ms",
                    where,
                )


def _check_table_cells(
    cells: tuple[int, ...], target: Selector, declared: Known, where: str
) -> Iterator[str]:
    """Yield an error for cell ids of a SpikeTimes that its target does not select."""
    if declared.counts is None:
        return
    chosen, first = set(declared.chosen(target)), 0
    target_ids: set[int] = set()
    for key, n_cells in declared.counts.items():
        target_ids |= set(range(first, first + n_cells)) if key in chosen else set()
        first += n_cells
    target_ids &= target_ids if target.ids is None else set(target.ids)
    foreign_cells = sorted(set(cells) - target_ids)
    if foreign_cells:
        yield _no(
            f"cells={foreign_cells[:5]}", f"ids of the {len(target_ids)} cells of the target", where
        )


def _check_poisson_weight(drive: Any, mechanism: Synapse, where: str) -> Iterator[str]:
    """Yield an error for a stimulus weight of another unit or sign than the mechanism."""
    name = next(name for name in type(drive).WEIGHTS if getattr(drive, name) is not None)
    description, expected_name = f"{name}={drive.weight:g}", f"weight_{mechanism.unit}"
    if name != expected_name:
        yield _no(
            description,
            f"{expected_name}, since mechanism {drive.mechanism!r} is of kind "
            f"{type(mechanism).__name__}",
            where,
        )
    elif drive.weight * mechanism.sign < 0:
        yield _no(description, f"the sign of mechanism {drive.mechanism!r}", where)


def _check_probes(readouts: Readouts, run: Run | None, declared: Known) -> Iterator[str]:
    """Yield each error of the probes: unknown cells, intervals off the grid or too long."""
    for index, probe in enumerate(readouts.probes):
        where = f"Config.readouts.probes[{index}]"
        cells = getattr(probe, "cells", None)
        if isinstance(cells, Selector):
            yield from declared.refusals(cells, f"{where}.cells")
        interval_ms = getattr(probe, "interval_ms", None)
        if interval_ms is None or run is None:
            continue
        if whole_steps(interval_ms, run.dt_ms) is None:
            yield _refuse_off_grid("interval_ms", interval_ms, run.dt_ms, where)
        elif interval_ms > run.duration_ms * (1.0 + 1e-9):
            yield _no(
                f"interval_ms={interval_ms:g}", f"at most the run, {run.duration_ms:g} ms", where
            )


def refuse_all(lines: Iterable[str]) -> None:
    """Raises: JtfneError with `lines`, if there are any."""
    problems = list_problems(lines)
    if problems:
        raise JtfneError(problems)
