"""What a run recorded: labelled arrays with units and provenance (see signals_schema.md)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import reports, run_folder
from jtfne._arguments import check_instance, check_table, list_names, match_labels
from jtfne._check import JtfneError, describe_value, names_methods, one_of, refuse
from jtfne._grid import nearest_steps
from jtfne._html import render_object, render_table
from jtfne.readouts import READOUTS as CATALOGUE
from jtfne.readouts import resolve_alias
from jtfne.recordings import describe_neurons
from jtfne.signals import _select as select
from jtfne.signals._select import Bounds, Ids, Names

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TIME = {"units": "ms", "long_name": "time since the start of the trial"}
LAYOUTS = ("time_node", "node_time", "trial_time_node", "event")
LABELS = run_folder.LABELS
EVENTS = ("trial", "onset_ms", "duration_ms", "label", "code", "condition")
NEURONS = ("neuron", *LABELS, "x_mm", "y_mm", "z_mm")
READOUTS = tuple(CATALOGUE)


@names_methods
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
    >>> list(signals), "vm" in signals, signals["vm"].equals(signals.get("vm"))
    (['spk', 'vm', 'source'], True, True)
    """

    def __init__(self, tree: "xr.DataTree", manifest: dict[str, Any] | None = None) -> None:
        import xarray as xr

        check_instance(
            tree, xr.DataTree, allowed="an xarray.DataTree", name="tree", where="Signals"
        )
        manifest = {} if manifest is None else manifest
        check_table(manifest, allowed="a manifest", name="manifest", where="Signals")
        self.tree = tree
        self.manifest = manifest

    def __repr__(self) -> str:
        """Readouts with their sizes."""
        sizes = (f"{name} {dict(self.tree[name].sizes)}" for name in self.recorded())
        return f"Signals({', '.join(sizes)})"

    def _repr_html_(self) -> str:
        """The table of `summary` and how the run came about, as notebooks show them."""
        run = self.manifest.get("run", {})
        facts = {
            name: run[name] for name in ("duration_ms", "dt_ms", "trials", "seed") if name in run
        }
        table = self.summary().reset_index()
        return render_object(
            "Signals", facts, render_table(table.columns, table.to_numpy().tolist())
        )

    def __getitem__(self, name: str) -> "xr.DataArray":
        """A whole readout: `signals["vm"]` is `signals.get("vm")`.

        Raises: JtfneError for a readout that was not recorded.
        """
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        """Whether a readout of this name or alias was recorded."""
        return isinstance(name, str) and resolve_alias(name) in self.recorded()

    def __iter__(self) -> Iterator[str]:
        """The names of the recorded readouts."""
        return iter(self.recorded())

    def __len__(self) -> int:
        """How many readouts were recorded."""
        return len(self.recorded())

    def keys(self) -> tuple[str, ...]:
        """The names of the recorded readouts, as `recorded`.

        >>> import jtfne
        >>> jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20).keys()
        ('spk', 'vm', 'source')
        """
        return self.recorded()

    def recorded(self) -> tuple[str, ...]:
        """Names of the recorded readouts, in the order of signals_schema.md.

        >>> import jtfne
        >>> jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20).recorded()
        ('spk', 'vm', 'source')
        """
        names = [name for name in self.tree.children if name not in reports.TABLES]
        schema_order = {name: k for k, name in enumerate(READOUTS)}
        return tuple(sorted(names, key=lambda name: schema_order.get(name, len(schema_order))))

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
        """A readout, or a part of it.

        Parameters
        ----------
        name : str
            Readout or alias: spk (spikes), vm (V_m, voltage), source, lfp_proxy, csd_proxy,
            eeg_proxy, ...
        layout : {"time_node", "node_time", "trial_time_node", "event"}, optional
            Order of dimensions; `event` and a dense raster are for spikes. By default spikes are
            events, and a single trial has no trial dimension.
        area, layer, cell_type : str or several, optional
            Of neurons; `area` also of fields that have areas.
        ids : int or several, optional
            Ids of neurons, or names of channels, in the order asked.
        trial : int, optional
            One trial.
        time : (float, float), optional
            Samples and spikes with ``start < t <= stop`` in ms: those of the steps in between.

        Returns
        -------
        xarray.DataArray
            A copy, writable.

        Raises
        ------
        JtfneError
            For a readout that was not recorded, and for selectors that do not apply or match
            nothing.

        Examples
        --------
        >>> from jtfne import construct, suite2_single_neuron_config as one_cell
        >>> construct(one_cell()).simulate(duration_ms=20).get("vm", time=(5.0, 10.0)).shape
        (50, 1)
        """
        name = self._resolve_name(name)
        where = f"Signals.get({describe_value(name)})"
        selectors = {}
        for key, value in (("area", area), ("layer", layer), ("cell_type", cell_type)):
            if value is not None:
                selectors[key] = list(list_names(value, name=key, where=where))
        bounds = None if time is None else select.read_window(time, where)
        if layout is not None:
            one_of(layout, LAYOUTS, name="layout", where=where)
        n_trials = 1 if trial is not None else int(self.tree.attrs["n_trials"])
        if name != "spk":
            readout = self.tree[name].to_dataset()[name]
            select.refuse_layout(layout, readout, n_trials, where)
            readout = select.within(
                self._select_trial(
                    self._select_labels(readout, selectors, ids, where), trial, where
                ),
                bounds,
                where,
            )
            return select.apply_layout(readout.compute(), layout).copy(deep=True)
        cells = self._select_labels(self._cells(), selectors, ids, where)
        events = select.within(
            self._select_trial(self._select_events(cells), trial, where), bounds, where
        )
        if layout in (None, "event"):
            is_whole = not selectors and ids is None and trial is None and bounds is None
            return events.copy(deep=True) if is_whole else select.drop_sizes(events)
        select.refuse_layout(layout, events, n_trials, where)
        return select.apply_layout(self._raster(events, cells, trial, bounds, where), layout).copy(
            deep=True
        )

    @property
    def events(self) -> "pd.DataFrame":
        """The stimulus events: trial, onset_ms, duration_ms, label, code, condition."""
        table: pd.DataFrame = self.tree["events"].to_dataset().to_dataframe()
        columns = [name for name in EVENTS if name in table]  # runs of jtfne 0.1.0 have no codes
        return table.reset_index(drop=True)[columns]

    @property
    def neurons(self) -> "pd.DataFrame":
        """One row a cell: neuron, area, layer, cell_type, x_mm, y_mm, z_mm.
        Raises: JtfneError without identity.
        """
        self._refuse_nameless("neurons")
        table: pd.DataFrame = self.tree["neurons"].to_dataset().to_dataframe().reset_index()
        return table[list(NEURONS)]

    @property
    def spikes(self) -> "pd.DataFrame":
        """One row a spike: trial, time_ms, neuron, and names where there are some."""
        self._resolve_name("spk")
        table: pd.DataFrame = run_folder.spike_table(self.tree).to_pandas()
        return table

    def summary(self) -> "pd.DataFrame":
        """A table with a row for each readout: dims, shape, units, proxy, interval_ms, mean.

        >>> import jtfne
        >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20)
        >>> signals.summary().loc["vm", ["shape", "units"]].tolist()
        ['1 x 200 x 1', 'mV']
        """
        import pandas as pd

        from jtfne.signals._tables import WholeTable

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
                    "mean": float("nan") if name == "spk" else run_folder.mean(values.variable),
                }
            )
        return WholeTable(pd.DataFrame(rows).set_index("readout"))

    def rates(self) -> "pd.DataFrame":
        """Mean firing rate of each population: area, layer, cell_type, n_neurons, rate_Hz.

        >>> import jtfne
        >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50)
        >>> signals.rates()["cell_type"].tolist()
        ['E', 'PV', 'SST', 'VIP']
        """
        neurons = self.neurons
        spikes = self.tree[self._resolve_name("spk")].to_dataset()
        seconds = float(spikes.attrs["duration_ms"]) / 1e3 * int(spikes.attrs["n_trials"])
        rows = run_folder.locate_ids(neurons["neuron"].to_numpy(), spikes["neuron"].values)
        neurons["rate_Hz"] = np.bincount(rows, minlength=len(neurons)) / seconds
        rates_by_population = neurons.groupby(list(LABELS), sort=False)["rate_Hz"]
        table: pd.DataFrame = rates_by_population.agg(
            n_neurons="size", rate_Hz="mean"
        ).reset_index()
        return table

    def to_dataframe(self, name: str) -> "pd.DataFrame":
        """A readout as a tidy table: one row a sample or spike, labels categorical.

        Parameters
        ----------
        name : str
            Readout or alias.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> import jtfne
        >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20)
        >>> signals.to_dataframe("vm").shape
        (200, 8)
        """
        name = self._resolve_name(name)
        if name == "spk":
            return self.spikes
        table: pd.DataFrame = self.tree[name].to_dataset()[name].to_dataframe().reset_index()
        for column in (*LABELS, "channel"):
            if column in table:
                table[column] = table[column].astype("category")
        dims = [str(dim) for dim in self.tree[name].to_dataset()[name].dims]
        columns = dims + [label for label in LABELS if label in table and label not in dims]
        # sorted, as Zarr keeps no order of its own
        columns += sorted({str(column) for column in table} - {*columns, name})
        return table[[*columns, name]]

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
            If the folder holds anything, or the tree is not what the manifest says: files could not
            be checked.

        Examples
        --------
        >>> import jtfne
        >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20)
        >>> sorted(path.name for path in signals.save("run").iterdir())
        ['manifest.json', 'signals.zarr', 'spikes.parquet']
        """
        if not self.manifest:
            raise refuse("signals without a manifest", "what a simulation gave", "Signals.save")
        altered_names = reports.altered_nodes(self.tree, self.manifest)
        if altered_names:
            problem = f"a tree whose {', '.join(altered_names)} was changed after the run"
            raise refuse(problem, "the tree that the manifest describes", "Signals.save")
        self.manifest = run_folder.write_run(path, self.tree, self.manifest)
        return Path(path).expanduser()

    def _resolve_name(self, name: Any) -> str:
        """The recorded readout that `name` stands for. Raises: JtfneError if there is none."""
        canonical = resolve_alias(name) if isinstance(name, str) else name
        if isinstance(canonical, str) and canonical in self.recorded():
            return str(canonical)
        one_of(
            canonical,
            dict.fromkeys((*READOUTS, *self.recorded())),
            name="readout",
            where="Signals.get",
        )
        allowed = ", ".join(map(repr, self.recorded())) or "nothing"
        probe = f"it needs Config.probes([{canonical!r}])"
        raise JtfneError(
            f"readout {describe_value(name)} was not recorded; expected {allowed}; {probe} (in Signals.get)"
        )

    def _select_events(self, cells: "xr.DataArray") -> "xr.DataArray":
        """Spike times of `cells` (event), with neuron, trial and names as coordinates."""
        import xarray as xr

        node = self.tree["spk"].to_dataset()
        indices = np.flatnonzero(np.isin(node["neuron"].values, cells["neuron"].values))
        ids = node["neuron"].values[indices]
        coords = {"neuron": ("event", ids), "trial": ("event", node["trial"].values[indices])}
        attrs = {**node["time"].attrs, **node.attrs}
        if "neurons" in self.tree.children:
            neurons = self.tree["neurons"].to_dataset()
            row = run_folder.locate_ids(neurons["neuron"].values, ids)
            for name in LABELS:
                coords[name] = ("event", neurons[name].values[row])
            attrs["neuron_labels"] = describe_neurons(neurons)
        return xr.DataArray(node["time"].values[indices], coords, ("event",), "spk", attrs)

    def _cells(self) -> "xr.DataArray":
        """The ids of all cells (neuron), with their names where there are some."""
        import xarray as xr

        if "neurons" not in self.tree.children:
            ids = np.arange(int(self.tree["spk"].attrs["n_neurons"]))
            return xr.DataArray(ids, {"neuron": ids}, ("neuron",), "spk")
        table = self.tree["neurons"].to_dataset()
        return table.set_coords((*LABELS, "z_mm"))["neuron"].rename("spk")

    def _select_labels(
        self, readout: "xr.DataArray", names: dict[str, list[str]], ids: Ids, where: str
    ) -> "xr.DataArray":
        """The part of `readout` with these labels and ids. Raises: JtfneError if it is empty."""
        whole_readout = readout
        if ids is not None:
            readout = select.select_ids(readout, ids, where)
        for key, choices in names.items():
            if key not in readout.coords:
                if "neuron" in readout.dims:
                    self._refuse_nameless(key)
                applies = ", ".join(name for name in LABELS if name in readout.coords) or "none"
                raise refuse(
                    f"{key}={describe_value(choices)}",
                    f"selectors of its own axes: {applies}",
                    where,
                )
            known = self._list_values(whole_readout, key)
            is_chosen = match_labels(
                readout[key].values, choices, name=key, where=where, known=known
            )
            (dim,) = readout[key].dims
            readout = readout.isel({dim: np.flatnonzero(is_chosen)})
        if readout.size == 0 and whole_readout.size:
            selectors = [f"{key}={describe_value(choices)}" for key, choices in names.items()]
            if ids is not None:
                selectors.append(f"ids={describe_value(ids)}")
            problem = f"{', '.join(selectors)}, which matches nothing,"
            raise refuse(problem, "a selection that matches something", where)
        return readout

    def _list_values(self, readout: "xr.DataArray", key: str) -> list[str]:
        """The values that label `key` has in the net, or else in `readout`."""
        of_net = "neuron" in readout.dims and "neurons" in self.tree.children
        values = self.tree["neurons"].to_dataset()[key] if of_net else readout[key]
        return [str(value) for value in dict.fromkeys(values.values.tolist())]

    def _select_trial(self, readout: "xr.DataArray", trial: Any, where: str) -> "xr.DataArray":
        """The part of `readout` in one trial, or all. Raises: JtfneError for an unknown trial."""
        if trial is None:
            return readout
        n_trials = int(self.tree.attrs["n_trials"])
        if (
            isinstance(trial, bool)
            or not isinstance(trial, int | np.integer)
            or not 0 <= trial < n_trials
        ):
            raise refuse(
                f"trial={describe_value(trial)}", f"a whole number, 0 to {n_trials - 1}", where
            )
        if "trial" in readout.dims:
            return readout.isel(trial=[int(trial)])
        return readout.isel(event=np.flatnonzero(readout["trial"].values == trial))

    def _raster(
        self,
        events: "xr.DataArray",
        cells: "xr.DataArray",
        trial: int | None,
        bounds: Bounds | None,
        where: str,
    ) -> "xr.DataArray":
        """Spikes of `cells` as a dense bool array (trial, time, neuron), made from the events."""
        import xarray as xr

        spike_attrs = self.tree["spk"].attrs
        dt_ms, n_trials = float(spike_attrs["dt_ms"]), int(spike_attrs["n_trials"])
        steps = np.arange(1, int(nearest_steps(float(spike_attrs["duration_ms"]), dt_ms)) + 1)
        time_ms = xr.DataArray(np.round(steps * dt_ms, 9), dims=("time",), attrs=TIME)
        if bounds is not None:
            steps = steps[select.inside(time_ms.values, bounds, where)]
            time_ms = time_ms[steps - 1]
        trials = np.arange(n_trials) if trial is None else np.array([trial])
        known_ids, columns = np.unique(cells.values, return_inverse=True)
        dense = np.zeros((trials.size, steps.size, known_ids.size), bool)
        time_index = nearest_steps(events.values, dt_ms) - steps[0]
        dense[
            events["trial"].values - trials[0],
            time_index,
            np.searchsorted(known_ids, events["neuron"].values),
        ] = True
        dense = dense if np.array_equal(known_ids, cells.values) else dense[:, :, columns]
        coords = {"trial": trials, "time": time_ms, **cells.coords}
        attrs = {
            "readout": "spk",
            "long_name": "spikes of each step",
            "units": "1",
            "proxy": 0,
            "interval_ms": dt_ms,
        }
        return xr.DataArray(dense, coords, ("trial", "time", "neuron"), "spk", attrs)

    def _refuse_nameless(self, what: str) -> None:
        """Raises: JtfneError if the net of this run has no names."""
        if "neurons" not in self.tree.children:
            raise refuse(
                f"{what!r} of signals without identity",
                "a run of a net built from a Config",
                "Signals",
            )
