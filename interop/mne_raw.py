"""Fields as MNE Raw and FIF, with channel types, units, places and events; and back."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import __version__, _time
from jtfne._check import names_arguments, refuse
from jtfne._names import channel_names, tell_renamed
from jtfne.interop._inputs import check_path, check_scale, check_signals, check_trial, open_beside
from jtfne.interop.mne_events import annotate
from jtfne.interop.mne_physical import (
    factor_to_mne,
    find_mne_type,
    forward_sensors,
    list_channel_types,
    locate_fiducials_m,
    locate_in_head_m,
    read_operator,
    spread_head_points_m,
)
from jtfne.readouts import Spheres, find_readout, list_readouts
from jtfne.readouts._sensors import HELMET, HELMET_LIFT_mm
from jtfne.recordings import write_description
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne
    import xarray as xr

# what one FIF file holds; MNE would split the rest off into files of other names
FIF_BYTES = 2 * 10**9


@names_arguments
def to_raw(
    signals: Signals, readout: str, *, trial: int | None = None, scale: float | None = None
) -> "mne.io.RawArray":
    """A field readout as `mne.io.RawArray`, stimuli as annotations.

    Time 0 of the Raw is the start of the first trial; sample k is the mean over [k, k + 1) sampling
    intervals. Trials stand end to end; between two of them are the annotations "BAD boundary" and
    "EDGE boundary", as where MNE joins recordings, so that no epoch or filter goes across.

    Parameters
    ----------
    signals : Signals
    readout : str
        Any readout over time. Physical ones have their type: eeg (V), meg as mag (T) and grad (T/m)
        with the helmet's coils, lfp as seeg (V), csd (V/m^2: A/m^3 over the conductivity), dipole
        (A m, a channel an area). Others (eeg_proxy, meg_proxy, lfp_proxy, csd_proxy, emm_proxy,
        rws, erws, source, vm) are `misc`.
    trial : int, optional
        One trial only.
    scale : float, optional
        SI units that one a.u. of a proxy stands for, by your own calibration. Left out, a proxy
        stays in arbitrary units as `misc` channels; given, it becomes `eeg` (V), `mag` (T), `seeg`
        (V) or `csd` (V/m^2).

    Returns
    -------
    mne.io.RawArray
        Channels named as in the readout, with the area before the channel where there are areas,
        and with their places where they have some. EEG has no reference yet:
        `raw.set_eeg_reference(projection=True)` before a fit. Annotations are named
        "condition/label", or by the label where no conditions are declared; `extras` has trial,
        code and condition of each, and `event_id` the codes for `mne.events_from_annotations`.
        `info` says which run it is: version and hash of the config in ``description``, the seed as
        ``subject_info["his_id"]``. What a simulation lacks stays None: date, mains, experimenter.
        MNE's functions take `dipole` and `misc` channels where `picks` names them or their type.

    Raises
    ------
    JtfneError
        For a readout without time, an uneven time axis, or a scale for a readout that has none.

    Warns
    -----
    UserWarning
        Where names had to be written otherwise. FIF keeps channels in ASCII: others are
        transliterated, their names kept in `info["description"]` and given back by `from_raw`.
        Annotations that begin with "bad" or "edge" would cut the data, so "_" is put before them;
        "/" becomes "|". The label itself stays in the annotation's `extras`.

    Examples
    --------
    >>> import jtfne
    >>> net = jtfne.construct(jtfne.suite2_net1_config(100))
    >>> raw = to_raw(net.simulate(duration_ms=50), "eeg_proxy")
    >>> raw.info["sfreq"], raw.get_channel_types(unique=True)
    (1000.0, ['misc'])
    """
    check_signals(signals, "to_raw")
    n_trials = int(signals.tree.attrs["n_trials"])
    trials = range(n_trials) if trial is None else [check_trial(signals, trial, "to_raw")]
    raw = raw_without_events(signals, readout, trials, scale)
    trial_s = raw.n_times / len(trials) / raw.info["sfreq"]
    raw.set_annotations(annotate(signals, trials, trial_s))
    return raw


def raw_without_events(
    signals: Signals, readout: str, trials: Sequence[int], scale: float | None
) -> "mne.io.RawArray":
    """A field readout of `trials`, end to end, as `mne.io.RawArray`, without annotations.

    Raises: JtfneError as `to_raw`.
    """
    import mne

    data = signals.get(readout, trial=trials[0])
    name = str(data.name)
    if "time" not in data.dims:
        raise refuse(
            f"readout {name!r} over {', '.join(map(str, data.dims))}",
            "a readout over time",
            "to_raw",
        )
    scalable = [name for name, cls in list_readouts().items() if cls.proxy and cls.mne_type]
    if scale is not None and name not in scalable:
        problem = f"scale={scale!r} for {name!r}"
        raise refuse(problem, f"a scale for {', '.join(scalable)}", "to_raw")
    scale = check_scale(scale, "to_raw")
    mne_type = find_mne_type(data, scale)
    factor = factor_to_mne(data, scale)
    names, originals = channel_names(name_channels(data))
    tell_renamed(
        [(original, text) for text, original in originals.items()],
        "names of channels",
        stacklevel=4,
    )
    catalogued = find_readout(name)
    if catalogued is None or catalogued.proxy or catalogued.mne_type is None:
        info = _info(data, names, _sampling_Hz(data), mne_type)
    else:
        info = _physical_info(signals, data, names, _sampling_Hz(data), mne_type)
    with info._unlock():
        config = signals.manifest.get("config_sha256", "unknown")
        head = f"jtfne {__version__} {name} config {config}"
        info["description"] = write_description(head, originals, _channel_depths(data, names))
        info["device_info"] = {"type": "jtfne"}
        seed = signals.manifest.get("run", {}).get("seed")
        if seed is not None:
            info["subject_info"] = {"his_id": f"sim-{seed}"}
    parts = [channels_by_time(data)]
    for trial in trials[1:]:
        parts.append(channels_by_time(signals.get(readout, trial=trial)))
    return mne.io.RawArray(np.concatenate(parts, axis=1) * factor, info, verbose="error")


@names_arguments
def write_fif(
    signals: Signals,
    readout: str,
    path: str | Path,
    *,
    trial: int | None = None,
    scale: float | None = None,
) -> Path:
    """Write a field readout as a FIF file in double precision, bit for bit what `to_raw` gives.

    Parameters
    ----------
    signals, readout, trial, scale
        As `to_raw`.
    path : str or Path
        A file that does not exist yet; its name should end in `raw.fif`.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        As `to_raw`, if the file exists, and for more than the 2 GB that a FIF file holds.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import write_fif
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> write_fif(signals, "eeg_proxy", "eeg_proxy_raw.fif").name
    'eeg_proxy_raw.fif'
    """
    path = check_path(path, "write_fif")
    if not path.name.endswith((".fif", ".fif.gz")):
        raise refuse(f"the name {str(path)!r}", "one that ends in .fif or .fif.gz", "write_fif")
    raw = to_raw(signals, readout, trial=trial, scale=scale)
    n_bytes = 8 * raw.n_times * len(raw.ch_names)
    if n_bytes > FIF_BYTES:
        raise refuse(
            f"{n_bytes / 1e9:.1f} GB in one FIF file",
            "2 GB, or `to_zarr` and `to_netcdf`",
            "write_fif",
        )
    with open_beside(path, "write_fif") as beside:
        raw.save(beside, fmt="double", verbose="error")
    return path


def channels_by_time(data: "xr.DataArray") -> np.ndarray[Any, Any]:
    """Values of one trial as MNE has them, area before channel: (channels, time)."""
    return data.transpose("time", ...).values.reshape(data.sizes["time"], -1).T.astype(np.float64)


def _channel_depths(data: "xr.DataArray", names: list[str]) -> dict[str, float]:
    """Depth below the pia in mm of each contact, by the name of its channel; none elsewhere."""
    if "z_mm" not in data.coords or (
        {"x_mm", "y_mm"} <= set(data.coords) and "area" not in data.dims
    ):
        return {}
    depths_mm = np.tile(data["z_mm"].values, data.sizes.get("area", 1)).round(9)
    return dict(zip(names, depths_mm.tolist(), strict=True))


def name_channels(data: "xr.DataArray") -> list[str]:
    """A name for each row of the data: area and channel, or the neuron's id."""
    if {"area", "channel"} <= set(data.dims):
        pairs = itertools.product(data["area"].values, data["channel"].values)
        return [f"{area}:{channel}" for area, channel in pairs]
    if "channel" in data.dims:
        return [str(channel) for channel in data["channel"].values]
    if "neuron" in data.dims:
        return [f"n{neuron}" for neuron in data["neuron"].values]
    if "area" in data.dims:
        return [str(area) for area in data["area"].values]
    return [str(data.name)]


def _sampling_Hz(data: "xr.DataArray") -> float:
    """Sampling rate, Hz. Raises: JtfneError for uneven or fewer than 2 samples."""
    time_ms = np.asarray(data["time"].values, np.float64)
    if time_ms.size < 2:
        raise refuse(f"{time_ms.size} samples", "2 or more", "to_raw")
    steps_ms = np.diff(time_ms)
    step_ms = (time_ms[-1] - time_ms[0]) / (time_ms.size - 1)
    if not (step_ms > 0 and _time.is_even(time_ms)):
        raise refuse(
            f"a time axis with steps of {steps_ms.min():g} to {steps_ms.max():g} ms",
            "even steps",
            "to_raw",
        )
    return float(round(1e3 / step_ms, 6))


def _info(data: "xr.DataArray", names: list[str], sampling_Hz: float, mne_type: str) -> "mne.Info":
    """The Info of a proxy, or of what MNE has no type for: names, types and places of channels."""
    import mne

    catalogued = find_readout(str(data.name))
    placed_type = None if catalogued is None else catalogued.mne_type
    if placed_type == "mag":
        return _helmet_info(names, sampling_Hz, mne_type)
    info = mne.create_info(names, sampling_Hz, mne_type, verbose="error")
    return _place_channels(info, _places_m(data), "eeg" if placed_type == "eeg" else "seeg")


def _physical_info(
    signals: Signals, data: "xr.DataArray", names: list[str], sampling_Hz: float, mne_type: str
) -> "mne.Info":
    """The Info of a physical readout: names, types and places of channels.

    Columns stand in the head where areas have places.
    """
    import mne

    kinds = list_channel_types(data, mne_type)
    operator = read_operator(data)
    if mne_type == "meg" and "forward" not in operator:
        lift_m = operator["helmet_lift_mm"] / 1e3
        return _helmet_info(names, sampling_Hz, kinds[0], operator, operator["helmet"], lift_m)
    info = mne.create_info(names, sampling_Hz, kinds, verbose="error")
    if mne_type == "meg":
        forward_sensors(info, operator["forward"], operator["forward_sha256"])
        return info
    if mne_type == "eeg":
        return _place_channels(info, _places_m(data), "eeg", operator)
    in_head_m = locate_in_head_m(signals, data) if "area" in data.coords else None
    return _place_channels(info, _places_m(data) if in_head_m is None else in_head_m, "seeg")


def _place_channels(
    info: "mne.Info",
    places_m: np.ndarray[Any, Any] | None,
    as_if: str,
    operator: dict[str, Any] | None = None,
) -> "mne.Info":
    """`info` with its channels at `places_m` in head coordinates, whatever their type.

    operator: what the readout was computed by, if that says its head.
    """
    import mne

    if places_m is not None:
        names = info["ch_names"]
        fiducials_m = locate_fiducials_m(*_read_sphere_mm(operator))
        montage = mne.channels.make_dig_montage(
            dict(zip(names, places_m, strict=True)), coord_frame="head", **fiducials_m
        )
        info_with_places = mne.create_info(
            names, info["sfreq"], as_if, verbose="error"
        ).set_montage(montage, verbose="error")
        _copy_places(info, info_with_places)
    return info


def _read_sphere_mm(operator: dict[str, Any] | None) -> tuple[Any, float]:
    """Centre and radius of the head that an operator says, or of the one by default."""
    head = {} if operator is None else operator
    sphere = Spheres()
    centre_mm = head.get("centre_mm", sphere.centre_mm)
    return centre_mm, float(head.get("radii_mm", sphere.radii_mm)[-1])


def _copy_places(info: "mne.Info", source_info: "mne.Info") -> None:
    """Give the channels of `info` the places of those of `source_info`.

    MNE itself places potentials only.
    """
    with info._unlock():
        info["dig"] = source_info["dig"]
        for channel, source_channel in zip(info["chs"], source_info["chs"], strict=True):
            channel["loc"], channel["coord_frame"] = (
                source_channel["loc"].copy(),
                source_channel["coord_frame"],
            )


def _places_m(data: "xr.DataArray") -> np.ndarray[Any, Any] | None:
    """Positions of channels, (n, 3) in m: in the head, or by depth on a shank for each area.

    None without positions and depths.
    """
    if {"x_mm", "y_mm", "z_mm"} <= set(data.coords) and "area" not in data.dims:
        return np.stack([data[f"{axis}_mm"].values for axis in "xyz"], axis=1) / 1e3
    if "channel" in data.dims and "z_mm" in data.coords:
        depths_mm = np.tile(data["z_mm"].values, data.sizes.get("area", 1))
        shank = np.repeat(np.arange(data.sizes.get("area", 1)), data.sizes["channel"])
        # shanks 10 mm apart, depth down
        return np.stack([10.0 * shank, np.zeros(depths_mm.size), -depths_mm], axis=1) / 1e3
    return None


def _helmet_info(
    names: list[str],
    sampling_Hz: float,
    kind: str,
    operator: dict[str, Any] | None = None,
    helmet: str = HELMET,
    lift_m: float = HELMET_LIFT_mm / 1e3,
) -> "mne.Info":
    """The Info of a canonical helmet, lifted onto the head; `misc` channels if `kind` is that.

    operator: what the readout was computed by, if that says its head; its points come along.
    """
    import mne
    from mne.io.constants import FIFF

    info = mne.channels.read_meg_canonical_info(helmet)
    info = mne.pick_info(info, [info["ch_names"].index(name) for name in names], copy=True)
    head_transform = np.eye(4)
    head_transform[2, 3] = lift_m
    sphere_mm = _read_sphere_mm(operator)
    montage = mne.channels.make_dig_montage(
        hsp=spread_head_points_m(*sphere_mm),
        coord_frame="head",
        **locate_fiducials_m(*sphere_mm),
    )
    with info._unlock():
        info["dig"] = montage.dig
        info["dev_head_t"] = mne.transforms.Transform("meg", "head", head_transform)
        info["sfreq"], info["lowpass"], info["highpass"] = sampling_Hz, sampling_Hz / 2, 0.0
    if kind != "misc":
        return info
    proxies = mne.create_info(names, sampling_Hz, "misc", verbose="error")
    _copy_places(proxies, info)
    # FIF keeps no device frame of `misc` channels: write head positions
    for channel in proxies["chs"]:
        channel["loc"][2] += lift_m
        channel["coord_frame"] = FIFF.FIFFV_COORD_HEAD
    return proxies
