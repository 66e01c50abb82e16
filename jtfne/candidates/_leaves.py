"""Values by path -> leaves of one compiled circuit: candidates differ in these alone, so that nothing is drawn anew."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import JtfneError, list_problems, refuse
from jtfne._precision import precision
from jtfne.batch import names_of
from jtfne.candidates._synapses import Weights, weights_of
from jtfne.config import Config, Place, Population, Trainable, at_bounds, misdeclared, place_of, places_of, with_values
from jtfne.delivery import Choice
from jtfne.flatnet import FlatNet, row_of
from jtfne.net import Net, Projection

Floats = npt.NDArray[np.float64]
INNER = 0.6180339887498949  # where bounds are cut for a point at which no two values are equal by chance


@dataclasses.dataclass(frozen=True)
class Entry:
    """Entries `at` of a leaf (None: all of it) that are `scale` times the value of path `k`."""

    k: int
    leaf: str
    at: Any
    scale: Any


@dataclasses.dataclass(frozen=True, eq=False)
class Leaves:
    """A map from the values of d paths, (d,), to leaves of `flat` by name, for `jtfne.batch.run_batch(values=)`.

    Called with numbers it gives numpy arrays, with the bits that `circuit(values)` has; with `xp=jax.numpy` it may be
    traced and differentiated, and rounds as jax does. To construct `config(values)` gives the same bits too, but for
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
    entries: tuple[Entry, ...]
    weights: Weights | None

    @classmethod
    def of(
        cls,
        net: Net,
        paths: Sequence[str],
        typical: Sequence[float],
        *,
        mechanisms: Sequence[str] = (),
        delivery: Choice | None = None,
        where: str = "Leaves.of",
    ) -> Self:
        """The map of `paths`. typical: a value of each that is like no other, which decides the form of the arrays.

        Raises: JtfneError that names a path which leads nowhere, or which nothing depends on, or to synapses that
        change as the run goes; and for a circuit that is spread over devices.
        """
        known = places_of(net.config.circuit)
        places = tuple(place_of(path, known, where) for path in paths)
        if net.identity is None:
            raise refuse("values of a net without identity", "a net built from a Config", where)
        weights = weights_of(net, places, where)
        shaped = _changed(net, weights, dict(zip(places, map(float, typical), strict=True)))
        flat = shaped.to_flat(mechanisms=tuple(mechanisms), tracked=False, delivery=delivery)
        laid = None if weights is None else weights.laid(flat, net, where)
        entries = [each for k, place in enumerate(places) for each in _entries(k, place, shaped, flat, where)]
        return cls(net, places, flat, tuple(entries), laid)

    def __call__(self, values: Any, xp: Any = np) -> dict[str, Any]:
        """The leaves that differ, by name. values: (d,), or so many numbers. xp: numpy or jax.numpy."""
        found: dict[str, Any] = {}
        for each in self.entries:
            old = found.get(each.leaf)
            old = xp.array(self._base(each.leaf)) if old is None else old
            new = xp.asarray(values[each.k] * each.scale, old.dtype)
            found[each.leaf] = _put(old, each.at, new)
        if self.weights is not None:
            found["circuit.delivery.weights"] = self.weights(values, xp)
        return found

    def with_values(self, values: Any) -> FlatNet:
        """The arrays of the circuit with these values, on the device."""
        leaves, tree = self._named
        with precision(str(self.flat.circuit.drive_pA.dtype)):
            changed = {name: jnp.asarray(each) for name, each in self(values).items()}
        made = [changed.get(name, leaf) for name, leaf in leaves]
        flat: FlatNet = jax.tree.unflatten(tree, made)
        return flat

    @functools.cached_property
    def _named(self) -> tuple[list[tuple[str, Any]], Any]:
        """The leaves of the circuit by name, in their order, and what they are leaves of."""
        leaves, tree = jax.tree.flatten(self.flat)
        return list(zip(names_of(self.flat), leaves, strict=True)), tree

    def config(self, values: Any) -> Config:
        """The config that declares these values. Raises: JtfneError if it is refused."""
        return with_values(self.net.config, dict(zip(self.places, map(float, values), strict=True)))

    def circuit(self, values: Any) -> Net:
        """The circuit with these values: its config, and its edges, of which none is drawn anew."""
        return _changed(self.net, self.weights, dict(zip(self.places, map(float, values), strict=True)))

    def _base(self, leaf: str) -> Any:
        """A leaf of `flat` that values go into."""
        part: Any = self.flat
        for step in leaf.replace("[", ".").replace("]", "").split("."):
            part = part[int(step)] if step.isdigit() else getattr(part, step)
        return part


def typical_of(net: Net, trainables: Sequence[Trainable], where: str) -> list[float]:
    """A value of each trainable within its bounds, unlike any other; all are checked first.

    Raises: JtfneError, one line a problem, that names the path.
    """
    if not trainables:
        raise refuse("nothing to tune", "at least one Trainable, by Config.trainables(...) or trainables=", where)
    lines = list(misdeclared(net.config, tuple(trainables), where))
    if lines:
        raise JtfneError(list_problems(lines))
    known = places_of(net.config.circuit)
    at_bounds(net.config, {place_of(each.path, known, where): each for each in trainables}, where)
    shares = [INNER * (k + 1) % 1.0 for k in range(len(trainables))]
    bounds = zip(shares, (each.bounds for each in trainables), strict=True)
    return [low + (high - low) * share for share, (low, high) in bounds]


def _put(old: Any, at: Any, new: Any) -> Any:
    """`old` with `new` at `at`; numpy's in place."""
    if at is None:
        return new
    if isinstance(old, np.ndarray):
        old[at] = new
        return old
    return old.at[at].set(new)


def _changed(net: Net, weights: Weights | None, values: dict[Place, float]) -> Net:
    """`net` with other values."""
    config = with_values(net.config, values)
    projections: Sequence[Projection] = net.projections
    if weights is not None:
        projections = weights.projections(projections, list(values.values()))
    return Net(config, net.identity, projections, n_neurons=net.n_neurons)


def _entries(k: int, place: Place, net: Net, flat: FlatNet, where: str) -> list[Entry]:
    """What of `flat` the value of a path is, but for weights."""
    if place.family == "cells":
        return [_of_cells(k, place, net, flat, where)]
    if place.family == "mechanisms":
        return _of_mechanism(k, place, net, flat, where)
    return []


def _of_cells(k: int, place: Place, net: Net, flat: FlatNet, where: str) -> Entry:
    """Drive, noise or a field of the emitter of a cell type."""
    populations = net.config.populations()
    mine = np.repeat([each.cell_type == place.name for each in populations], [each.n_cells for each in populations])
    rows = np.flatnonzero(mine)
    one = next(each for each in populations if each.cell_type == place.name)
    if place.field in ("drive", "noise"):
        scale = np.concatenate([each.spread(each.emitter.input_pA) for each in populations])[rows]
        return Entry(k, f"circuit.{place.field}_pA", rows, scale)
    _refuse_unit(one, place, where)
    for n, group in enumerate(flat.circuit.groups):
        index = np.arange(net.n_neurons) if group.index is None else np.asarray(group.index)
        inside = np.flatnonzero(mine[index])
        if inside.size:
            whole = np.ndim(getattr(group.emitter, place.field)) == 0
            return Entry(k, f"circuit.groups[{n}].emitter.{place.field}", None if whole else inside, 1.0)
    raise refuse(f"path={place.path!r}, of which there is no cell,", "cells of that type", where)


def _refuse_unit(population: Population, place: Place, where: str) -> None:
    """Raises: JtfneError, if with this field it changes what one unit of input is."""
    emitter: Any = population.emitter
    other = dataclasses.replace(emitter, **{place.field: 2.0 * np.max(getattr(emitter, place.field)) + 1.0})
    if np.max(other.input_pA) != np.max(emitter.input_pA):
        given = f"path={place.path!r}, with which the input unit of these cells changes,"
        raise refuse(given, f"cells.{place.name}.drive, and weights", where)


def _of_mechanism(k: int, place: Place, net: Net, flat: FlatNet, where: str) -> list[Entry]:
    """A number of a receptor. Raises: JtfneError if no synapse and no stimulus has it."""
    if not any(place.name in names for names in flat.receptors):
        used = ", ".join(repr(name) for names in flat.receptors for name in names) or "nothing"
        raise refuse(f"path={place.path!r}, on which nothing depends,", f"a mechanism in use: {used}", where)
    row = row_of(place.name, flat.receptors)
    if not place.field.startswith("tau"):
        return [Entry(k, f"circuit.{place.field}", np.array([row]), 1.0)]
    mechanism: Any = net.config.circuit.mechanisms[place.name]
    marked: Any = dataclasses.replace(mechanism, **{place.field: -1.0})
    second = [j for j, each in enumerate(flat.circuit.second) if each.receptor == row]
    places = [row, *(flat.circuit.n_receptors + j for j in second)]
    rows = [at for at, tau in zip(places, marked.taus_ms, strict=True) if tau == -1.0]
    return [Entry(k, "circuit.tau_syn_ms", np.array(rows), 1.0)]
