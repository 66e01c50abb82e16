"""MEG coils as weighted points: what a magnetometer or a gradiometer is to a field."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jtfne._check import one_of, refuse
from jtfne.operators._base import Matrix
from jtfne.operators._checks import check_array, check_directions, check_length, check_places

if TYPE_CHECKING:
    import mne

ACCURACIES = {"point": 0, "normal": 1, "accurate": 2}
"""How finely a coil is integrated, as in MNE's table of coils.

"accurate" is 16 points for a Neuromag magnetometer.
"""


@dataclasses.dataclass(frozen=True, init=False, eq=False)
class Coils:
    """MEG coils as weighted points: a reading is the weighted sum of the field along the normals.

    Parameters
    ----------
    names : sequence of str
        Names of the coils.
    points_mm, normals : array_like of float, shape (n_points, 3)
        The points of all coils, coil after coil, and the direction of the field at each.
    n_points : sequence of int
        How many of the points belong to each coil.
    weights : array_like of float, shape (n_points,)
        Weight of each point: a number for a coil in T, 1/m for one in T/m.
    units : sequence of str
        "T" or "T/m" for each coil.

    Raises
    ------
    JtfneError
        Where the numbers of coils or points do not match.

    Examples
    --------
    >>> points_mm, weights = [[8.4, 0, 120], [-8.4, 0, 120]], [59.5238, -59.5238]
    >>> gradiometer = Coils(["G"], points_mm, [[0, 0, 1]] * 2, [2], weights, ["T/m"])
    >>> field_T = np.array([[[1.0]], [[3.0]]])  # 16.8 mm apart
    >>> gradiometer.sums(field_T).round(2).ravel()
    array([-119.05])
    """

    names: tuple[str, ...]
    points_mm: Matrix
    normals: Matrix
    n_points: npt.NDArray[np.int64]
    weights: Matrix
    units: tuple[str, ...]

    def __init__(
        self,
        names: Sequence[str],
        points_mm: npt.ArrayLike,
        normals: npt.ArrayLike,
        n_points: Sequence[int],
        weights: npt.ArrayLike,
        units: Sequence[str],
    ) -> None:
        where = "Coils"
        points = check_places(points_mm, name="points_mm", where=where)
        float_counts = check_array(n_points, 1, name="n_points", where=where)
        counts = float_counts.astype(np.int64)
        coil_weights = check_array(weights, 1, name="weights", where=where)
        n = (len(counts),)
        texts = check_length(
            names, n, f"{n[0]} names, one for each of n_points", name="names", where=where
        )
        unit_texts = check_length(
            units, n, f"{n[0]} units, one for each of n_points", name="units", where=where
        )
        if (
            (counts != float_counts).any()
            or counts.min() < 1
            or counts.sum() != len(points)
            or len(coil_weights) != len(points)
        ):
            problem = (
                f"n_points that sum to {float_counts.sum():g}, {len(coil_weights)} weights and "
                f"{len(points)} points_mm"
            )
            raise refuse(problem, "as many of each, at least one a coil", where)
        unit_normals = check_directions(normals, points.shape, name="normals", where=where)
        unit_names = tuple(
            one_of(str(unit), ("T", "T/m"), name="unit", where=where) for unit in unit_texts
        )
        for name, value in zip(
            ("names", "points_mm", "normals", "n_points", "weights", "units"),
            (tuple(map(str, texts)), points, unit_normals, counts, coil_weights, unit_names),
            strict=True,
        ):
            object.__setattr__(self, name, value)

    @property
    def unit(self) -> str:
        """The coils' unit; "T and T/m" where there are both, each coil's being in `units`."""
        return " and ".join(sorted(set(self.units)))

    def sums(self, field: Matrix) -> Matrix:
        """Sum the field at the points into the coils' readings.

        (n_points, ...) -> (n_coils, ...).
        """
        weighted_field = field * self.weights.reshape(-1, *(1 for _ in field.shape[1:]))
        readings: Matrix = np.add.reduceat(
            weighted_field, np.cumsum(self.n_points) - self.n_points, axis=0
        )
        return readings

    def parameters(self) -> dict[str, Any]:
        """Return names, units and the number of points, JSON-ready."""
        return {
            "sensors": list(self.names),
            "units": list(self.units),
            "n_points": int(self.n_points.sum()),
        }


def coils_of(
    info: "mne.Info", names: Sequence[str] | None = None, accuracy: str = "accurate"
) -> Coils:
    """The MEG coils of an `mne.Info` in head coordinates, without its reference coils.

    Places and directions are those of the info, put onto the head by its `dev_head_t`. The points
    of each kind of coil are those of MNE's table of coils. No compensation by reference coils is
    made.

    Parameters
    ----------
    info : mne.Info
    names : sequence of str, optional
        Channels to take, in this order; all MEG channels if left out.
    accuracy : str
        How finely coils are integrated: "point", "normal" or "accurate", as in MNE's table.

    Raises
    ------
    JtfneError
        For an info without MEG channels or `dev_head_t`, a name that is not among the channels, and
        a coil that is not in the table.

    Examples
    --------
    >>> import mne
    >>> coils = coils_of(mne.channels.read_meg_canonical_info("neuromag"))
    >>> len(coils.names), len(coils.weights), coils.unit
    (306, 3264, 'T and T/m')
    """
    import mne
    from mne.io.constants import FIFF

    where = "coils_of"
    level = ACCURACIES[one_of(accuracy, ACCURACIES, name="accuracy", where=where)]
    meg = {
        info["ch_names"][k]: info["chs"][k]
        for k in mne.pick_types(info, meg=True, ref_meg=False, exclude=())
    }
    if not meg:
        raise refuse("an info without MEG channels", "one with some", where)
    if info["dev_head_t"] is None:
        raise refuse(
            "an info without dev_head_t", "one that says where the helmet is on the head", where
        )
    channel_names = (
        list(meg)
        if names is None
        else [one_of(name, meg, name="channel", where=where) for name in names]
    )
    table = _coil_table(level)
    units = {int(FIFF.FIFF_UNIT_T): "T", int(FIFF.FIFF_UNIT_T_M): "T/m"}
    onto_head = info["dev_head_t"]["trans"]
    points, normals, weights = [], [], []
    for name in channel_names:
        kind = int(meg[name]["coil_type"]) & 0xFFFF
        if kind not in table:
            raise refuse(f"coil type {kind} of {name!r}", "one of MNE's table of coils", where)
        rows, loc = table[kind], np.asarray(meg[name]["loc"], np.float64)
        axes = loc[3:12].reshape(3, 3)  # rows: the coil's x, y and z in the device
        points_m = loc[:3] + rows[:, 1:4] @ axes
        points.append((points_m @ onto_head[:3, :3].T + onto_head[:3, 3]) * 1e3)
        normals.append(rows[:, 4:7] @ axes @ onto_head[:3, :3].T)
        # axes are rounded in files: as MNE takes them
        weights.append(rows[:, 0] * np.linalg.norm(normals[-1], axis=1))
    return Coils(
        channel_names,
        np.concatenate(points),
        np.concatenate(normals),
        [len(point_weights) for point_weights in weights],
        np.concatenate(weights),
        [units[int(meg[name]["unit"])] for name in channel_names],
    )


def _coil_table(accuracy: int) -> dict[int, Matrix]:
    """Read `coil_def.dat`: coil type -> rows (weight, x, y, z in m, normal) in the coil's axes."""
    import mne

    lines = (
        (Path(mne.__file__).parent / "data" / "coil_def.dat")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    rows = iter(line for line in lines if line.strip() and not line.startswith("#"))
    table: dict[int, Matrix] = {}
    for header in rows:
        kind, level, n_points = (int(word) for word in header.split()[1:4])
        block = np.array([[float(word) for word in next(rows).split()] for _ in range(n_points)])
        if level == accuracy:
            table[kind] = block
    return table
