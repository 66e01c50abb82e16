"""What was recorded: arrays with dimensions, coordinates, units and provenance. The schema is in signals_schema.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import run_folder
from jtfne._check import JtfneError, one_of, refuse

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Names = str | Iterable[str] | None
Ids = int | Sequence[int] | np.ndarray[Any, Any] | None
LAYOUTS = ("time_node", "node_time", "trial_time_node", "event")
LABELS = ("area", "layer", "cell_type")
ALIASES = {
    **dict.fromkeys(("spikes", "spike", "raster"), "spk"),
    **dict.fromkeys(("V_m", "v_m", "voltage"), "vm"),
    **dict.fromkeys(("src", "sources"), "source"),
    "lfp_like": "lfp_proxy",
    "csd_like": "csd_proxy",
}
READOUTS = (
    "spk", "vm", "source", "lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy", "spectrolaminar_proxy", "emm_proxy"
)  # fmt: skip


class Signals:
    """What a run recorded, an xarray DataTree with one node a readout.

    Parameters
    ----------
    tree : xarray.DataTree
        As in signals_schema.md.
    manifest : dict, optional
        How it came about (strict JSON).

    Attributes
    ----------
    tree : xarray.DataTree
    manifest : dict

    Examples
    --------
    >>> import jtfne
    >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config("PV")).simulate(duration_ms=50)
    >>> signals.get("vm").dims, signals.get("vm").attrs["units"]
    (('time', 'neuron'), 'mV')
    """

    def __init__(self, tree: "xr.DataTree", manifest: dict[str, Any] | None = None) -> None:
        self.tree = tree
        self.manifest: dict[str, Any] = {} if manifest is None else manifest

    def __repr__(self) -> str:
        """Readouts with their sizes."""
        sizes = (f"{name} {dict(self.tree[name].sizes)}" for name in self.recorded())
        return f"Signals({', '.join(sizes)})"

    def recorded(self) -> tuple[str, ...]:
        """Names of the readouts that are there."""
        return tuple(name for name in self.tree.children if name not in ("events", "neurons"))

    def get(
        self,
        name: str,
        *,
        layout: str | None = None,
        area: Names = None,
        layer: Names = None,
        cell_type: Names = None,
        ids: Ids = None,
        trial: int | None = None,
        time: tuple[float, float] | None = None,
    ) -> "xr.DataArray":
        """A readout, or the part of it that is asked for.

        Parameters
        ----------
        name : str
            Readout or alias: spk (spikes), vm (V_m, voltage), source, lfp_proxy, csd_proxy, eeg_proxy, ...
        layout : {"time_node", "node_time", "trial_time_node", "event"}, optional
            Order of dimensions; `event` and a dense raster are for spikes. By default spikes are events, and a
            single trial has no trial dimension.
        area, layer, cell_type : str or several, optional
            Of neurons; `area` also of fields that have areas.
        ids : int or several, optional
            Ids of neurons, or names of channels, in the order asked.
        trial : int, optional
            One trial.
        time : (float, float), optional
            Samples with ``start < t <= stop`` in ms: those of the steps in between.

        Returns
        -------
        xarray.DataArray
            A copy, writable.

        Raises
        ------
        JtfneError
            For a readout that was not recorded (and which probe would have), and for selectors that do not apply
            or match nothing.
        """
        name = self._name(name)
        if layout is not None:
            one_of(layout, LAYOUTS, name="layout", where=f"Signals.get({name!r})")
        found = self._events_of_spikes() if name == "spk" else self.tree[name].to_dataset()[name].copy(deep=True)
        found = self._chosen(found, {"area": area, "layer": layer, "cell_type": cell_type}, ids)
        if trial is not None:
            found = self._of_trial(found, trial)
        if time is not None:
            found = _within(found, time)
        if name == "spk":
            if layout in (None, "event"):
                return found
            found = self._raster(found, self._selected_ids(area, layer, cell_type, ids), trial, time)
        elif layout == "event":
            raise refuse(f"layout='event' of {name!r}", "'event' for spikes only", "Signals.get")
        return _laid_out(found, layout)

    @property
    def events(self) -> "pd.DataFrame":
        """The stimulus table: trial, onset_ms, duration_ms, label."""
        table: pd.DataFrame = self.tree["events"].to_dataset().to_dataframe()
        return table.reset_index(drop=True)[["trial", "onset_ms", "duration_ms", "label"]]

    @property
    def neurons(self) -> "pd.DataFrame":
        """One row a cell: neuron, area, layer, cell_type, x_mm, y_mm, z_mm. Raises: JtfneError without identity."""
        self._refuse_nameless("neurons")
        table: pd.DataFrame = self.tree["neurons"].to_dataset().to_dataframe()
        return table.reset_index()

    @property
    def spikes(self) -> "pd.DataFrame":
        """One row a spike: trial, time_ms, neuron, and names where there are some."""
        self._name("spk")
        table: pd.DataFrame = run_folder.spike_table(self.tree).to_pandas()
        return table

    def summary(self) -> "pd.DataFrame":
        """One row a readout: dims, shape, units, proxy, interval_ms, mean."""
        import pandas as pd

        rows = []
        for name in self.recorded():
            node = self.tree[name].to_dataset()
            values = node["time" if name == "spk" else name]
            rows.append(
                {
                    "readout": name,
                    "dims": ", ".join(map(str, values.dims)),
                    "shape": " x ".join(map(str, values.shape)),
                    "units": node.attrs["units"],
                    "proxy": bool(node.attrs["proxy"]),
                    "interval_ms": node.attrs["interval_ms"],
                    "mean": float(values.mean()) if values.size else float("nan"),
                }
            )
        return pd.DataFrame(rows).set_index("readout")

    def rates(self) -> "pd.DataFrame":
        """Mean firing rate of each population: area, layer, cell_type, n_neurons, rate_Hz."""
        neurons = self.neurons
        spikes = self.tree[self._name("spk")].to_dataset()
        seconds = float(spikes.attrs["duration_ms"]) / 1e3 * int(spikes.attrs["n_trials"])
        rows = np.searchsorted(neurons["neuron"].to_numpy(), spikes["neuron"].values)
        neurons["rate_Hz"] = np.bincount(rows, minlength=len(neurons)) / seconds
        grouped = neurons.groupby(list(LABELS), sort=False)["rate_Hz"]
        table: pd.DataFrame = grouped.agg(n_neurons="size", rate_Hz="mean").reset_index()
        return table

    def to_dataframe(self, name: str) -> "pd.DataFrame":
        """Tidy: one row a sample or spike, labels categorical.

        Parameters
        ----------
        name : str
            Readout or alias.

        Returns
        -------
        pandas.DataFrame
        """
        name = self._name(name)
        if name == "spk":
            return self.spikes
        table: pd.DataFrame = self.tree[name].to_dataset()[name].to_dataframe().reset_index()
        for column in ("area", "layer", "cell_type", "channel"):
            if column in table:
                table[column] = table[column].astype("category")
        return table

    def save(self, path: str | Path) -> Path:
        """Write a run folder: signals.zarr, spikes.parquet, manifest.json.

        Parameters
        ----------
        path : str or Path
            A folder that is new or empty.

        Returns
        -------
        Path

        Raises
        ------
        JtfneError
            If the folder holds anything.
        """
        self.manifest = run_folder.write_run(Path(path), self.tree, self.manifest)
        return Path(path)

    def _name(self, name: str) -> str:
        """The readout that `name` means. Raises: JtfneError if it is unknown or was not recorded."""
        known = ALIASES.get(name, name)
        if known in self.recorded():
            return known
        one_of(known, (*READOUTS, *self.recorded()), name="readout", where="Signals.get")
        there = ", ".join(map(repr, self.recorded())) or "nothing"
        raise JtfneError(
            f"readout {name!r} was not recorded; allowed: {there}; it needs Config.probes([{known!r}]) (in Signals.get)"
        )

    def _events_of_spikes(self) -> "xr.DataArray":
        """Spike times (event), with neuron, trial and names as coordinates."""
        node = self.tree["spk"].to_dataset()
        times = node["time"].copy(deep=True).rename("spk").assign_attrs(node.attrs)
        times = times.assign_coords({name: ("event", node[name].values.copy()) for name in ("neuron", "trial")})
        if "neurons" not in self.tree.children:
            return times
        neurons = self.tree["neurons"].to_dataset()
        row = np.searchsorted(neurons["neuron"].values, node["neuron"].values)
        return times.assign_coords({name: ("event", neurons[name].values[row]) for name in LABELS})

    def _chosen(self, found: "xr.DataArray", names: dict[str, Names], ids: Ids) -> "xr.DataArray":
        """The part of `found` that all selectors hold for."""
        given = {key: _listed(value) for key, value in names.items() if value is not None}
        where = f"Signals.get({found.name!r})"
        for key, wanted in given.items():
            if key not in found.coords:
                self._refuse_nameless(key)
                applies = [name for name in LABELS if name in found.coords]
                raise refuse(f"{key}={wanted!r}", f"selectors of its axes: {applies or 'none'}", where)
            known = self._vocabulary(found, key)
            for each in wanted:
                one_of(each, known, name=key, where=where)
            (dim,) = found[key].dims
            found = found.isel({dim: np.flatnonzero(np.isin(found[key].values, wanted))})
        if ids is not None:
            found = self._by_ids(found, np.atleast_1d(np.asarray(ids)), where)
        if (given or ids is not None) and found.size == 0 and "event" not in found.dims:
            raise refuse(f"{ {**given} }, which matches nothing,", "a selection that matches something", where)
        return found

    def _vocabulary(self, found: "xr.DataArray", key: str) -> list[str]:
        """The values that `key` has in the net, or else in `found`."""
        on_neurons = "event" in found.dims or "neuron" in found.dims
        values = (
            self.tree["neurons"].to_dataset()[key] if on_neurons and "neurons" in self.tree.children else found[key]
        )
        return [str(each) for each in dict.fromkeys(values.values.tolist())]

    def _by_ids(self, found: "xr.DataArray", wanted: np.ndarray[Any, Any], where: str) -> "xr.DataArray":
        """Neurons by id or channels by name, in the order asked; events of those neurons in order of time."""
        axis = next((dim for dim in ("neuron", "channel") if dim in found.dims), None)
        known = found[axis].values if axis else np.arange(int(found.attrs.get("n_neurons", 0)))
        if "event" in found.dims and "neurons" in self.tree.children:
            known = self.tree["neurons"]["neuron"].values
        missing = [each for each in wanted.tolist() if each not in known]
        if missing or (axis is None and "event" not in found.dims):
            raise refuse(
                f"ids={missing or wanted.tolist()}", f"{known.min()} to {known.max()}" if known.size else "none", where
            )
        if axis is None:
            return found.isel(event=np.flatnonzero(np.isin(found["neuron"].values, wanted)))
        place = {each: at for at, each in enumerate(known.tolist())}
        return found.isel({axis: [place[each] for each in wanted.tolist()]})

    def _of_trial(self, found: "xr.DataArray", trial: int) -> "xr.DataArray":
        """One trial. Raises: JtfneError if there is no such one."""
        n_trials = int(self.tree.attrs["n_trials"])
        if not 0 <= trial < n_trials:
            raise refuse(f"trial={trial!r}", f"0 to {n_trials - 1}", "Signals.get")
        if "trial" in found.dims:
            return found.isel(trial=[trial])
        return found.isel(event=np.flatnonzero(found["trial"].values == trial))

    def _selected_ids(self, area: Names, layer: Names, cell_type: Names, ids: Ids) -> np.ndarray[Any, Any]:
        """Ids of the neurons that a raster has columns for."""
        if ids is not None:
            return np.atleast_1d(np.asarray(ids))
        if "neurons" not in self.tree.children:
            return np.arange(int(self.tree["spk"].attrs["n_neurons"]))
        neurons = self.tree["neurons"].to_dataset()
        keep = np.ones(neurons.sizes["neuron"], bool)
        for key, value in {"area": area, "layer": layer, "cell_type": cell_type}.items():
            keep &= np.isin(neurons[key].values, _listed(value)) if value is not None else True
        return np.asarray(neurons["neuron"].values[keep])

    def _raster(
        self, events: "xr.DataArray", neurons: np.ndarray[Any, Any], trial: int | None, time: tuple[float, float] | None
    ) -> "xr.DataArray":
        """Spikes as a dense array of bool (trial, time, neuron), made from the events when asked for."""
        import xarray as xr

        about = self.tree["spk"].attrs
        dt_ms, n_trials = float(about["dt_ms"]), int(about["n_trials"])
        trials = np.arange(n_trials) if trial is None else np.array([trial])
        steps = np.arange(1, round(float(about["duration_ms"]) / dt_ms) + 1)
        if time is not None:
            steps = steps[(steps * dt_ms > time[0] + 1e-9) & (steps * dt_ms <= time[1] + 1e-9)]
        raster = np.zeros((trials.size, steps.size, neurons.size), bool)
        column = {each: at for at, each in enumerate(neurons.tolist())}
        at = np.rint(events.values / dt_ms).astype(int) - (steps[0] if steps.size else 0)
        raster[events["trial"].values - trials[0], at, [column[each] for each in events["neuron"].values.tolist()]] = (
            True
        )
        coords: dict[str, Any] = {"trial": trials, "time": np.round(steps * dt_ms, 9), "neuron": neurons}
        if "neurons" in self.tree.children:
            table = self.tree["neurons"].to_dataset().sel(neuron=neurons)
            coords |= {name: ("neuron", table[name].values) for name in (*LABELS, "z_mm")}
        return xr.DataArray(
            raster, coords, ("trial", "time", "neuron"), "spk", {"units": "1", "readout": "spk", "proxy": 0}
        )

    def _refuse_nameless(self, what: str) -> None:
        """Raises: JtfneError if the net that was run had no names."""
        if "neurons" not in self.tree.children:
            raise refuse(f"{what!r} of signals without identity", "a run of a net built from a Config", "Signals")


def load(path: str | Path) -> Signals:
    """Read a run folder back, every hash checked.

    Parameters
    ----------
    path : str or Path
        A folder that `Signals.save` or `jtfne run` made.

    Returns
    -------
    Signals

    Raises
    ------
    JtfneError
        If it is not a run folder, or a file was cut short or altered.
    """
    return Signals(*run_folder.read_run(Path(path)))


def _listed(value: Names) -> list[str]:
    """One name or several, as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def _within(found: "xr.DataArray", time: tuple[float, float]) -> "xr.DataArray":
    """Samples or events with start < t <= stop. Raises: JtfneError for a readout without time."""
    if "time" not in found.coords and "event" not in found.dims:
        raise refuse(f"time={time!r}", "no time for a readout without a time axis", f"Signals.get({found.name!r})")
    start, stop = time
    at = found.values if "event" in found.dims else found["time"].values
    inside = np.flatnonzero((at > start + 1e-9) & (at <= stop + 1e-9))
    return found.isel({"event" if "event" in found.dims else "time": inside})


def _laid_out(found: "xr.DataArray", layout: str | None) -> "xr.DataArray":
    """`found` in the order of `layout`; a single trial is dropped unless it is asked for."""
    if layout == "trial_time_node":
        return found
    if "trial" in found.dims and found.sizes["trial"] == 1:
        found = found.isel(trial=0)
    elif layout is not None:
        given = f"layout={layout!r} of {found.sizes.get('trial', 0)} trials"
        raise refuse(given, "'trial_time_node', or one trial by trial=", "Signals.get")
    if layout == "node_time":
        return found.transpose(..., "time") if "time" in found.dims else found
    return found
