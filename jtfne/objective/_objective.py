"""Scores a circuit by metrics and gates, from labelled signals or from bare arrays (traceable)."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jtfne import config as declared
from jtfne._arguments import check_instance, check_table
from jtfne._check import describe_value, names_fields, refuse
from jtfne._precision import precision
from jtfne._units import Floats
from jtfne.config import Config, Curve, Gate, InRange, Metric
from jtfne.config.objective import ObjectiveTerm
from jtfne.measures import Frame
from jtfne.objective._axes import Axes, ReadoutData, take_run_samples, take_samples
from jtfne.objective._distance import correlation, distance, on_grid
from jtfne.objective._result import COLUMNS, ObjectiveResult
from jtfne.pydantic_fields.errors import ConfigError, build_error
from jtfne.signals import Signals

if TYPE_CHECKING:
    import xarray as xr

# A curve this near to the target, as a share of its spread, is the target itself: sums in another
# order differ by less, other runs by more.
SAME = 1e-9


@names_fields
@dataclasses.dataclass(frozen=True)
class Objective:
    """What a circuit should show: metrics, whose distances from their targets sum up, and gates.

    Parameters
    ----------
    metrics : sequence of Metric
        At least one; the tables from which they are made will do.
    gates : sequence of Gate
        Conditions that hold or do not, whatever the score.

    Raises
    ------
    JtfneError
        Without a metric, for two of one name, and for whatever a metric or a gate does not allow.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.measures import MeanRate
    >>> from jtfne.objective import Below, Gate, Metric
    >>> objective = jtfne.Objective(
    ...     [Metric(measure=MeanRate(), cells="PV", target=[5.0, 30.0], scale=5.0)],
    ...     gates=[Gate(measure=MeanRate(), condition=Below(100.0))],
    ... )
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(40)).simulate(duration_ms=200)
    >>> objective.evaluate(signals).passed
    True
    """

    metrics: Sequence[Metric]
    gates: Sequence[Gate] = ()

    def __post_init__(self) -> None:
        for name in ("metrics", "gates"):
            entries = getattr(self, name)
            if isinstance(entries, str | Mapping) or not isinstance(entries, Sequence):
                raise refuse(f"{name}={describe_value(entries)}", "a list", "Objective")
        try:
            targets = declared.Targets(metrics=tuple(self.metrics), gates=tuple(self.gates))
        except ConfigError as error:
            raise build_error("Objective", error.problems) from None
        object.__setattr__(self, "metrics", targets.metrics)
        object.__setattr__(self, "gates", targets.gates)

    @classmethod
    def of(cls, config: Config) -> Self:
        """The objective of a config. Raises: JtfneError if it has none."""
        check_instance(
            config, Config, allowed="a jtfne.Config", name="config", where="Objective.of"
        )
        targets = config.training.objective
        if targets is None:
            raise refuse(
                "a config without objective", "one with Config.objective([...])", "Objective.of"
            )
        return cls(targets.metrics, targets.gates)

    @property
    def readouts(self) -> tuple[str, ...]:
        """Names of the readouts that metrics and gates look at."""
        return tuple(dict.fromkeys(aim.of for aim in (*self.metrics, *self.gates)))

    def score_arrays(
        self, arrays: Mapping[str, ArrayLike], axes: Mapping[str, Axes]
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The score, and each weighted term by name; traceable, differentiable if all measures are.

        Parameters
        ----------
        arrays : dict
            By readout: ``spk`` (time, neuron), 1 where a cell spikes, or any number of spikes;
            laminar readouts (time, area, channel); others (time, channel) or (time, area). Trials
            may come before time. In single precision, squares of fields in SI come close to the
            smallest numbers: give uV and fT, and say so in `axes`.
        axes : dict
            By readout, what the arrays' dims stand for.

        Raises
        ------
        JtfneError
            For a readout that is not there, and for arrays that do not fit their axes or a measure.
        """
        for table, what in ((arrays, "arrays"), (axes, "axes")):
            allowed = f"{{readout: ...}}, with {', '.join(self.readouts)}"
            check_table(table, allowed=allowed, name=what, where="Objective.score_arrays")
        terms = {}
        for index, metric in enumerate(self.metrics):
            where = f"Objective.metrics[{index}]"
            for table, what in ((arrays, "arrays"), (axes, "axes")):
                if metric.of not in table:
                    raise refuse(
                        f"{what} without {metric.of!r}",
                        f"{what} of {', '.join(self.readouts)}",
                        where,
                    )
            x, frame = take_samples(metric, arrays[metric.of], axes[metric.of], where)
            value, target, _ = _evaluate_metric(metric, x, frame, axes[metric.of].units, where)
            terms[metric.label] = metric.weight * distance(metric, value, target)
        return sum(terms.values(), start=jnp.zeros(())), terms

    def evaluate(self, signals: Signals) -> ObjectiveResult:
        """The score of a run, and each of its terms by name, computed in double precision.

        Parameters
        ----------
        signals : Signals

        Returns
        -------
        ObjectiveResult
            A value that is not finite makes the score infinite and is named in `problems`.

        Raises
        ------
        JtfneError
            For a readout that was not recorded, a part of it that is not there, and a recorded
            curve that is the readout itself.
        """
        if not isinstance(signals, Signals):
            raise refuse(f"a {type(signals).__name__}", "Signals", "Objective.evaluate")
        readout_data = {}
        for name in self.readouts:
            readout_data[name] = ReadoutData(signals, name, Axes.of(signals, name))
        metric_rows, gate_rows, problems, curves = [], [], [], {}
        with precision("float64"):
            for index, metric in enumerate(self.metrics):
                where = f"Objective.metrics[{index}]"
                row, curve = _metric_row(metric, readout_data[metric.of], where)
                metric_rows.append(row)
                if curve is not None:
                    curves[metric.label] = curve
                if _is_bad(row):
                    problems.append(_problem("metric", metric, row))
            for index, gate in enumerate(self.gates):
                row = _gate_row(gate, readout_data[gate.of], f"Objective.gates[{index}]")
                gate_rows.append(row)
                if _is_bad(row):
                    problems.append(_problem("gate", gate, row))
        terms = [row["term"] for row in metric_rows]
        score = math.fsum(terms) if all(map(math.isfinite, terms)) else math.inf
        return ObjectiveResult(
            score=score,
            metric_rows=tuple(metric_rows),
            gate_rows=tuple(gate_rows),
            passed=math.isfinite(score) and all(row["passed"] for row in gate_rows),
            problems=tuple(problems),
            curves=curves,
        )


def _evaluate_metric(
    metric: Metric, x: ArrayLike, frame: Frame, units: str, where: str
) -> tuple[jax.Array, Floats | None, dict[str, Any]]:
    """Evaluate a metric; for a curve also return the target on the shared grid, and that grid."""
    measure = metric.measure
    value = measure(jnp.asarray(x), frame)
    if not isinstance(metric.target, Curve):
        return value, None, {}
    indices, target = on_grid(metric, frame, units, where)
    points = {}
    for (dim, grid_points), index in zip(measure.grid(frame).items(), indices, strict=True):
        points[dim] = grid_points[index]
    return value[np.ix_(*indices)], target, points


def _common_columns(aim: ObjectiveTerm, unit: str, value: float) -> dict[str, Any]:
    """The columns that the tables of metrics and of gates share."""
    row = (aim.label, type(aim.measure).__name__, aim.of, aim.selector, unit, value)
    return dict(zip(COLUMNS, row, strict=True))


def _metric_row(
    metric: Metric, readout: ReadoutData, where: str
) -> "tuple[dict[str, Any], xr.Dataset | None]":
    """The row of a metric in the table, and its two curves if it has some."""
    x, frame = take_run_samples(metric, readout, where)
    axes = readout.axes
    value, target, points = _evaluate_metric(metric, x, frame, axes.units, where)
    misfit = float(distance(metric, value, target))
    unit = metric.measure.unit(axes.units)
    if target is None:
        row = _common_columns(metric, unit, float(value)) | _describe_target(metric.target)
        curve = None
    else:
        _refuse_itself(metric, np.asarray(value), target, where)
        curve = _curves(metric, value, target, points, axes.units)
        reached_values = jnp.asarray(curve["reached"].values)
        target_values = jnp.asarray(curve["target"].values)
        if metric.measure.correlates:
            size = correlation(reached_values, target_values)
        else:
            size = jnp.sqrt(jnp.mean((reached_values - target_values) ** 2))
        row = _common_columns(metric, unit, float(size)) | _describe_target(None, target.shape)
    return row | {
        "distance": misfit,
        "weight": metric.weight,
        "term": metric.weight * misfit,
    }, curve


def _describe_target(target: Any, shape: tuple[int, ...] = ()) -> dict[str, Any]:
    """The target's columns: in words, low and high end; a curve of `shape` has no ends."""
    if target is None:
        return {
            "target": f"curve of {' x '.join(map(str, shape))}",
            "low": math.nan,
            "high": math.nan,
        }
    if isinstance(target, InRange):
        return {"target": str(target), "low": target.low, "high": target.high}
    return {"target": f"{target:g}", "low": target, "high": target}


def _gate_row(gate: Gate, readout: ReadoutData, where: str) -> dict[str, Any]:
    """The row of a gate in the table."""
    x, frame = take_run_samples(gate, readout, where)
    measure = gate.measure
    value = float(measure(jnp.asarray(x), frame))
    row = _common_columns(gate, measure.unit(readout.axes.units), value)
    return row | {
        "condition": str(gate.condition),
        "passed": math.isfinite(value) and gate.condition.holds(value),
    }


def _is_bad(row: Mapping[str, Any]) -> bool:
    """Whether a row's value or term is not finite."""
    return not (math.isfinite(row["value"]) and math.isfinite(row.get("term", 0.0)))


def _problem(kind: str, aim: ObjectiveTerm, row: Mapping[str, Any]) -> str:
    """A sentence that names a row that is not finite, and a likely reason."""
    measure = aim.measure
    number = row["value"] if not math.isfinite(row["value"]) else row["term"]
    return f"{kind} {aim.label!r} is {number}: {measure.undefined}"


def _refuse_itself(metric: Metric, value: Floats, target: Floats, where: str) -> None:
    """Raises: JtfneError where a recorded curve is the readout it is compared with."""
    spread = float(np.ptp(target))
    if spread > 0.0 and value.size > 2 and float(np.max(np.abs(value - target))) <= SAME * spread:
        problem = f"metric {metric.label!r}, whose target is {metric.of!r} of this very run,"
        raise refuse(problem, "a curve of a recording or of another run", where)


def _curves(
    metric: Metric, value: jax.Array, target: Floats, points: Mapping[str, Any], units: str
) -> "xr.Dataset":
    """The reached curve and the target, in the form in which they are compared."""
    import xarray as xr

    measure = metric.measure
    attrs = {"units": units if measure.correlates else measure.unit(units)}
    dims = tuple(points)
    reached_curve = np.array(measure.form(value))
    target_curve = np.array(measure.form(jnp.asarray(target, value.dtype)))
    variables = {"reached": (dims, reached_curve, attrs), "target": (dims, target_curve, attrs)}
    return xr.Dataset(variables, dict(points))
