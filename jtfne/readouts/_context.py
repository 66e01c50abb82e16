"""What a readout may use to build its probe: the time step, cells, columns and currents."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol

import jax
import numpy as np
import numpy.typing as npt

from jtfne._grid import nearest_steps
from jtfne._units import A_PER_pA
from jtfne.pydantic_fields.selector_field import Selector
from jtfne.readouts._parts import ByArea
from jtfne.readouts._recording import Array, SourceCurrents

Matrix = npt.NDArray[np.float64]


class CellIdentity(Protocol):
    """Names and places of the cells of a net, in the order of their rows.

    Examples
    --------
    >>> import jtfne
    >>> identity = jtfne.construct(jtfne.suite2_net1_config(20)).identity
    >>> identity.areas, identity.position_mm.shape, identity.texts("cell_type")[0].item()
    (('V1',), (20, 3), 'E')
    """

    @property
    def ids(self) -> Array:
        """Return the ids, (n_cells,)."""
        ...

    @property
    def area(self) -> Array:
        """Return the index of the area of each cell, (n_cells,)."""
        ...

    @property
    def areas(self) -> tuple[str, ...]:
        """Return the names of the areas."""
        ...

    @property
    def position_mm(self) -> Array:
        """Return the place of each cell in its column, (n_cells, 3); z is the depth."""
        ...

    def texts(self, name: str) -> Array:
        """Return the area, layer or cell type of each cell by name, (n_cells,)."""
        ...


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns of a run.

    positions_mm (n_areas, 3), normals (n_areas, 3): head coordinates.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.readouts import Columns
    >>> place = np.array([[0.0, -60.0, 50.0]])
    >>> columns = Columns(1.5, 0.25, place, np.array([[0.0, -1.0, 0.0]]), np.zeros((1, 3)))
    >>> columns.dipoles_mm.tolist()
    [[0.0, -59.25, 50.0]]
    """

    thickness_mm: float
    radius_mm: float
    positions_mm: Matrix
    normals: Matrix
    cells_mm: Matrix  # (n_cells, 3), each in its own column

    @property
    def dipoles_mm(self) -> Matrix:
        """The places of the columns' dipole moments, (n_areas, 3) in the head.

        They are half a cortex below the pia.
        """
        middle: Matrix = self.positions_mm - 0.5 * self.thickness_mm * self.normals
        return middle


@dataclasses.dataclass(frozen=True)
class SourceMapMatrices:
    """The source maps of a run as matrices, from which physical readouts are made.

    ranges: of each area, the first and the last + 1 of the cells whose currents spread; others in
    between are all zero. maps: of each area, (n_depths, n_loops, n_cells), the share of each loop
    current that leaves through a compartment; columns sum to zero. metadata: for the manifest.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.readouts import SourceMapMatrices
    >>> loop = np.array([[[1.0]], [[-1.0]]])  # leaves at the first depth, enters at the second
    >>> maps = SourceMapMatrices(None, ("V1",), np.array([0.2, 0.7]), ((0, 1),), (loop,), {})
    >>> (moments_m,) = maps.moments_m()
    >>> moments_m.round(6).tolist()
    [[0.0005]]
    """

    source: SourceCurrents
    areas: tuple[str, ...]
    depths_mm: Matrix
    ranges: tuple[tuple[int, int], ...]
    maps: tuple[Matrix, ...]
    metadata: dict[str, Any]

    def moments_m(self) -> tuple[Matrix, ...]:
        """Return the dipole moment of each loop current, of each area: (n_loops, n_cells) m.

        Outward is positive.
        """
        return tuple(np.tensordot(-1e-3 * self.depths_mm, matrix, 1) for matrix in self.maps)

    def area_part(self, matrices: tuple[Matrix, ...], *then: Matrix) -> ByArea:
        """The part that applies a matrix to each area's currents, then `then` to all of them.

        matrices: (n_out, n_loops, n_cells), one an area. then: (n_out, n_in) each.

        matrices: (n_out, n_loops, n_cells), one an area. then: (n_out, n_in) each.

        then: (n_out, n_in) each.
        """
        transposed = (matrix.reshape(len(matrix), -1).T for matrix in matrices)
        put = jax.device_put
        return ByArea(
            self.ranges,
            tuple(put(np.ascontiguousarray(matrix)) for matrix in transposed),
            tuple(put(np.ascontiguousarray(matrix.T)) for matrix in then),
        )

    def dipole_part(self, *then: Matrix) -> ByArea:
        """The part that gives the areas' dipole moments, A m, and applies `then` to them."""
        moments_A_m = tuple(A_PER_pA * moments[None] for moments in self.moments_m())
        return self.area_part(moments_A_m, *then)


@dataclasses.dataclass(frozen=True)
class CurrentsBySign:
    """The excitatory and inhibitory synaptic currents of a run; `synapses` says of what kind.

    Examples
    --------
    >>> from jtfne.readouts import CurrentsBySign
    >>> CurrentsBySign(source=None, synapses="conductances").synapses
    'conductances'
    """

    source: SourceCurrents
    synapses: str


@dataclasses.dataclass(frozen=True)
class ProbeContext:
    """What a readout may use to build its probe.

    Attributes
    ----------
    dt_ms : float
    n_cells : int
    identity : CellIdentity, optional
        None for a net without names; `cells` is the same where a readout needs them.
    source : SourceCurrents
        The source mode of the run.
    columns : Columns
        The areas' columns and their places in the head.
    choose_rows : function
        (selector, where) -> rows of cells.
    build_maps, build_currents : function
        Make `maps` and `currents_by_sign`, when they are first asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.readouts import ProbeContext
    >>> context = ProbeContext(
    ...     dt_ms=0.1, n_cells=3, identity=None, source=None, columns=None,
    ...     choose_rows=lambda selector, where: np.arange(3), build_maps=dict, build_currents=dict)
    >>> context.count_steps(1.0), context.count_steps(None)
    (10, 1)
    """

    dt_ms: float
    n_cells: int
    identity: CellIdentity | None
    source: SourceCurrents
    columns: Columns
    choose_rows: Callable[[Selector, str], Array]
    build_maps: Callable[[], SourceMapMatrices]
    build_currents: Callable[[], CurrentsBySign]

    @property
    def cells(self) -> CellIdentity:
        """Names and places of the cells."""
        assert self.identity is not None, "refused before, by `needs_identity`"
        return self.identity

    @functools.cached_property
    def maps(self) -> SourceMapMatrices:
        """The source maps of the run as matrices."""
        return self.build_maps()

    @functools.cached_property
    def currents_by_sign(self) -> CurrentsBySign:
        """The synaptic currents of the run by sign."""
        return self.build_currents()

    def count_steps(self, interval_ms: float | None) -> int:
        """Return the steps that one sample is the mean of; one without an interval."""
        return 1 if interval_ms is None else int(nearest_steps(interval_ms, self.dt_ms))
