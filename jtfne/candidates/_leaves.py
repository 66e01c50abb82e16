"""Maps values by path to arrays of one compiled circuit: candidates differ in these alone."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from jtfne._check import JtfneError, list_problems, refuse
from jtfne._precision import precision
from jtfne.batch import names_of
from jtfne.candidates._synapses import Weights, make_weights
from jtfne.config import Config, Population, Trainable
from jtfne.config.checks.trainables import check_trainables
from jtfne.config.parameter_paths import Place
from jtfne.config.parameter_values import check_bounds, replace_values
from jtfne.config.parameters import CONFIG, Parameters
from jtfne.delivery import DeliverySpec
from jtfne.flatnet import FlatNet, find_receptor_row, spread_input_pA
from jtfne.net import Net
from jtfne.wiring import Projection

# Golden ratio: its multiples, modulo 1, are all different, so that no two values are equal by
# chance.
GOLDEN_RATIO = 0.6180339887498949
MARK = float("nan")  # one object, told from every other number by `is`


@dataclasses.dataclass(frozen=True)
class ParameterSlot:
    """Where a value goes: entries `index` of `leaf` (None: all of it) are `scale` times value `k`."""

    k: int
    leaf: str
    index: Any
    scale: Any


@dataclasses.dataclass(frozen=True, eq=False)
class ParameterMap:
    """Map from the values of d paths, (d,), to leaves of `flat` by name.

    Called with numbers it gives numpy arrays with the bits of `circuit(values)`, which
    `jtfne.batch.run_batch(values=)` takes; with `xp=jax.numpy` it can be traced and differentiated,
    and rounds as jax does. A net constructed from `config(values)` has the same bits too, but for
    weights from distributions, which are drawn scaled: these agree to rounding.

    Attributes
    ----------
    net : Net
        The circuit that candidates are made of.
    places : tuple of Place
        Where the paths lead.
    flat : FlatNet
        Its arrays, of the form that all candidates have.
    """

    net: Net
    places: tuple[Place, ...]
    flat: FlatNet
    entries: tuple[ParameterSlot, ...]
    weights: Weights | None

    @classmethod
    def build(
        cls,
        net: Net,
        paths: Sequence[str],
        probe_values: Sequence[float],
        *,
        mechanisms: Sequence[str] = (),
        delivery: DeliverySpec | None = None,
        where: str = "ParameterMap.build",
    ) -> Self:
        """Build the map of `paths`.

        probe_values: one value for each path, unlike any other number in the circuit, so that no two
        entries are equal by chance: the arrays then have the form that fits every candidate.
        Raises: JtfneError for a path that leads nowhere, on which nothing depends, or that leads to
        plastic synapses; and for a circuit that is spread over devices.
        """
        places = Parameters.of(net.config).find_all(paths, where)
        if net.identity is None:
            raise refuse("values of a net without identity", "a net built from a Config", where)
        weights = make_weights(net, places, where)
        template = _replace_values(
            net, weights, dict(zip(places, map(float, probe_values), strict=True))
        )
        flat = template.to_flat(mechanisms=tuple(mechanisms), tracked=False, delivery=delivery)
        delivery_weights = None if weights is None else weights.map_to_delivery(flat, net)
        entries: list[ParameterSlot] = []
        for k, place in enumerate(places):
            entries += _list_entries(k, place, template, flat, where)
        return cls(net, places, flat, tuple(entries), delivery_weights)

    def __call__(self, values: Any, xp: Any = np) -> dict[str, Any]:
        """The leaves that depend on `values` (d,), by name. xp: numpy or jax.numpy."""
        leaves: dict[str, Any] = {}
        for entry in self.entries:
            array = leaves.get(entry.leaf)
            array = xp.array(self._get_base_leaf(entry.leaf)) if array is None else array
            new_values = xp.asarray(values[entry.k] * entry.scale, array.dtype)
            leaves[entry.leaf] = _set_entries(array, entry.index, new_values)
        if self.weights is not None:
            leaves["circuit.delivery.weights"] = self.weights(values, xp)
        return leaves

    def with_values(self, values: Any) -> FlatNet:
        """The arrays of the circuit with these values, on the device."""
        leaves, tree = self._named_leaves
        with precision(str(self.flat.circuit.drive_pA.dtype)):
            changed_leaves = {name: jnp.asarray(array) for name, array in self(values).items()}
        new_leaves = [changed_leaves.get(name, leaf) for name, leaf in leaves]
        flat: FlatNet = jax.tree.unflatten(tree, new_leaves)
        return flat

    @functools.cached_property
    def _named_leaves(self) -> tuple[list[tuple[str, Any]], Any]:
        """The leaves of the circuit as (name, array) pairs in order, and their tree structure."""
        leaves, tree = jax.tree.flatten(self.flat)
        return list(zip(names_of(self.flat), leaves, strict=True)), tree

    def config(self, values: Any) -> Config:
        """The config that declares these values. Raises: JtfneError if it is refused."""
        return replace_values(
            self.net.config, dict(zip(self.places, map(float, values), strict=True))
        )

    def circuit(self, values: Any) -> Net:
        """The circuit with these values: its config and its edges; no edge is drawn again."""
        return _replace_values(
            self.net, self.weights, dict(zip(self.places, map(float, values), strict=True))
        )

    def _get_base_leaf(self, leaf: str) -> Any:
        """The leaf of `flat` with this name, before values are put into it."""
        part: Any = self.flat
        for step in leaf.replace("[", ".").replace("]", "").split("."):
            part = part[int(step)] if step.isdigit() else getattr(part, step)
        return part


def choose_probe_values(config: Config, trainables: Sequence[Trainable], where: str) -> list[float]:
    """One value for each trainable, within its bounds and unlike any other; checks them first.

    Raises: JtfneError, one line a problem, that names the path.
    """
    if not trainables:
        raise refuse(
            "nothing to tune",
            "at least one Trainable, by Config.trainables(...) or trainables=",
            where,
        )
    parameters = Parameters.of(config)
    problems = list(check_trainables(parameters, trainables, where))
    if problems:
        raise JtfneError(list_problems(problems))
    places = parameters.find_all([trainable.path for trainable in trainables], where)
    check_bounds(config, dict(zip(places, trainables, strict=True)), where)
    probe_values = []
    for k, trainable in enumerate(trainables):
        low, high = trainable.bounds
        share = GOLDEN_RATIO * (k + 1) % 1.0
        probe_values.append(low + (high - low) * share)
    return probe_values


def find_grid_steps(
    config: Config, places: Sequence[Place], probe_values: Sequence[float], where: str
) -> list[float | None]:
    """For each place dt where the config takes multiples of dt alone, such as a delay; else None.

    probe_values: one within the bounds of each.
    Raises: JtfneError for a place at which neither the value nor the nearest multiple is allowed.
    """
    dt_ms = config.run.dt_ms
    steps: list[float | None] = []
    for place, value in zip(places, probe_values, strict=True):
        step: float | None = None
        if place.family == CONFIG:
            try:
                replace_values(config, {place: value}).check()
            except JtfneError:
                step = dt_ms
                try:
                    replace_values(config, {place: round_to(value, dt_ms)}).check()
                except JtfneError as error:
                    problem = f"path={place.path!r}, which takes not each value within its bounds,"
                    raise refuse(problem, f"one that does: {error}", where) from error
        steps.append(step)
    return steps


def round_to(value: float, step: float | None) -> float:
    """The nearest multiple of `step`; `value` itself if there is no step."""
    return value if step is None else float(np.round(np.round(value / step) * step, 9))


def _set_entries(array: Any, index: Any, new_values: Any) -> Any:
    """`array` with `new_values` at `index` (None: all); a numpy array is changed in place."""
    if index is None:
        return new_values
    if isinstance(array, np.ndarray):
        array[index] = new_values
        return array
    return array.at[index].set(new_values)


def _replace_values(net: Net, weights: Weights | None, values: dict[Place, float]) -> Net:
    """A copy of `net` whose config and weights have these values."""
    config = replace_values(net.config, values)
    projections: Sequence[Projection] = net.projections
    if weights is not None:
        projections = weights.projections(projections, list(values.values()))
    return Net(config, net.identity, projections, n_neurons=net.n_neurons)


def _list_entries(k: int, place: Place, net: Net, flat: FlatNet, where: str) -> list[ParameterSlot]:
    """Where the value of path `k` goes in `flat`; weights are not among these."""
    if place.family == "cells":
        return [_entry_for_cells(k, place, net, flat, where)]
    if place.family == "mechanisms":
        return _entries_for_mechanism(k, place, net, flat, where)
    return []


def _entry_for_cells(k: int, place: Place, net: Net, flat: FlatNet, where: str) -> ParameterSlot:
    """Where a value of a cell type goes: drive, noise or a field of its emitter."""
    populations = net.populations
    meant = [
        population.cell_type == place.name
        and place.area in ("", population.area)
        and place.layer in ("", population.layer)
        for population in populations
    ]
    is_meant = np.repeat(meant, [population.n_cells for population in populations])
    rows = np.flatnonzero(is_meant)
    population = populations[meant.index(True)]
    if place.field in ("drive", "noise"):
        scale = spread_input_pA(populations)[rows]
        return ParameterSlot(k, f"circuit.{place.field}_pA", rows, scale)
    _refuse_unit(population, place, where)
    for n, group in enumerate(flat.circuit.groups):
        index = np.arange(net.n_neurons) if group.index is None else np.asarray(group.index)
        rows_in_group = np.flatnonzero(is_meant[index])
        if rows_in_group.size:
            is_scalar = np.ndim(getattr(group.emitter, place.field)) == 0
            return ParameterSlot(
                k,
                f"circuit.groups[{n}].emitter.{place.field}",
                None if is_scalar else rows_in_group,
                1.0,
            )
    raise refuse(f"path={place.path!r}, of which there is no cell,", "cells of that type", where)


def _refuse_unit(population: Population, place: Place, where: str) -> None:
    """Raises: JtfneError if changing this field changes the input unit of the cells."""
    emitter: Any = population.emitter
    changed_emitter = dataclasses.replace(
        emitter, **{place.field: 2.0 * np.max(getattr(emitter, place.field)) + 1.0}
    )
    if np.max(changed_emitter.input_pA) != np.max(emitter.input_pA):
        problem = f"path={place.path!r}, with which the input unit of these cells changes,"
        raise refuse(problem, f"cells.{place.name}.drive, and weights", where)


def _entries_for_mechanism(
    k: int, place: Place, net: Net, flat: FlatNet, where: str
) -> list[ParameterSlot]:
    """Where a number of a mechanism goes, a time constant or another field.

    Raises: JtfneError if no synapse and no stimulus uses the mechanism.
    """
    if not any(place.name in names for names in flat.receptors):
        mechanisms_in_use = (
            ", ".join(repr(name) for names in flat.receptors for name in names) or "nothing"
        )
        raise refuse(
            f"path={place.path!r}, on which nothing depends,",
            f"a mechanism in use: {mechanisms_in_use}",
            where,
        )
    row = find_receptor_row(place.name, flat.receptors)
    mechanism: Any = net.config.circuit.mechanisms[place.name]
    # In the marked copy, what is MARK itself is the field, and what is NaN is computed from it.
    marked_mechanism: Any = dataclasses.replace(mechanism, **{place.field: MARK})
    rise_indices = [
        j for j, rise_state in enumerate(flat.circuit.rise_states) if rise_state.receptor == row
    ]
    tau_rows = [row, *(flat.circuit.n_receptors + j for j in rise_indices)]
    uses = [
        ("tau_syn_ms", tau_row, tau)
        for tau_row, tau in zip(tau_rows, marked_mechanism.taus_ms, strict=True)
    ]
    if mechanism.unit == "nS":
        uses.append(("e_rev_mV", row, marked_mechanism.e_rev_mV))
    if mechanism.dendrite_share is not None:
        uses.append(("dendrite_share", row, marked_mechanism.dendrite_share))
    slots = [
        ParameterSlot(k, f"circuit.{leaf}", np.array([index]), 1.0)
        for leaf, index, number in uses
        if number is MARK
    ]
    if place.field in mechanism.gate_fields:
        slots.append(ParameterSlot(k, f"circuit.gates[{row}].{place.field}", None, 1.0))
    if not slots or any(number is not MARK and np.isnan(number) for *_, number in uses):
        raise refuse(
            f"path={place.path!r}, which a {type(mechanism).__name__} only computes with,",
            "a field that is itself one of taus_ms, e_rev_mV or dendrite_share, or a gate field",
            where,
        )
    return slots
