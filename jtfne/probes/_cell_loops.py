"""The laminar source map: each cell's loop currents as currents of compartments along its column's depth."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import JtfneError, refuse
from jtfne.config import SOURCE_MAPS, Config, Physical, Selector, SourceMap, WeightedSum
from jtfne.config.source_maps import OTHERS, sign_of, words_of
from jtfne.flatnet import kinds_of, mechanisms_of, receptors_of
from jtfne.net import Identity, Net, select_with
from jtfne.operators.depths import compartments_mm, depth_weights
from jtfne.probes._base import Array
from jtfne.sources import AXIAL, EXTERNAL, Loops, Terms

STEP_mm = 0.05
"""Of the compartments: a fifth of the default column's radius, below which an LFP does not show detail."""

WHERE = "Config.source(maps=...)"
Matrix = npt.NDArray[np.float64]
Current = tuple[int, tuple[tuple[str, ...], ...]]  # which one, and by which words it goes; several that share a row
Signs = tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class CellLoops:
    """What the physical readouts of a run are made of.

    ranges: of each area, the first and the last + 1 of the cells whose currents spread; others in between are all zero.
    maps: of each area, (n_depths, n_loops, n_cells), what a compartment gives to the tissue of each loop current;
    columns sum to zero. about: for the manifest.
    """

    source: Loops
    areas: tuple[str, ...]
    depths_mm: Matrix
    ranges: tuple[tuple[int, int], ...]
    maps: tuple[Matrix, ...]
    about: dict[str, Any]

    def moments_m(self) -> tuple[Matrix, ...]:
        """The dipole moment, outward positive, of each loop current, of each area: (n_loops, n_cells) m."""
        return tuple(np.tensordot(-1e-3 * self.depths_mm, each, 1) for each in self.maps)


def loops_of(net: Net, config: Config, signs: Signs) -> CellLoops:
    """The source map of a run. signs: as `signs_of` tells them.

    Raises: JtfneError for cells without a map, and mechanisms that share a row but have different maps.
    """
    identity = net.identity
    assert identity is not None
    circuit, readouts = config.circuit, config.readouts
    thickness_mm = circuit.geometry.thickness_mm
    depths_mm = compartments_mm(thickness_mm, STEP_mm)
    table = _Table.of(identity, readouts.maps, thickness_mm)
    populations = net.config.populations()
    found, slots = [], []
    for mine, rows in kinds_of(populations):
        at = np.arange(len(identity)) if rows is None else rows
        currents = list(_currents(mine[0].emitter, net, config, dict(signs)))
        slot, spread = _slots(currents, table, at, depths_mm)
        slots.append(slot)
        found.append((at, spread))
    n_loops = max(1, *(len(each) for each in slots))
    whole = np.zeros((depths_mm.size, n_loops, len(identity)))
    for at, spread in found:
        for k, each in enumerate(spread):
            whole[:, k, at] = readouts.scale * each
    some = np.abs(whole).max((0, 1)) > 0.0
    seen = [np.flatnonzero(some & (identity.area == k)) for k in range(len(identity.areas))]
    ranges = tuple((int(each[0]), int(each[-1]) + 1) if each.size else (0, 0) for each in seen)
    about = {
        "scale": readouts.scale,
        "depth_step_mm": float(depths_mm[1]),
        "maps": [each.model_dump(mode="json") for each in table.used()],
    }
    source = Loops(tuple((*each, *((),) * (n_loops - len(each))) for each in slots))
    maps = tuple(
        np.ascontiguousarray(whole[:, :, first:last] * (identity.area[first:last] == k))
        for k, (first, last) in enumerate(ranges)
    )
    return CellLoops(source, identity.areas, depths_mm, ranges, maps, about)


def signs_of(net: Net, config: Config) -> Signs:
    """Of each mechanism of a run whether it excites (1), inhibits (-1) or both (0); none for probes that do not ask."""
    if not any(isinstance(each, Physical | WeightedSum) for each in config.readouts.probes):
        return ()
    names = [name for row in receptors_of(net, mechanisms_of(config), shared=True) for name in row]
    return tuple((name, _sign(name, net, config)) for name in names)


def _sign(name: str, net: Net, config: Config) -> int:
    """Of one mechanism; by the weights of its synapses and stimuli, where it does not tell itself."""
    told = sign_of(config.circuit.mechanisms[name])
    if told:
        return told
    weights: list[Any] = [each.weight for each in net.projections if each.mechanism == name and each.n_edges]
    drives: list[Any] = [each.drive for each in config.task.stimuli]
    weights += [each.weight for each in drives if getattr(each, "mechanism", None) == name]
    lowest = min((float(np.min(each)) for each in weights), default=0.0)
    highest = max((float(np.max(each)) for each in weights), default=0.0)
    if lowest >= 0.0:
        return 1
    return 0 if highest > 0.0 else -1


def _currents(emitter: Any, net: Net, config: Config, signs: dict[str, int]) -> Iterator[Current]:
    """The loop currents of cells of one model, as far as the source mode counts them."""
    if not getattr(type(emitter), "receives", True):
        return
    if hasattr(type(emitter), "axial_pA"):
        yield AXIAL, (("axial",),)
        return
    terms = config.readouts.source.terms
    for k, names in enumerate(receptors_of(net, mechanisms_of(config), shared=True) if "synaptic" in terms else ()):
        yield k, tuple(words_of(name, signs[name]) for name in names)
    if "external" in terms:
        yield EXTERNAL, (("external",),)


def _slots(
    currents: list[Current], table: "_Table", at: npt.NDArray[np.int64], depths_mm: Matrix
) -> tuple[tuple[Terms, ...], list[Matrix]]:
    """Which currents of the cells `at` are summed, and what each compartment gives of each sum: (n_depths, n_cells).

    Currents that spread alike are one, with a minus sign where one enters where the other returns; those that return
    where they enter are none.
    """
    slots: list[list[tuple[int, int]]] = []
    spread: list[Matrix] = []
    for current, words in currents:
        mine = table.spread(words, at, depths_mm)
        same = [(k, sign) for k, each in enumerate(spread) for sign in (1, -1) if np.array_equal(each, sign * mine)]
        if not mine.any():
            continue
        if same:
            slots[same[0][0]].append((current, same[0][1]))
        else:
            slots.append([(current, 1)])
            spread.append(mine)
    return tuple(map(tuple, slots)), spread


@dataclasses.dataclass(frozen=True)
class _Table:
    """The source maps that hold in a circuit. holds: of each, whether for a cell (n_cells,)."""

    maps: tuple[SourceMap, ...]
    holds: tuple[npt.NDArray[np.bool_], ...]
    identity: Identity
    thickness_mm: float
    _used: set[int]

    @classmethod
    def of(cls, identity: Identity, declared: tuple[SourceMap, ...], thickness_mm: float) -> "_Table":
        """The defaults, as far as there are such cells, then those declared."""
        every = (*SOURCE_MAPS, *declared)
        holds = [_by_type(identity, each.cells) for each in SOURCE_MAPS]
        for k, each in enumerate(declared):
            mine = np.zeros(len(identity), np.bool_)
            mine[select_with(identity, each.cells, where=f"Config.readouts.maps[{k}].cells")] = True
            holds.append(mine)
        return cls(every, tuple(holds), identity, thickness_mm, set())

    def spread(self, words: tuple[tuple[str, ...], ...], at: npt.NDArray[np.int64], depths_mm: Matrix) -> Matrix:
        """What each compartment gives to the tissue of a unit current of the cells `at`: (n_depths, n_cells).

        Raises: JtfneError for a cell without a map, and for currents of one row that have different ones.
        """
        chosen = [self._chosen(each, at) for each in words]
        differs = [k for k, each in enumerate(chosen) if not np.array_equal(each, chosen[0])]
        if differs:
            one, other = words[0][0], words[differs[0]][0]
            given = f"mechanisms {one!r} and {other!r}, which decay alike and so are one current,"
            raise refuse(given, "declared source maps, which keep them apart, such as maps=open_field('E')", WHERE)
        spread = np.zeros((depths_mm.size, at.size))
        for k in np.unique(chosen[0]):
            mine = chosen[0] == k
            soma_mm = self.identity.position_mm[at[mine], 2]
            for sign, profile in ((1.0, self.maps[k].returns), (-1.0, self.maps[k].enters)):
                first_mm, last_mm = profile.ends_mm(soma_mm, self.thickness_mm)
                spread[:, mine] += sign * depth_weights(first_mm, last_mm, depths_mm)
            self._used.add(int(k))
        return spread

    def used(self) -> list[SourceMap]:
        """Those that some current went by."""
        return [self.maps[k] for k in sorted(self._used)]

    def _chosen(self, words: tuple[str, ...], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The last map that holds for a current by these words, of each of the cells `at`."""
        chosen = np.full(at.size, -1)
        for k, (each, holds) in enumerate(zip(self.maps, self.holds, strict=True)):
            if each.holds(*words):
                chosen[holds[at]] = k
        if (chosen < 0).any():
            raise _without(str(self.identity.texts("cell_type")[at[chosen < 0][0]]), words)
        return chosen


def _without(cell_type: str, words: tuple[str, ...]) -> JtfneError:
    """The error for cells whose currents by `words` have no map."""
    name = words[0]
    if len(words) == 1 and name not in OTHERS:
        given = f"mechanism {name!r} with weights of both signs onto {cell_type!r}"
        return refuse(given, f"a mechanism for each sign, or SourceMap(mechanism={name!r}, ...)", WHERE)
    own = f"SourceMap(cells={cell_type!r}, enters=..., returns=...)"
    allowed = f"{own}, or a type that has one: E, I, PV, SST, VIP"
    return refuse(f"cell type {cell_type!r} without a source map for {name!r}", allowed, WHERE)


def _by_type(identity: Identity, cells: Selector) -> Array:
    """Which cells are of the types that a default names: (n_cells,)."""
    if cells.cell_type is None:
        return np.ones(len(identity), np.bool_)
    return np.isin(identity.texts("cell_type"), cells.cell_type)
