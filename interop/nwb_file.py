"""A run as an NWB file: trials, events, units, electrodes and every readout over time."""

import datetime
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import __version__, _json, _time, run_folder
from jtfne._check import import_extra, names_arguments, narrow_dtype, refuse
from jtfne._names import safe_name, tell_renamed
from jtfne.interop._inputs import check_path, check_signals, open_beside
from jtfne.interop.mne_events import list_conditions, list_events
from jtfne.interop.mne_raw import name_channels
from jtfne.readouts import find_readout
from jtfne.signals import Signals

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

WHERE = "to_nwb"
# A simulation has no date; a fixed one makes the file the same whenever it is written.
SESSION_START = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
NO_ANIMAL = {
    "subject_id": "simulation",
    "description": "A simulated circuit; there is no animal. The species is NCBI's entry for "
    "synthetic constructs, the age any.",
    "species": "http://purl.obolibrary.org/obo/NCBITaxon_32630",
    "age": "P0D/",
    "sex": "U",
}
MODULE = "ecephys"
LABELS = ("area", "layer", "cell_type")
ROWS_AT_ONCE = 4096  # samples that go to the file in one piece
# Units of a readout that are no SI units, and what one of them is.
SI_UNITS = {"mV": ("V", 1e-3), "pA": ("A", 1e-12)}
UM_PER_mm = 1e3
CLOCK = (
    "Trials stand end to end: trial k begins at k times the length of a trial. A sample is dated "
    "by the end of the interval that it is the mean of, a spike by the end of its time step."
)
COLUMNS = {
    "channel": "name of the channel",
    "area": "area of the model",
    "layer": "layer of the model",
    "cell_type": "cell type of the model",
    "neuron": "number of the cell, the id of its unit",
    "unit": "unit of the channel's values",
    "x_mm": "x, mm; of sensors in head coordinates (right), of others in the plane of the column",
    "y_mm": "y, mm; of sensors in head coordinates (front), of others in the plane of the column",
    "z_mm": "z, mm; of sensors in head coordinates (up), of others the depth below the pia",
}


@names_arguments
def to_nwb(signals: Signals, path: str | Path) -> Path:
    """Write a run as an NWB file (``pip install "jtfne[nwb]"``), and return its path.

    Trials stand end to end on the clock of the session: time t (ms) of trial k is at
    (t + k * duration_ms) / 1000 s. A sample is dated by the end of its interval, as in `Signals`,
    so that spikes and samples are on one clock: `starting_time` is one interval, not 0.

    - ``units``: `spike_times` (s) of every cell, silent ones too, `obs_intervals` (the whole
      session), `resolution` (the time step), columns area, layer, cell_type and population.
    - ``trials``: start and stop, condition, and code, label and onset of the trial's first event;
      ``events["stimuli"]``: every event with its duration, label, code, condition and trial.
    - ``processing["ecephys"]``: ``lfp`` as ElectricalSeries (V) with an electrode a contact:
      `depth_um` below the pia, `location` the area. Every other readout over time as a TimeSeries
      in SI units, or the unit that it has: proxies are "a.u.", never volts. The table
      ``NAME_channels`` says what its columns are. Values are float32.
    - ``notes``: the manifest as strict JSON; ``identifier``: its hash.

    Readouts without time (`spectrolaminar_proxy`) have no place in it.

    Parameters
    ----------
    signals : Signals
    path : str or Path
        A file ``*.nwb`` that does not exist yet. One run gives the same bytes whenever it is
        written.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        If the file exists, pynwb is not installed, or times are uneven within a trial.

    Warns
    -----
    UserWarning
        Where names of areas or readouts had to be written otherwise, as "/" is a group in HDF5;
        tables keep the name itself.

    Examples
    --------
    >>> import jtfne, pathlib, tempfile
    >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
    >>> signals = net.simulate(duration_ms=50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = to_nwb(signals, pathlib.Path(folder) / "run.nwb")
    ...     spikes = jtfne.interop.from_nwb(path, "spk")
    >>> spikes.attrs["n_neurons"], spikes.equals(signals.get("spk"))
    (20, True)
    """
    check_signals(signals, WHERE)
    path = check_path(path, WHERE)
    if path.suffix.lower() != ".nwb":
        raise refuse(f"the name {str(path)!r}", "one that ends in .nwb", WHERE)
    pynwb = import_extra("pynwb", "nwb", WHERE)
    identifier = _json.sha256(signals.manifest)
    content = pynwb.NWBFile(
        session_description=_describe_session(signals),
        identifier=identifier,
        session_start_time=SESSION_START,
        file_create_date=[SESSION_START],
        notes=_json.dumps(signals.manifest),
        subject=pynwb.file.Subject(**NO_ANIMAL),
    )
    _add_trials(content, signals)
    if "spk" in signals.recorded():
        _add_units(content, signals)
    _add_readouts(content, signals)
    with open_beside(path, WHERE) as beside:
        with pynwb.NWBHDF5IO(str(beside), "w") as stream:
            stream.write(content)
        _fix_identities(beside, identifier)
    return path


def _describe_session(signals: Signals) -> str:
    """What the session is, and its clock."""
    n_trials, duration_ms = _read_sizes(signals)
    return f"Simulation by jtfne {__version__}: {n_trials} x {duration_ms:g} ms. {CLOCK}"


def _read_sizes(signals: Signals) -> tuple[int, float]:
    """The number of trials, and the length of one in ms."""
    return int(signals.tree.attrs["n_trials"]), float(signals.tree.attrs["duration_ms"])


def _to_session_s(time_ms: Any, trial: Any, duration_ms: float) -> Any:
    """Times within trials, ms, on the clock of the session, s."""
    return np.round((np.asarray(time_ms) + np.asarray(trial) * duration_ms) / 1e3, 12)


def _add_trials(content: Any, signals: Signals) -> None:
    """Add the table of trials, and that of events if there are any."""
    n_trials, duration_ms = _read_sizes(signals)
    events = list_events(signals)
    conditions = list_conditions(signals)
    columns = {"condition": "condition of the trial"} if any(conditions) else {}
    if len(events):
        columns["label"] = "label of the first event of the trial"
        columns["code"] = "code of the first event of the trial; 0 where it has none"
        columns["onset"] = "onset of the first event of the trial, s on the session's clock"
    for name, description in columns.items():
        content.add_trial_column(name, description)
    for trial in range(n_trials):
        row: dict[str, Any] = {"label": "", "code": 0, "onset": np.nan}
        for event in events[events["trial"] == trial].head(1).to_dict("records"):
            row = {"label": str(event["label"]), "code": int(event["code"])}
            row["onset"] = float(_to_session_s(event["onset_ms"], trial, duration_ms))
        row["condition"] = conditions[trial]
        content.add_trial(
            start_time=float(_to_session_s(0.0, trial, duration_ms)),
            stop_time=float(_to_session_s(0.0, trial + 1, duration_ms)),
            **{name: row[name] for name in columns},
        )
    if len(events):
        _add_events(content, events, duration_ms)


def _add_events(content: Any, events: "pd.DataFrame", duration_ms: float) -> None:
    """Add the table of all events."""
    from pynwb import event

    onsets_s = _to_session_s(events["onset_ms"], events["trial"], duration_ms)
    columns = [
        event.TimestampVectorData(
            name="timestamp", description="onset on the session's clock, s", data=onsets_s
        ),
        event.DurationVectorData(
            name="duration", description="duration, s", data=events["duration_ms"].to_numpy() / 1e3
        ),
    ]
    descriptions = {
        "label": "label of the stimulus",
        "code": "code of the label",
        "trial": "number of the trial, from 0",
    }
    if events["condition"].any():
        descriptions["condition"] = "condition of the trial"
    columns += _make_columns(events, descriptions)
    content.add_events_table(
        event.EventsTable(
            name="stimuli", description="every stimulus of every trial", columns=columns
        )
    )


def _make_columns(table: "pd.DataFrame", descriptions: dict[str, str]) -> list[Any]:
    """Columns of an NWB table: numbers as they are, all else as texts."""
    from hdmf.common import VectorData

    columns = []
    for name, description in descriptions.items():
        values: Any = table[name].to_numpy()
        if values.dtype.kind not in "biuf":
            values = [str(value) for value in values]
        columns.append(VectorData(name=name, description=description, data=values))
    return columns


def _add_units(content: Any, signals: Signals) -> None:
    """Add the units: every cell, with its spikes on the clock of the session."""
    from hdmf.common import ElementIdentifiers, VectorData, VectorIndex
    from pynwb.misc import Units

    n_trials, duration_ms = _read_sizes(signals)
    spikes = signals.get("spk")
    has_names = "neurons" in signals.tree.children
    cells = signals.neurons if has_names else None
    ids = np.arange(int(spikes.attrs["n_neurons"]))
    if cells is not None:
        ids = cells["neuron"].to_numpy()
    times_s = _to_session_s(spikes.values, spikes["trial"].values, duration_ms)
    rows = run_folder.locate_ids(ids, spikes["neuron"].values)
    times = VectorData(
        name="spike_times",
        description="spikes, s on the session's clock",
        data=times_s[np.lexsort((times_s, rows))],
    )
    session_s = float(_to_session_s(0.0, n_trials, duration_ms))
    observed = VectorData(
        name="obs_intervals",
        description="the session, s",
        data=np.tile([[0.0, session_s]], (ids.size, 1)),
    )
    columns = [
        times,
        VectorIndex(
            name="spike_times_index",
            data=np.cumsum(np.bincount(rows, minlength=ids.size)),
            target=times,
        ),
        observed,
        VectorIndex(name="obs_intervals_index", data=np.arange(1, ids.size + 1), target=observed),
    ]
    if cells is not None:
        names = {name: f"{name.replace('_', ' ')} of the cell" for name in LABELS}
        cells = cells.assign(population=[" ".join(key) for key in cells[[*LABELS]].to_numpy()])
        names["population"] = "area, layer and cell type"
        columns += _make_columns(cells, names)
    content.units = Units(
        name="units",
        description="every cell of the model, silent ones too",
        id=ElementIdentifiers(name="id", data=ids),
        columns=columns,
        resolution=float(spikes.attrs["dt_ms"]) / 1e3,
    )


def _add_readouts(content: Any, signals: Signals) -> None:
    """Add every readout over time to the processing module."""
    names = []
    for readout in signals.recorded():
        if readout != "spk" and "time" in signals.tree[readout][readout].dims:
            names.append(readout)
    if not names:
        return
    module = content.create_processing_module(MODULE, "Fields, potentials and proxies of the run")
    tell_renamed(
        [(name, safe_name(name, "file")) for name in names], "names of readouts", stacklevel=4
    )
    for name in names:
        first = signals.get(name, trial=0)
        if _is_electrical(first):
            _add_electrical_series(content, module, signals, first)
        else:
            _add_time_series(module, signals, first)


def _is_electrical(data: "xr.DataArray") -> bool:
    """Whether a readout is the potential at contacts in tissue."""
    catalogued = find_readout(str(data.name))
    return (
        catalogued is not None
        and catalogued.row_kind() == "laminar"
        and not catalogued.proxy
        and data.attrs["units"] == "V"
    )


def _add_electrical_series(
    content: Any, module: Any, signals: Signals, first: "xr.DataArray"
) -> None:
    """Add a readout as ElectricalSeries, and its contacts as electrodes."""
    from pynwb.ecephys import LFP, ElectricalSeries

    content.add_electrode_column("channel_name", "name of the channel: area and contact")
    content.add_electrode_column("depth_um", "depth below the pia, um")
    areas = [str(area) for area in first["area"].values]
    tell_renamed(
        [(area, safe_name(area, "file")) for area in areas], "names of areas", stacklevel=5
    )
    names = iter(name_channels(first))
    places_um = {
        axis: UM_PER_mm * first[f"{axis}_mm"].values
        for axis in "xyz"
        if f"{axis}_mm" in first.coords
    }
    for area in areas:
        safe_area = safe_name(area, "file")
        device = content.create_device(f"probe in {safe_area}", description="simulated contacts")
        group = content.create_electrode_group(
            f"contacts in {safe_area}",
            description="contacts in the column of an area; rel_x, rel_y in its plane, rel_z depth",
            location=area,
            device=device,
        )
        for k in range(first.sizes["channel"]):
            place = {f"rel_{axis}": round(float(um[k]), 6) for axis, um in places_um.items()}
            content.add_electrode(
                group=group,
                location=area,
                channel_name=next(names),
                depth_um=round(float(places_um["z"][k]), 6),
                **place,
            )
    series = ElectricalSeries(
        name=safe_name(str(first.name), "file"),
        description=str(first.attrs.get("long_name", first.name)),
        data=_iterate_samples(signals, first),
        electrodes=content.create_electrode_table_region(
            list(range(len(content.electrodes))), "all contacts, area by area"
        ),
        **_describe_times(signals, first),
    )
    lfp = LFP(name="LFP")
    module.add(lfp)  # first, so that the series and the electrodes are of one file
    lfp.add_electrical_series(series)


def _add_time_series(module: Any, signals: Signals, first: "xr.DataArray") -> None:
    """Add a readout as TimeSeries, and the table of its channels."""
    from hdmf.common import DynamicTable
    from pynwb import TimeSeries

    units = str(first.attrs["units"])
    unit, conversion = SI_UNITS.get(units, (units, 1.0))
    name = safe_name(str(first.name), "file")
    module.add(
        TimeSeries(
            name=name,
            description=str(first.attrs.get("long_name", first.name)),
            data=_iterate_samples(signals, first),
            unit=unit,
            conversion=conversion,
            **_describe_times(signals, first),
        )
    )
    rows = _list_rows(first)
    if rows is not None:
        descriptions = {column: COLUMNS.get(column, column) for column in map(str, rows.columns)}
        columns = _make_columns(rows, descriptions)
        module.add(
            DynamicTable(
                name=f"{name}_channels",
                description=f"a row for each column of {name}",
                columns=columns,
            )
        )


def _list_rows(first: "xr.DataArray") -> "pd.DataFrame | None":
    """A row for each channel, cell or area of a readout with what is known of it; None for one."""
    sample = first.isel(time=0, drop=True)
    if not sample.dims:
        return None
    scalars = [name for name, coord in sample.coords.items() if not coord.dims]
    table = sample.drop_vars(scalars).to_dataframe("value").reset_index()
    if "channel" in table:
        table["channel"] = name_channels(first)
    rows: pd.DataFrame = table.drop(columns="value")
    return rows


def _describe_times(signals: Signals, first: "xr.DataArray") -> dict[str, Any]:
    """`starting_time` and `rate` of a series, or `timestamps` if trials leave gaps between them.

    Raises: JtfneError for times that are uneven within a trial.
    """
    n_trials, duration_ms = _read_sizes(signals)
    times_ms = np.asarray(first["time"].values, np.float64)
    if times_ms.size > 1:
        step_ms = _time.even_step(times_ms, where=WHERE, name=f"time of {first.name}")
    else:
        step_ms = float(first.attrs.get("interval_ms", duration_ms))
    has_gaps = abs(times_ms.size * step_ms - duration_ms) > _time.TOLERANCE * step_ms
    if has_gaps and n_trials > 1:
        trials = np.repeat(np.arange(n_trials), times_ms.size)
        return {"timestamps": _to_session_s(np.tile(times_ms, n_trials), trials, duration_ms)}
    return {"starting_time": float(_to_session_s(times_ms[0], 0, 0.0)), "rate": 1e3 / step_ms}


def _iterate_samples(signals: Signals, first: "xr.DataArray") -> Any:
    """The samples of all trials, end to end, as an iterator that reads one trial at a time."""
    from hdmf.data_utils import DataChunkIterator

    n_trials, _ = _read_sizes(signals)
    n_times = first.sizes["time"]
    n_channels = first.size // n_times
    shape = (n_trials * n_times,) if _is_single(first) else (n_trials * n_times, n_channels)
    return DataChunkIterator(
        data=_yield_samples(signals, str(first.name)),
        maxshape=shape,
        dtype=np.dtype(np.float32),
        buffer_size=ROWS_AT_ONCE,
    )


def _is_single(first: "xr.DataArray") -> bool:
    """Whether a readout is one number a sample."""
    return not set(first.dims) - {"trial", "time"}


def _yield_samples(signals: Signals, name: str) -> Iterator[Any]:
    """Yield the float32 values of each sample of each trial: one number, or (channels,)."""
    for trial in range(_read_sizes(signals)[0]):
        data = signals.get(name, trial=trial).transpose("time", ...)
        values = narrow_dtype(data.values, np.float32, name=name, where=WHERE)
        yield from values if _is_single(data) else values.reshape(values.shape[0], -1)


def _fix_identities(path: Path, identifier: str) -> None:
    """Replace the random ids of the objects of a file by ones that follow from its identifier."""
    import h5py

    def fix(name: str, item: Any) -> None:
        """Replace the id of one object."""
        if "object_id" in item.attrs:
            item.attrs["object_id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{identifier}/{name}"))

    with h5py.File(path, "r+") as file:
        fix("", file)
        file.visititems(fix)


__all__ = ["to_nwb"]
