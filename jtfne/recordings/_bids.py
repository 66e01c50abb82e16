"""Recordings of a BIDS dataset, read by mne-bids."""

import csv
import io
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jtfne import _json
from jtfne._check import JtfneError, describe_value, names_arguments, one_of, refuse
from jtfne._files import read_text, resolve_path
from jtfne._names import safe_name
from jtfne._stored import check_fif
from jtfne.recordings._mne import from_raw

if TYPE_CHECKING:
    import mne
    import xarray as xr

WHERE = "from_bids"
DESCRIPTION = "dataset_description.json"  # at the root of a dataset
DATATYPES = {"eeg": "eeg", "meg": "meg", "ieeg": "lfp"}
"""Data type of the standard -> what the recording is called here."""
SUFFIXES = (".fif", ".vhdr", ".edf", ".bdf", ".set", ".ds")
ENTITIES = {"sub": "subject", "ses": "session", "task": "task", "run": "run"}
"""Entity in a file's name -> the argument that chooses among several."""
NAME_COLUMN, DEPTH_COLUMN = "jtfne_name", "jtfne_depth_mm"  # of channels.tsv, that `to_bids` adds
HEAD_FRAME = "Head coordinates"  # how `to_bids` begins to describe the frame of its contacts


class BidsFile(NamedTuple):
    """A recording of a dataset: its file, its data type, and the entities of its name."""

    path: Path
    datatype: str
    entities: dict[str, str]


def import_mne_bids(where: str) -> Any:
    """The module mne_bids. Raises: JtfneError where it is not installed."""
    try:
        import mne_bids
    except ImportError as error:
        raise JtfneError(
            f'a BIDS dataset needs mne-bids; install it with: pip install "jtfne[bids]" (in {where})'
        ) from error
    return mne_bids


@names_arguments
def from_bids(
    root: str | os.PathLike[str],
    *,
    subject: str | None = None,
    session: str | None = None,
    task: str | None = None,
    run: int | str | None = None,
    datatype: str | None = None,
    picks: str | Sequence[str] | None = None,
    include_bads: bool = False,
    label: str | Sequence[str] | None = None,
) -> "xr.DataArray":
    """A recording of a BIDS dataset as the DataArray that `from_raw` gives.

    Parameters
    ----------
    root : str or Path
        The dataset's folder, which holds ``dataset_description.json``.
    subject, session, task : str, optional
        Names as in the files, without ``sub-`` and the like. What is left out must not be needed to
        tell recordings apart.
    run : int or str, optional
        Number of the run.
    datatype : {"eeg", "meg", "ieeg"}, optional
        The result is called ``eeg``, ``meg`` or ``lfp``.
    picks, include_bads, label
        As for `from_raw`. Bad channels are those that ``channels.tsv`` says.

    Returns
    -------
    xarray.DataArray
        (time, channel), as of `from_raw`: SI units, onsets and labels of the events of
        ``events.tsv``. Electrodes of EEG and sensors of MEG have ``x_mm``, ``y_mm``, ``z_mm`` in
        head coordinates. Contacts of iEEG have ``x_space_mm``, ... in the frame that
        ``attrs["space"]`` names as the dataset does; where `to_bids` wrote them, ``x_head_mm``, ...
        and their depth ``z_mm``, and channels their own names. ``attrs`` has the subject, session,
        task and run.

    Raises
    ------
    JtfneError
        For a folder that is no dataset, no such recording, several of them, a file that cannot be
        read, and as `from_raw`.

    Examples
    --------
    >>> import jtfne, tempfile
    >>> config = jtfne.suite2_net1_config(20).runtime(duration_ms=20.0, seed=3).probes(["meg"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dataset = jtfne.interop.to_bids(jtfne.construct(config).simulate(), f"{folder}/bids")
    ...     recording = from_bids(dataset)
    >>> recording.attrs["subject"], recording.sizes["channel"], float(recording.time[0])
    ('sim3', 306, 1.0)
    """
    mne_bids = import_mne_bids(WHERE)
    folder = resolve_path(root, WHERE)
    if not (folder / DESCRIPTION).is_file():
        raise refuse(
            f"the folder {str(folder)!r} without dataset_description.json", "a BIDS dataset", WHERE
        )
    choice = {"subject": subject, "session": session, "task": task, "run": run}
    file = _choose_file(list_recordings(folder), choice, datatype)
    bids_path = mne_bids.get_bids_path_from_fname(file.path).update(
        root=folder, datatype=file.datatype, suffix=file.datatype, extension=file.path.suffix
    )
    raw = _read_raw(mne_bids, bids_path)
    readout = DATATYPES[file.datatype]
    recording = from_raw(raw, readout, picks=picks, include_bads=include_bads, label=label)
    recording = _restore_channels(recording, file)
    if file.datatype == "ieeg":
        recording = _name_frame(recording, bids_path)
    attrs: dict[str, Any] = {}
    for entity, argument in ENTITIES.items():
        if entity in file.entities:
            attrs[argument] = file.entities[entity]
    if raw.info["line_freq"] is not None:
        attrs["line_freq_Hz"] = float(raw.info["line_freq"])
    return recording.assign_attrs(attrs)


def list_recordings(root: Path) -> list[BidsFile]:
    """The EEG, MEG and iEEG recordings of a dataset, by name."""
    files = []
    for folder in sorted([*root.glob("sub-*/*"), *root.glob("sub-*/ses-*/*")]):
        if folder.name not in DATATYPES or not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            entities = read_entities(path.name)
            is_part = entities.get("split", "01").lstrip("0") not in ("", "1")
            if path.stem.endswith(f"_{folder.name}") and path.suffix in SUFFIXES and not is_part:
                files.append(BidsFile(path, folder.name, entities))
    return files


def read_entities(name: str) -> dict[str, str]:
    """The entities in the name of a file of a dataset.

    >>> read_entities("sub-01_task-rest_run-02_eeg.vhdr")
    {'sub': '01', 'task': 'rest', 'run': '02'}
    """
    return dict(re.findall(r"(?:^|_)([a-zA-Z]+)-([a-zA-Z0-9+]+)", name))


def _choose_file(files: list[BidsFile], choice: dict[str, Any], datatype: Any) -> BidsFile:
    """The only recording that has what is asked for. Raises: JtfneError for none, and several."""
    if not files:
        raise refuse(
            "a dataset without recordings",
            f"{', '.join(DATATYPES)} in files {', '.join(SUFFIXES)}",
            WHERE,
        )
    if datatype is not None:
        one_of(datatype, DATATYPES, name="datatype", where=WHERE)
        datatypes = list(dict.fromkeys(file.datatype for file in files))
        one_of(datatype, datatypes, name="datatype", where=WHERE)
        files = [file for file in files if file.datatype == datatype]
    for entity, argument in ENTITIES.items():
        value = choice[argument]
        if value is None:
            continue
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise refuse(f"{argument}={describe_value(value)}", "its name in the files", WHERE)
        texts = [_number_as_text(file.entities.get(entity, ""), argument) for file in files]
        wanted_text = _number_as_text(str(value), argument)
        one_of(wanted_text, dict.fromkeys(filter(None, texts)), name=argument, where=WHERE)
        files = [file for file, text in zip(files, texts, strict=True) if text == wanted_text]
    if len(files) > 1:
        names = ", ".join(file.path.name for file in files[:5])
        more = f" and {len(files) - 5} more" if len(files) > 5 else ""
        arguments = ", ".join(f"{name}=" for name in ENTITIES.values())
        raise refuse(
            f"a dataset with {len(files)} such recordings, {names}{more},",
            f"one of them, by {arguments} or datatype=",
            WHERE,
        )
    return files[0]


def _number_as_text(text: str, argument: str) -> str:
    """`text`, of a run without leading zeros: "01" and "1" are one run."""
    return str(int(text)) if argument == "run" and text.isdecimal() else text


def _read_raw(mne_bids: Any, bids_path: Any) -> "mne.io.BaseRaw":
    """The Raw that mne-bids makes of a recording and the files beside it. Raises: JtfneError."""
    path = Path(bids_path.fpath)
    if path.suffix == ".fif":
        check_fif(path, WHERE)
    try:
        with warnings.catch_warnings():
            # it warns of what a dataset leaves out: events, electrodes, frames that MNE lacks
            warnings.simplefilter("ignore")
            raw = mne_bids.read_raw_bids(bids_path, verbose="error")
    except Exception as error:  # any: of a broken file MNE raises bare Exceptions too
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise refuse(
            f"{path.name}, which cannot be read ({reason}),",
            "a recording that mne-bids reads",
            WHERE,
        ) from error
    texts = raw.annotations.description.tolist()
    for text, extra in zip(texts, raw.annotations.extras, strict=True):
        # other people's column of this name may hold anything
        is_ours = safe_name(str(extra.get("label", "")), "mne_event") == text.split("/")[-1]
        if "label" in extra and not is_ours:
            del extra["label"]
    return raw


def _restore_channels(recording: "xr.DataArray", file: BidsFile) -> "xr.DataArray":
    """`recording` with the names and depths of channels that `to_bids` wrote, if it did."""
    stem = file.path.name.removesuffix(f"{file.datatype}{file.path.suffix}")
    path = file.path.with_name(f"{stem}channels.tsv")
    if not path.is_file():
        return recording
    rows = list(
        csv.DictReader(io.StringIO(read_text(path, WHERE)), delimiter="\t", quoting=csv.QUOTE_NONE)
    )
    columns = set(rows[0]) if rows else set()
    if "name" not in columns:  # mne-bids takes the first column for it, whatever it is called
        raise refuse(f"{path.name} without a column 'name'", "the channels of the recording", WHERE)
    row_of_name = {row["name"]: row for row in rows}
    names = recording["channel"].values.tolist()
    if NAME_COLUMN in columns:
        original_names = [row_of_name[name][NAME_COLUMN] for name in names]
        recording = recording.assign_coords(channel=original_names)
    if DEPTH_COLUMN in columns:
        texts = [row_of_name[name][DEPTH_COLUMN] for name in names]
        try:
            depths_mm = [float(text) for text in texts]
        except ValueError:
            raise refuse(
                f"{path.name} with a {DEPTH_COLUMN} that is no number", "depths in mm", WHERE
            ) from None
        recording = recording.assign_coords(z_mm=("channel", depths_mm, {"units": "mm"}))
    return recording


def _name_frame(recording: "xr.DataArray", bids_path: Any) -> "xr.DataArray":
    """`recording` with places of contacts named by their frame, of which `attrs["space"]` tells.

    They keep the names of head coordinates only where `to_bids` says that they are such.
    """
    path = bids_path.find_matching_sidecar(
        suffix="coordsystem", extension=".json", on_error="ignore"
    )
    if path is None or "x_head_mm" not in recording.coords:
        return recording
    system = _json.loads(read_text(Path(path), WHERE), where=WHERE)
    if str(system.get("iEEGCoordinateSystemDescription", "")).startswith(HEAD_FRAME):
        return recording
    names = {f"{axis}_head_mm": f"{axis}_space_mm" for axis in "xyz"}
    space = str(system.get("iEEGCoordinateSystem", "n/a"))
    return recording.rename(names).assign_attrs(space=space)
