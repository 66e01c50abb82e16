"""Distance of a measured value from its target."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jtfne._check import refuse
from jtfne._units import Floats
from jtfne.config import Curve, InRange, Metric
from jtfne.measures import Frame, synchrony
from jtfne.objective._units import factor

Ints = NDArray[np.int64]
FEWEST = {"time": 2, "frequency": 2, "z_mm": 3}  # points that a target curve must cover, by dim
TINY = 1e-6  # tolerance for times and depths, as a share of a step


def distance(metric: Metric, value: jax.Array, target: Floats | None) -> jax.Array:
    """Distance of `value` from the metric's target, (); for a curve, `target` is on its grid.

    A number x: ((x - target) / scale)^2; a range: the same from its nearer end, 0 within; a curve:
    the mean of these over its points, or (1 - r) / scale^2 where it is compared by correlation.
    Smooth but for where a range ends.
    """
    measure = metric.measure
    goal = metric.target
    if target is not None:
        curve, target_curve = measure.form(value), measure.form(jnp.asarray(target, value.dtype))
        if measure.correlates:
            return (1.0 - correlation(curve, target_curve)) / metric.scale**2
        return jnp.mean(((curve - target_curve) / metric.scale) ** 2)
    if isinstance(goal, InRange):
        beyond = jnp.maximum(goal.low - value, 0.0) + jnp.maximum(value - goal.high, 0.0)
        return (beyond / metric.scale) ** 2
    return ((value - jnp.asarray(goal, value.dtype)) / metric.scale) ** 2


def correlation(curve: jax.Array, other_curve: jax.Array) -> jax.Array:
    """Pearson's r of two curves of one shape, ()."""
    return synchrony.correlation(jnp.stack([curve.ravel(), other_curve.ravel()]))[0, 1]


def on_grid(metric: Metric, frame: Frame, units: str, where: str) -> tuple[list[Ints], Floats]:
    """Indices into the measure's grid, by dim, where the target curve is known; the curve there.

    Between its points a curve is linear (its logarithm, for power); channels are matched by name.
    In time and depth the shared part is used, unless a window was asked for; a frequency band must
    be covered completely.
    """
    measure = metric.measure
    curve, grid = metric.target, measure.grid(frame)
    if not isinstance(curve, Curve):
        raise refuse(f"target={curve}", "a curve", where)
    values = np.array(curve.values, np.float64).reshape(curve.shape)
    values = values * factor(curve.units, measure.curve_unit(units), where)
    if measure.logarithmic and not (values > 0.0).all():
        raise refuse(
            "a recorded power that is not above 0", "power above 0 at each frequency", where
        )
    values = np.log(values) if measure.logarithmic else values
    if not curve.dims:
        (points,) = grid.values()
        if values.size != points.size:
            raise refuse(
                f"a list of {values.size} numbers",
                f"{points.size}, one for each point of the measure",
                where,
            )
        return [np.arange(points.size)], np.exp(values) if measure.logarithmic else values
    values, curve_coords = _arrange_curve(values, curve, grid, frame, metric, where)
    indices: list[Ints] = []
    for axis, (dim, points) in enumerate(grid.items()):
        curve_points = curve_coords.get(dim)
        if curve_points is None:
            indices.append(np.arange(points.size))
        elif dim == "channel":
            indices.append(_match_channels(curve_points, points, metric, where))
            names = curve_points.astype(str).tolist()
            values = np.take(
                values, [names.index(channel) for channel in points[indices[-1]]], axis
            )
        else:
            curve_points, points = (
                measure.placed(dim, np.asarray(coordinates, np.float64))
                for coordinates in (curve_points, points)
            )
            indices.append(_find_covered(curve_points, points, dim, metric, where))
            values = _interpolate(values, axis, curve_points, points[indices[-1]])
    return indices, np.exp(values) if measure.logarithmic else values


def _arrange_curve(
    values: Floats,
    curve: Curve,
    grid: Mapping[str, NDArray[Any]],
    frame: Frame,
    metric: Metric,
    where: str,
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """The recorded curve with the grid's dims in their order, and its coordinates.

    Coordinates rise, but for channels.
    """
    dims, curve_coords = (
        list(curve.dims),
        {name: np.array(points) for name, points in curve.coords.items()},
    )
    measure: Any = metric.measure
    for dim in set(measure.averaged) & set(dims):
        since_ms = frame.time_ms - measure.onset_ms
        slack_ms = max(frame.step_ms, float(np.diff(curve_coords[dim]).min(initial=0.0)))
        low, high = max(0.0, since_ms[0]) - slack_ms * TINY, since_ms[-1] + slack_ms / 2
        samples_inside = np.flatnonzero((curve_coords[dim] >= low) & (curve_coords[dim] <= high))
        if samples_inside.size == 0:
            raise refuse(
                f"a curve without a time from {low:g} to {high:g} ms", "one that has some", where
            )
        values = values.take(samples_inside, dims.index(dim)).mean(axis=dims.index(dim))
        dims.remove(dim)
    dims = ["z_mm" if dim == "channel" and "z_mm" in grid else dim for dim in dims]
    for dim in [dim for dim in grid if dim not in dims]:
        if grid[dim].size != 1:
            raise refuse(
                f"a curve without {dim}, for {grid[dim].size} of them",
                f"one with {dim!r}, or one {dim}",
                where,
            )
        values, dims = values[..., None], [*dims, dim]
        curve_coords.pop(dim, None)
    values = np.transpose(values, [dims.index(dim) for dim in grid])
    if "z_mm" in grid:
        order = np.argsort(curve_coords["z_mm"], kind="stable")
        curve_coords["z_mm"], values = (
            curve_coords["z_mm"][order],
            values.take(order, list(grid).index("z_mm")),
        )
    return values, curve_coords


def _match_channels(
    curve_channels: NDArray[Any], points: NDArray[Any], metric: Metric, where: str
) -> Ints:
    """Indices of the grid's channels that the curve has.

    Raises: JtfneError if there is none, or if it lacks one that was selected.
    """
    is_shared = np.isin(points.astype(str), curve_channels.astype(str))
    if not is_shared.any() or (metric.channels is not None and not is_shared.all()):
        missing_names = ", ".join(points[~is_shared].tolist()[:5])
        raise refuse(
            f"a curve without the channels {missing_names}",
            f"one of channels among {curve_channels.tolist()[:8]}",
            where,
        )
    return np.flatnonzero(is_shared)


def _find_covered(
    curve_points: Floats, points: Floats, dim: str, metric: Metric, where: str
) -> Ints:
    """Indices of the points within the curve; in time, its first sample covers its whole step.

    Raises: JtfneError for too few, or if some are missing that were asked for.
    """
    slack = TINY * float(np.diff(points).max(initial=0.0))
    first = curve_points[0] - slack
    if dim == "time":  # a sample is dated by the end of what it stands for
        first = curve_points[0] - float(np.diff(curve_points).max(initial=0.0)) + slack
    covered_points = np.flatnonzero((points >= first) & (points <= curve_points[-1] + slack))
    is_required = dim == "frequency" or (dim == "time" and metric.window_ms is not None)
    if covered_points.size < FEWEST[dim] or (is_required and covered_points.size < points.size):
        problem = f"a curve over {dim} from {curve_points[0]:g} to {curve_points[-1]:g}"
        raise refuse(
            problem,
            f"one from {points[0]:g} to {points[-1]:g}"
            if is_required
            else _describe_minimum(points, dim),
            where,
        )
    return covered_points


def _describe_minimum(points: Floats, dim: str) -> str:
    """The least that a curve must cover, in words."""
    return (
        f"one that covers {FEWEST[dim]} or more of the points from {points[0]:g} to {points[-1]:g}"
    )


def _interpolate(values: Floats, axis: int, curve_points: Floats, points: Floats) -> Floats:
    """`values` on `curve_points` along `axis`, interpolated linearly at `points`."""
    axis_last_values = np.moveaxis(values, axis, -1)
    rows = [
        np.interp(points, curve_points, row)
        for row in axis_last_values.reshape(-1, curve_points.size)
    ]
    return np.moveaxis(np.array(rows).reshape(*axis_last_values.shape[:-1], points.size), -1, axis)
