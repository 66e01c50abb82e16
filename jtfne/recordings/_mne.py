"""Recordings that MNE reads, as the DataArrays that `Signals.get` gives.

One clock: MNE dates a sample by the start of what it stands for, `Signals` by its end. The
conversion is `_time.sample_ends_ms`, and nowhere else.
"""

import functools
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne import _json
from jtfne._check import (
    UNREADABLE,
    JtfneError,
    check_name,
    describe_value,
    names_arguments,
    one_of,
    refuse,
)
from jtfne._files import resolve_path
from jtfne._mne_units import find_mne_unit
from jtfne._names import original_name
from jtfne._stored import check_fif, refuse_large
from jtfne._time import sample_ends_ms
from jtfne.readouts import find_readout, list_readouts

if TYPE_CHECKING:
    import mne
    import xarray as xr

Recording = Any  # mne.io.BaseRaw, mne.BaseEpochs or mne.Evoked: mne has no types

# The types of MNE that hold data.
CHANNEL_TYPES = ("eeg", "seeg", "ecog", "dbs", "mag", "grad", "csd", "dipole", "misc")
# Of a readout's `mne_type`, where a recording may have it under other types.
TYPES_IN_RECORDINGS = {"meg": ("mag", "grad"), "seeg": ("seeg", "ecog", "dbs")}
SUFFIXES = (".fif", ".fif.gz", ".edf", ".bdf", ".gdf", ".vhdr", ".set", ".cnt", ".mff")
NAMES = " names "  # comes before the table of renamed channels in a Raw's description
DEPTHS = " depths "  # and this before the table of their depths
# Annotations that begin so mark spans to leave out, and boundaries; BrainVision puts the kind of a
# marker before its text.
NO_STIMULUS = ("bad", "edge", "comment/bad", "comment/edge", "new segment/")


@names_arguments
def from_raw(
    source: "mne.io.BaseRaw | mne.BaseEpochs | mne.Evoked | str | os.PathLike[str]",
    readout: str = "eeg",
    *,
    picks: str | Sequence[str] | None = None,
    include_bads: bool = False,
    label: str | Sequence[str] | None = None,
) -> "xr.DataArray":
    """A recording as the DataArray that `Signals.get` would give for `readout`.

    Parameters
    ----------
    source : mne.io.Raw, mne.Epochs, mne.Evoked, str or Path
        In memory, or a file that MNE reads: FIF (raw, epochs or one average), EDF, BDF, GDF,
        BrainVision, EEGLAB, Neuroscan, EGI.
    readout : str
        What to call it. ``eeg``, ``meg``, ``lfp``, ``csd`` and ``dipole`` take the channels of
        their types (``lfp``: seeg, ecog or dbs); any other name takes the only type there is.
    picks : str or sequence of str, optional
        An MNE channel type, or names of channels, in place of the choice by `readout`.
    include_bads : bool
        Whether bad channels are taken too; they are then marked by the coordinate ``bad``.
    label : str or sequence of str, optional
        Only events of these labels count as onsets. Of epochs, only those are taken.

    Returns
    -------
    xarray.DataArray
        (time, channel), of epochs (trial, time, channel), in SI units; time in ms at the end of
        each sampling interval, from the first sample of a Raw and from the event of Epochs and
        Evoked. ``attrs["onset_ms"]`` is the onset of the event, or a list of several, with their
        ``attrs["labels"]``; spans that MNE leaves out (``BAD``, ``EDGE``) are no events: they begin
        at ``attrs["bad_starts_ms"]`` and end at ``attrs["bad_stops_ms"]``.
        Epochs have the coordinate ``label`` of each trial. Places of sensors are ``x_mm``,
        ``y_mm``, ``z_mm`` in head coordinates; those of contacts and areas are ``x_head_mm``, ...,
        for ``z_mm`` is their depth below the pia, known where jtfne wrote the file. Channels that
        `to_raw` had to rename have their own names again. Where the recording says it,
        ``attrs["meas_date"]`` is when it was made (ISO 8601) and ``attrs["reference"]`` that of its
        EEG, ``"average"`` or ``"custom"``.

    Raises
    ------
    JtfneError
        For what is no recording, a file that is cut short, no channels or several types of them,
        and labels that no event has.

    Examples
    --------
    >>> import mne, numpy as np
    >>> info = mne.create_info(["Fz", "Pz", "EOG"], 250.0, ["eeg", "eeg", "eog"])
    >>> raw = mne.io.RawArray(np.zeros((3, 100)), info, verbose="error")
    >>> raw.info["bads"] = ["Pz"]
    >>> recording = from_raw(raw)
    >>> recording.channel.values.tolist(), float(recording.time[0])
    (['Fz'], 4.0)
    """
    import mne

    check_name(readout, "the readout", "from_raw")
    if isinstance(source, str | os.PathLike):
        source = read_recording(source)
    if not isinstance(source, mne.io.BaseRaw | mne.BaseEpochs | mne.Evoked):
        raise refuse(
            f"data of type {type(source).__name__}",
            "an mne.io.Raw, mne.Epochs or mne.Evoked, or the path of a file",
            "from_raw",
        )
    names = _choose_channels(source, readout, picks, include_bads)
    if isinstance(source, mne.BaseEpochs):
        return _read_epochs(source, readout, names, label)
    recording = _label_channels(source, readout, names, _read_values(source, names))
    if isinstance(source, mne.Evoked):
        if label is not None:
            raise refuse("label= for an average", "no label: it is of one event", "from_raw")
        return recording.assign_attrs(onset_ms=0.0, n_epochs=int(source.nave))
    return recording.assign_attrs(_describe_events(source, label))


def is_mne(source: object) -> bool:
    """Whether `source` is a Raw, Epochs or Evoked; MNE is not imported to find out."""
    mne = sys.modules.get("mne")  # who has such an object has imported it
    return mne is not None and isinstance(source, mne.io.BaseRaw | mne.BaseEpochs | mne.Evoked)


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """The Raw, Epochs or Evoked of a file.

    Raises: JtfneError for a kind of file that is not in SUFFIXES, one that is not there, cannot be
    read, or holds several averages.
    """
    import mne

    resolved = resolve_path(path, "from_raw")
    name = resolved.name.lower()
    if not name.endswith(SUFFIXES):
        raise refuse(f"the file {str(path)!r}", f"one of {', '.join(SUFFIXES)}", "from_raw")
    if not (resolved.is_file() or (name.endswith(".mff") and resolved.is_dir())):
        state = "is no regular file" if resolved.exists() else "is not there"
        raise refuse(f"{str(resolved)!r}, which {state},", "a file", "from_raw")
    stem = name.removesuffix(".gz").removesuffix(".fif")
    is_fif = name.endswith((".fif", ".fif.gz"))
    if is_fif:
        check_fif(resolved, "from_raw")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of what MNE asks of pandas
            if is_fif and stem.endswith(("-epo", "_epo")):
                recording = mne.read_epochs(resolved, preload=False, verbose="error")
            elif is_fif and stem.endswith(("-ave", "_ave")):
                recording = _read_average(resolved)
            else:
                recording = mne.io.read_raw(resolved, verbose="error")
        recording.get_channel_types()  # raises for a kind of channel that MNE does not know
    except JtfneError:
        raise
    except Exception as error:  # any: of a broken file MNE raises bare Exceptions too
        if is_fif and isinstance(error, ValueError) and "No raw data" in str(error):
            return _read_fif_of_events(resolved)
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(
            f"{resolved.name}, which cannot be read ({reason}),",
            "a whole file that MNE reads",
            "from_raw",
        ) from error
    return recording


def _read_fif_of_events(path: Path) -> Recording:
    """The Epochs or the Evoked of a FIF file whose name does not say which it holds.

    Raises: JtfneError for a file that holds neither.
    """
    import mne

    readers = functools.partial(mne.read_epochs, preload=False, verbose="error"), _read_average
    errors = []
    for read in readers:
        try:
            return read(path)
        except JtfneError:
            raise
        except UNREADABLE as error:
            errors.append(error)
    raise refuse(
        f"{path.name}, which holds no raw data, epochs or averages,",
        "a FIF file of one of them",
        "from_raw",
    ) from errors[-1]


def _read_average(path: Path) -> "mne.Evoked":
    """The only average of a file. Raises: JtfneError for several."""
    import mne

    averages = mne.read_evokeds(path, verbose="error")
    if len(averages) != 1:
        comments = ", ".join(repr(average.comment) for average in averages)
        raise refuse(
            f"{path.name} with {len(averages)} averages, {comments},",
            "one, or from_raw(mne.read_evokeds(path, condition=...))",
            "from_raw",
        )
    return averages[0]


def _choose_channels(
    source: Recording, readout: str, picks: str | Sequence[str] | None, include_bads: bool
) -> list[str]:
    """The names of the channels that are asked for, in the order of the file.

    Raises: JtfneError for none, for several types, and for names that are not there.
    """
    type_of_name = dict(zip(source.ch_names, source.get_channel_types(), strict=True))
    if picks is None:
        types = _choose_types(readout, set(type_of_name.values()))
        names = [name for name, kind in type_of_name.items() if kind in types]
    else:
        names = _pick_channels(picks, type_of_name)
    good_names = [name for name in names if name not in source.info["bads"]]
    if names and not good_names and not include_bads:
        raise refuse(
            f"a recording whose {len(names)} channels are all bad",
            "a good channel, or include_bads=True",
            "from_raw",
        )
    return names if include_bads else good_names


def _list_types_by_readout() -> dict[str, tuple[str, ...]]:
    """The channel types that each physical readout may have in a recording, by its name."""
    types_by_readout: dict[str, tuple[str, ...]] = {}
    for name, readout in list_readouts().items():
        if readout.mne_type is not None and not readout.proxy:
            one_type = (readout.mne_type,)
            types_by_readout[name] = TYPES_IN_RECORDINGS.get(readout.mne_type, one_type)
    return types_by_readout


def _choose_types(readout: str, types_present: set[str]) -> tuple[str, ...]:
    """The channel types that a readout takes.

    Raises: JtfneError where there are none, or several that its name does not tell apart.
    """
    types_of_readout = _list_types_by_readout()
    asked_types = types_of_readout.get(readout, ())
    if types_present & set(asked_types):
        return asked_types
    data_types = sorted(types_present & set(CHANNEL_TYPES) - {"misc"})
    if len(data_types) > 1:
        raise refuse(
            f"readout={readout!r} of a recording with channels of types {', '.join(data_types)}",
            f"one of {', '.join(types_of_readout)} that it has, or picks=",
            "from_raw",
        )
    if not data_types and "misc" not in types_present:
        raise refuse(
            f"a recording with channels of types {', '.join(sorted(types_present)) or 'none'}",
            f"one of {', '.join(CHANNEL_TYPES)}",
            "from_raw",
        )
    return tuple(data_types) or ("misc",)


def _pick_channels(picks: Any, type_of_name: dict[str, str]) -> list[str]:
    """The channels that `picks` names, by type or by name. Raises: JtfneError for others."""
    words = [picks] if isinstance(picks, str) else picks
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise refuse(
            f"picks={describe_value(picks)}", "a channel type, or names in a list", "from_raw"
        )
    for word in words:
        one_of(word, [*type_of_name, *CHANNEL_TYPES], name="pick", where="from_raw")
    names = [name for name, kind in type_of_name.items() if name in words or kind in words]
    if not names:
        raise refuse(
            f"picks={describe_value(picks)}, of which the recording has none,",
            f"one of {', '.join(sorted(set(type_of_name.values())))}",
            "from_raw",
        )
    return names


def _read_values(source: Recording, names: list[str]) -> NDArray[np.float64]:
    """The values of channels, a copy: (time, channel), of epochs (trial, time, channel).

    Raises: JtfneError for no samples, and for a file that ends before what its head declares.
    """
    import mne

    rows = [source.ch_names.index(name) for name in names]
    if isinstance(source, mne.io.BaseRaw):
        # times and values; what a file leaves out takes no room there, but here
        n_bytes = source.n_times * (len(names) + 1) * np.dtype(np.float64).itemsize
        refuse_large(n_bytes, "a recording", "from_raw")
    if len(source.times) == 0:
        raise refuse("a recording without samples", "one sample or more", "from_raw")
    try:
        with mne.use_log_level("error"):
            values = source.get_data(picks=rows)
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(
            f"a recording whose samples cannot be read ({reason})", "a whole file", "from_raw"
        ) from error
    return np.swapaxes(np.array(values, np.float64), -1, -2).copy()


def _read_epochs(
    epochs: "mne.BaseEpochs",
    readout: str,
    names: list[str],
    label: str | Sequence[str] | None,
) -> "xr.DataArray":
    """Epochs as an array, each with the label of its event.

    Raises: JtfneError for labels that no epoch has.
    """
    import mne

    with mne.use_log_level("error"):
        epochs = epochs.copy().load_data()  # drops the epochs that MNE rejects
    name_of_code = {code: name for name, code in epochs.event_id.items()}
    labels = [
        "/".join(original_name(part, "mne_event") for part in name_of_code[int(code)].split("/"))
        for code in epochs.events[:, 2]
    ]
    array = _label_channels(epochs, readout, names, _read_values(epochs, names))
    array = array.assign_coords(label=("trial", labels)).assign_attrs(onset_ms=0.0)
    if label is None:
        return array
    wanted_labels = _check_labels(label, labels)
    return array.isel(trial=[k for k, text in enumerate(labels) if text in wanted_labels])


def _check_labels(label: Any, labels: Sequence[str]) -> list[str]:
    """`label` as a list of labels. Raises: JtfneError for one that no event has."""
    wanted_labels = [label] if isinstance(label, str) else label
    if not isinstance(wanted_labels, Sequence) or not wanted_labels:
        raise refuse(f"label={describe_value(label)}", "a label, or several in a list", "from_raw")
    for text in wanted_labels:
        one_of(text, sorted(set(labels)), name="label", where="from_raw")
    return list(wanted_labels)


def _describe_events(raw: "mne.io.BaseRaw", label: str | Sequence[str] | None) -> dict[str, Any]:
    """Onsets in ms from the first sample, and labels, of the events of a Raw; its bad spans.

    Raises: JtfneError for labels that no event has.
    """
    onsets_ms, labels = [], []
    spans_ms: dict[str, list[float]] = {"bad_starts_ms": [], "bad_stops_ms": []}
    for annotation in raw.annotations:
        text = str(annotation["description"])
        onset_ms = round((float(annotation["onset"]) - float(raw.first_time)) * 1e3, 6)
        if text.lower().startswith(NO_STIMULUS):
            spans_ms["bad_starts_ms"].append(onset_ms)
            spans_ms["bad_stops_ms"].append(onset_ms + 1e3 * float(annotation["duration"]))
            continue
        onsets_ms.append(onset_ms)
        extras = annotation.get("extras") or {}
        labels.append(str(extras.get("label", original_name(text, "mne_event"))))
    if label is not None:
        wanted_labels = _check_labels(label, labels)
        rows = [k for k, text in enumerate(labels) if text in wanted_labels]
        onsets_ms, labels = [onsets_ms[k] for k in rows], [labels[k] for k in rows]
    spans = spans_ms if spans_ms["bad_starts_ms"] else {}
    if not onsets_ms:
        return spans
    events_ms = onsets_ms[0] if len(onsets_ms) == 1 else onsets_ms
    return {"onset_ms": events_ms, "labels": labels, **spans}


def _label_channels(
    source: Recording, readout: str, names: list[str], values: NDArray[np.float64]
) -> "xr.DataArray":
    """`values` with times, names, places, depths and units."""
    import mne
    import xarray as xr

    info = source.info
    sampling_Hz = float(info["sfreq"])
    times_s = np.asarray(source.times)
    rows = [source.ch_names.index(name) for name in names]
    all_types = source.get_channel_types()
    kinds = [all_types[row] for row in rows]
    original_names, depth_of_name = read_description(info)
    coords: dict[str, Any] = {
        "time": ("time", sample_ends_ms(times_s, sampling_Hz), {"units": "ms"}),
        "channel": [original_names.get(name, name) for name in names],
    }
    places_mm = head_places_m(info)[rows] * 1e3
    if _are_known(places_mm):
        suffix = "_mm" if {"eeg", "mag", "grad"} & set(kinds) else "_head_mm"
        catalogued = find_readout(readout)
        if catalogued is not None and catalogued.row_kind() == "head":
            suffix = "_mm"
        for k, axis in enumerate("xyz"):
            coords[f"{axis}{suffix}"] = ("channel", places_mm[:, k], {"units": "mm"})
    if all(name in depth_of_name for name in names):
        depths_mm = [depth_of_name[name] for name in names]
        coords["z_mm"] = ("channel", depths_mm, {"units": "mm"})
    if any(name in info["bads"] for name in names):
        coords["bad"] = ("channel", [name in info["bads"] for name in names])
    units = {find_mne_unit(kind) for kind in kinds}
    if len(units) > 1:
        coords["unit"] = ("channel", [find_mne_unit(kind) for kind in kinds])
    attrs = {"readout": readout, "units": units.pop() if len(units) == 1 else "mixed"}
    attrs |= _describe_session(info, kinds)
    dims: tuple[str, ...] = ("time", "channel")
    if isinstance(source, mne.BaseEpochs):
        dims = ("trial", *dims)
        coords["trial"] = np.arange(values.shape[0])
    return xr.DataArray(values, coords, dims, readout, attrs)


def _describe_session(info: "mne.Info", kinds: Sequence[str]) -> dict[str, str]:
    """When a recording was made, by ISO 8601, and the reference of its EEG, where it says so."""
    attrs = {}
    if info["meas_date"] is not None:
        attrs["meas_date"] = info["meas_date"].isoformat()
    if "eeg" in kinds:
        has_average = any("average" in str(proj["desc"]).lower() for proj in info["projs"])
        if has_average:
            attrs["reference"] = "average"
        elif int(info["custom_ref_applied"]):
            attrs["reference"] = "custom"
    return attrs


def _are_known(places_mm: NDArray[np.float64]) -> bool:
    """Whether places are known: MNE writes those that nobody knows as zeros, or NaN."""
    n_zeros = int((~places_mm.any(axis=1)).sum())
    return bool(np.isfinite(places_mm).all() and places_mm.any() and n_zeros <= 1)


def head_places_m(info: "mne.Info") -> NDArray[np.float64]:
    """Positions of channels in head coordinates, (n, 3) in m, those of a helmet transformed."""
    from mne.io.constants import FIFF
    from mne.transforms import apply_trans

    places_m = np.array([channel["loc"][:3] for channel in info["chs"]], np.float64)
    on_helmet = np.array(
        [channel["coord_frame"] == FIFF.FIFFV_COORD_DEVICE for channel in info["chs"]]
    )
    if on_helmet.any() and info["dev_head_t"] is not None:
        places_m[on_helmet] = apply_trans(info["dev_head_t"], places_m[on_helmet])
    return places_m


def write_description(
    head: str, original_names: dict[str, str], depth_of_name: dict[str, float]
) -> str:
    """The description of an Info: `head`, then what FIF has no place for, as ASCII tables."""
    text = head
    if depth_of_name:
        text += f"{DEPTHS}{json.dumps(depth_of_name)}"
    if original_names:
        text += f"{NAMES}{json.dumps(original_names)}"
    return text


def read_description(info: "mne.Info") -> tuple[dict[str, str], dict[str, float]]:
    """Original names and depths (mm) of channels, by the names that `to_raw` wrote.

    Raises: JtfneError if the text was cut.
    """
    description = str(info["description"] or "")
    if not description.startswith("jtfne "):
        return {}, {}
    rest, _, names_text = description.partition(NAMES)
    _, _, depths_text = rest.partition(DEPTHS)
    names = _json.loads(names_text, where="from_raw") if names_text else {}
    depths = _json.loads(depths_text, where="from_raw") if depths_text else {}
    return (
        {str(name): str(original) for name, original in names.items()},
        {str(name): float(depth_mm) for name, depth_mm in depths.items()},
    )
