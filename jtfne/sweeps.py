"""Sweeps: a circuit run with each combination of values and seeds, as one labelled dataset."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jtfne import _json
from jtfne._arguments import check_instance, check_list, check_table, describe_argument
from jtfne._check import JtfneError, describe_value, names_arguments, number, refuse
from jtfne._files import resolve_path, temporary_folder
from jtfne._system import sync_path
from jtfne.candidates import (
    GOLDEN_RATIO,
    Candidate,
    CandidateRunner,
    Client,
    FailedRun,
    merge_paradigm,
)
from jtfne.config import Config
from jtfne.config.parameter_paths import Place
from jtfne.config.parameter_values import check_bounds, replace_values
from jtfne.config.parameters import CONFIG, Parameters
from jtfne.net import Net
from jtfne.paradigm import Paradigm
from jtfne.signals import Signals
from jtfne.trainer import (
    PartStore,
    check_execution,
    check_seeds,
    circuit_provenance,
    open_parts,
    show_run_progress,
    to_json_values,
)

if TYPE_CHECKING:
    import xarray as xr

WHERE = "sweep"
CHUNK = 8  # combinations that are stored at a time


class Range(NamedTuple):
    """The lowest and the highest value of a path."""

    path: str
    bounds: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Rates:
    """Summary of a run: mean rate of each cell type."""

    readouts: tuple[str, ...] = ("spk",)

    def __call__(self, signals: Signals) -> dict[str, Any]:
        """`rate_Hz` by cell type, as a DataArray."""
        import xarray as xr

        table = signals.rates()
        spikes = (table["rate_Hz"] * table["n_neurons"]).groupby(table["cell_type"]).sum()
        rates = spikes / table.groupby("cell_type")["n_neurons"].sum()
        coords = {"cell_type": rates.index.to_list()}
        return {
            "rate_Hz": xr.DataArray(rates.to_numpy(), coords, ("cell_type",), attrs={"units": "Hz"})
        }


@dataclasses.dataclass(frozen=True)
class ObjectiveSummary:
    """Summary of a run: the score of an objective, its terms and values."""

    objective: Any

    @property
    def readouts(self) -> tuple[str, ...] | None:
        """Readouts that the objective needs, None for all."""
        return getattr(self.objective, "readouts", None)

    def __call__(self, signals: Signals) -> dict[str, Any]:
        """`score`, `passed`, and `term` and `value` by metric."""
        import xarray as xr

        evaluation = self.objective.evaluate(signals).to_dict()
        names = [row["name"] for row in evaluation["metrics"]]
        summary: dict[str, Any] = {
            "score": evaluation["score"],
            "passed": float(evaluation["passed"]),
        }
        for column in ("term", "value"):
            values = []
            for row in evaluation["metrics"]:
                values.append(math.nan if row[column] is None else row[column])
            summary[column] = xr.DataArray(values, {"metric": names}, ("metric",))
        return summary


@dataclasses.dataclass(frozen=True)
class SummaryToJson:
    """A summary as JSON values; can be pickled and sent to workers."""

    of: Callable[[Signals], Any]

    def __call__(self, signals: Signals) -> dict[str, Any]:
        """By name: dims, coords, shape, values and units of each result of the summary.

        Raises: JtfneError for a result that is neither a number nor an array of numbers.
        """
        summary = self.of(signals)
        if not isinstance(summary, Mapping):
            summary = {getattr(summary, "name", None) or "value": summary}
        return {str(name): _array_to_json(str(name), entry) for name, entry in summary.items()}


@names_arguments
def sweep(
    net: Net,
    values: Mapping[str, Sequence[float]],
    seeds: Sequence[int] = (0,),
    *,
    of: Any = None,
    paradigm: Paradigm | None = None,
    out: str | Path | None = None,
    resume: bool = True,
    progress: bool | None = None,
    client: Client | None = None,
) -> "xr.Dataset":
    """Run a circuit with each combination of values, and each seed, and keep a summary of each run.

    Parameters
    ----------
    net : Net
        The circuit; all runs have its edges, but for values from which edges are made.
    values : dict of str to sequence of float
        By path, the values to take: the paths of `jtfne.config.Trainable`, and any other number of
        the config, as `Config.set` takes it, such as ``run.dt_ms`` or the `p` of a rule.
    seeds : sequence of int
        Of initial state, noise and stimuli.
    of : Objective or callable, optional
        What is kept of a run: what an objective says of it, or what a function of its Signals
        gives, a number, a DataArray or several of them by name. Mean rates of each cell type if
        left out.
    out : str or Path, optional
        A folder that keeps what is done, a few combinations at a time: after a kill the same call
        goes on. It ends with sweep.nc.
    paradigm, resume, progress, client
        As for `Trainer` and its `fit`; `of` is sent to a client's workers as well.

    Returns
    -------
    xarray.Dataset
        Dims: each path, ``seed``, and those of the summary. Runs that went wrong are NaN, and its
        attributes say why.

    Raises
    ------
    JtfneError
        Before any run, for paths and values that are not allowed, and for an `out` with anything
        else.

    Examples
    --------
    >>> import jtfne
    >>> net = jtfne.construct(jtfne.suite2_net1_config(40).runtime(duration_ms=50.0))
    >>> found = jtfne.sweep(net, {"cells.E.drive": [2.0, 8.0], "gains.E->PV": [0.5, 1.0, 2.0]}, seeds=[0, 1])
    >>> dict(found["rate_Hz"].sizes)
    {'cells.E.drive': 2, 'gains.E->PV': 3, 'seed': 2, 'cell_type': 4}
    """
    check_instance(net, Net, allowed="a Net, from jtfne.construct(config)", name="net", where=WHERE)
    if paradigm is not None:
        check_instance(
            paradigm, Paradigm, allowed="a jtfne.Paradigm, or None", name="paradigm", where=WHERE
        )
    check_execution(resume=resume, progress=progress, client=client, where=WHERE)
    seeds = check_seeds(seeds, WHERE)
    grid = _check_grid(merge_paradigm(net.config, paradigm), values)
    summary = _choose_summary(of)
    probe_values = [_choose_inside(path_values) for path_values in grid.values()]
    readouts = getattr(summary, "readouts", None)
    runs = CandidateRunner.prepare(
        net, list(grid), probe_values, paradigm=paradigm, readouts=readouts, where="sweep(values=)"
    )
    provenance = {
        **circuit_provenance(runs),
        "values": grid,
        "seeds": list(seeds),
        "of": to_json_values(summary),
    }
    with open_parts(out, provenance, resume=resume, where="sweep(out=)") as parts:
        dataset = _run_missing_chunks(
            runs, provenance, SummaryToJson(summary), parts, client, progress
        )
        if out is not None:
            _write_netcdf(dataset, resolve_path(out, "sweep(out=)"))
    return dataset


def _choose_inside(path_values: Sequence[float]) -> float:
    """A value between the least and the greatest, unlike any that a grid is likely to have."""
    low, high = min(path_values), max(path_values)
    return low + (high - low) * GOLDEN_RATIO


def _run_missing_chunks(
    runs: CandidateRunner,
    provenance: dict[str, Any],
    summarize: SummaryToJson,
    parts: PartStore,
    client: Client | None,
    progress: bool | None,
) -> "xr.Dataset":
    """Run the combinations that `parts` lacks, then return the dataset of all."""
    grid, seeds = provenance["values"], provenance["seeds"]
    chunks_to_run = _split_points(list(itertools.product(*grid.values())))[len(parts.rows) :]
    with show_run_progress(
        "sweeping", sum(map(len, chunks_to_run)) * len(seeds), shown=progress
    ) as progress_bar:
        for chunk in chunks_to_run:
            jobs = [Candidate(point, seed) for point, seed in itertools.product(chunk, seeds)]
            rows = []
            for outcome in runs.evaluate_all(jobs, summarize, client, progress_bar.ran):
                failed = isinstance(outcome, FailedRun)
                rows.append({"failed": outcome.reason} if failed else outcome)
            parts.append(rows)
    return _build_dataset(grid, seeds, parts.list_rows(), provenance)


def _check_grid(config: Config, values: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """The values by path, as floats. Raises: JtfneError that names the path."""
    allowed = "{path: values}, at least one"
    if not check_table(values, allowed=allowed, name="values", where=WHERE):
        raise refuse(f"values={describe_value(values)}", allowed, WHERE)
    places = Parameters.of(config).find_all(list(values), "sweep(values=)")
    grid = {}
    for path, path_values in values.items():
        allowed = "a list of finite numbers, at least one"
        name = f"values of {describe_value(path)}"
        numbers = []
        for entry in check_list(path_values, allowed=allowed, name=name, where="sweep(values=)"):
            numbers.append(float(number(entry, name=f"one of the {name}", where="sweep(values=)")))
        if not numbers:
            raise refuse(f"values of {path!r}", allowed, "sweep(values=)")
        if len(set(numbers)) < len(numbers):
            raise refuse(
                f"values of {path!r}, of which one is given twice,",
                "each value once",
                "sweep(values=)",
            )
        grid[path] = numbers
    ranges = {}
    for place, (path, numbers) in zip(places, grid.items(), strict=True):
        ranges[place] = Range(path, (min(numbers), max(numbers)))
        if place.family == CONFIG:
            _check_each(config, place, numbers)
    check_bounds(config, ranges, "sweep(values=)")
    return grid


def _check_each(config: Config, place: Place, numbers: Sequence[float]) -> None:
    """Raises: JtfneError for a value with which the config is refused."""
    for value in numbers:
        try:
            replace_values(config, {place: value}).check()
        except JtfneError as error:
            raise refuse(f"{place.path}={value:g}", str(error), "sweep(values=)") from error


def _choose_summary(summary: Any) -> Callable[[Signals], Any]:
    """The function that summarises a run.

    Raises: JtfneError if `summary` is neither an objective nor a function.
    """
    if summary is None:
        return Rates()
    if callable(getattr(summary, "evaluate", None)) and not isinstance(summary, type):
        return ObjectiveSummary(summary)
    if not callable(summary) or isinstance(summary, type):
        raise refuse(
            f"of={describe_argument(summary)}", "an Objective, or a function of Signals", WHERE
        )
    function: Callable[[Signals], Any] = summary
    return function


def _split_points(points: list[tuple[float, ...]]) -> list[tuple[tuple[float, ...], ...]]:
    """The points in chunks of at most CHUNK."""
    return [tuple(points[k : k + CHUNK]) for k in range(0, len(points), CHUNK)]


def _array_to_json(name: str, value: Any) -> dict[str, Any]:
    """A number or an array as JSON values: dims, coords, shape, values, units."""
    try:
        numbers = np.asarray(math.nan if value is None else value, np.float64)
    except (TypeError, ValueError):
        raise refuse(
            f"{name!r} of a {type(value).__name__}", "a number or an array of numbers", "sweep(of=)"
        ) from None
    if hasattr(value, "dims"):
        dims = [str(dim) for dim in value.dims]
    else:
        dims = [f"{name}_{k}" for k in range(numbers.ndim)]
    coords = {}
    for dim in dims:
        if hasattr(value, "coords") and dim in value.coords:
            coords[dim] = value[dim].values.tolist()
    # JSON has no number that is not finite: these are written as texts
    json_values = [x if math.isfinite(x) else repr(x) for x in numbers.ravel().tolist()]
    units = str(getattr(value, "attrs", {}).get("units", ""))
    return {
        "dims": dims,
        "coords": coords,
        "shape": list(numbers.shape),
        "values": json_values,
        "units": units,
    }


def _build_dataset(
    grid: Mapping[str, Sequence[float]],
    seeds: Sequence[int],
    rows: Sequence[dict[str, Any]],
    provenance: Mapping[str, Any],
) -> "xr.Dataset":
    """The dataset of all runs. Raises: JtfneError if two summaries differ in shape."""
    import xarray as xr

    axes: dict[str, Any] = {**grid, "seed": list(seeds)}
    shape = [len(axis_values) for axis_values in axes.values()]
    failures, good_rows = [], []
    for row in rows:
        if "failed" in row:
            failures.append(row["failed"])
        else:
            good_rows.append(row)
    variables: dict[str, Any] = {}
    summary_coords: dict[str, Any] = {}
    for name, first_entry in (good_rows[0] if good_rows else {}).items():
        data = _stack_rows(rows, name, first_entry)
        attrs = {"units": first_entry["units"]} if first_entry["units"] else {}
        variables[name] = (
            (*axes, *first_entry["dims"]),
            data.reshape(*shape, *first_entry["shape"]),
            attrs,
        )
        summary_coords |= first_entry["coords"]
    dataset_attrs: dict[str, Any] = {
        "n_failed": len(failures),
        "failures": _json.dumps(sorted(set(failures))),
    }
    for name in ("jtfne", "config_sha256", "net_sha256"):
        dataset_attrs[name] = str(provenance[name])
    return xr.Dataset(variables, {**axes, **summary_coords}, dataset_attrs)


def _stack_rows(
    rows: Sequence[dict[str, Any]], name: str, first_entry: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """The result `name` of all runs, (n_runs, ...); NaN where a run failed.

    Raises: JtfneError if a run has it in another shape than the first.
    """
    shape = first_entry["shape"]
    data = np.full((len(rows), *shape), np.nan)
    for k, row in enumerate(rows):
        if "failed" in row:
            continue
        entry = row.get(name)
        if entry is None or entry["dims"] != first_entry["dims"] or entry["shape"] != shape:
            problem = f"{name!r} of another shape in run {k}"
            raise refuse(problem, f"{shape}, as in the first", "sweep(of=)")
        # texts stand for numbers that are not finite
        data[k] = np.array([float(value) for value in entry["values"]]).reshape(shape)
    return data


def _write_netcdf(dataset: "xr.Dataset", folder: Path) -> None:
    """Write `sweep.nc`: first to a temporary folder, then moved into place."""
    names = {}
    for name in (*dataset.variables, *dataset.dims):
        if "/" in str(name):  # in netCDF a slash names a group
            names[name] = str(name).replace("/", "_")
    dataset = dataset.rename(names)
    with temporary_folder(folder) as room:
        dataset.to_netcdf(room / "sweep.nc", engine="h5netcdf")
        sync_path(room / "sweep.nc")
        (room / "sweep.nc").replace(folder / "sweep.nc")
    sync_path(folder)
