"""Fields as a dataset of the Brain Imaging Data Structure (BIDS), by mne-bids."""

import functools
import importlib.util
import re
import shutil
import warnings
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from jtfne import __version__
from jtfne._arguments import list_names
from jtfne._check import (
    POSITIVE,
    JtfneError,
    Limit,
    describe_value,
    names_arguments,
    number,
    one_of,
    refuse,
    whole_number,
)
from jtfne._files import hold_folder, path_inside, replace_file, temporary_folder
from jtfne.interop._inputs import check_path, check_signals, open_beside
from jtfne.interop.bids_tables import (
    complete_channels,
    read_json,
    write_electrodes,
    write_events,
    write_json,
)
from jtfne.interop.mne_events import BOUNDARIES, event_id, list_events
from jtfne.interop.mne_raw import to_raw
from jtfne.recordings import import_mne_bids
from jtfne.signals import Signals

WHERE = "to_bids"
LABEL = re.compile("[0-9A-Za-z]+")  # of a subject, session or task in the standard
MAX_RUN = 999
# What several recordings of a dataset share; a new one adds a row.
SHARED_TABLES = ("participants.tsv", "scans.tsv")


class Datatype(NamedTuple):
    """A data type of the standard: its name, and the format of its files as mne-bids calls it."""

    name: str
    format: str


DATATYPES = {  # readout -> what it is in the standard; FIF is for MEG only
    "eeg": Datatype("eeg", "BrainVision"),
    "meg": Datatype("meg", "FIF"),
    "lfp": Datatype("ieeg", "BrainVision"),
}


class Names(NamedTuple):
    """The entities that name a recording in a dataset; run is None where it has no number."""

    subject: str
    session: str | None
    task: str
    run: int | None


@names_arguments
def to_bids(
    signals: Signals,
    folder: str | Path,
    *,
    readouts: str | list[str] | None = None,
    subject: str | None = None,
    session: str | None = None,
    task: str | None = None,
    run: int | None = None,
    line_freq_Hz: float | None = None,
) -> Path:
    """Write EEG, MEG and LFP of a run as a BIDS dataset, or add them to one.

    Parameters
    ----------
    signals : Signals
        A run that recorded `eeg`, `meg` or `lfp`.
    folder : str or Path
        The dataset: a folder that is new or empty, or a dataset that has no such recording yet.
        Nothing in it is overwritten; its tables of participants and scans get a row.
    readouts : str or list of str, optional
        Which of the three; left out, all that were recorded.
    subject, session, task : str, optional
        Letters and digits. The subject is ``sim<seed>``, the task ``simulation``, or ``rest`` for a
        run without events, unless said otherwise.
    run : int, optional
        Number of the run, for a second one of the same subject and task.
    line_freq_Hz : float, optional
        Frequency of the mains, for pipelines that insist on one. A simulation has none: "n/a".

    Returns
    -------
    Path
        The dataset. `eeg` (BrainVision, single precision), `meg` (FIF, double) and `lfp` as iEEG
        (BrainVision) have all trials end to end; ``events.tsv`` has onset, condition/label, code,
        trial, condition and label, and the boundaries of trials. iEEG has no frame like that of
        MNE's head in the standard: coordinates are in mm in a frame "Other", which is described, or
        "n/a" for areas without a place. ``channels.tsv`` keeps depths below the pia, and names that
        had to be written in ASCII. `from_bids` and `mne_bids.read_raw_bids` read it.

    Raises
    ------
    JtfneError
        For a run without these readouts, names that are no names in the standard, a folder that
        holds something else, and a recording that is there already.

    Examples
    --------
    >>> import jtfne, tempfile
    >>> config = jtfne.suite2_net1_config(20).runtime(duration_ms=20.0, seed=3).probes(["meg"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dataset = to_bids(jtfne.construct(config).simulate(), f"{folder}/bids")
    ...     sorted(path.name for path in dataset.rglob("*_meg.*"))
    ['sub-sim3_task-rest_meg.fif', 'sub-sim3_task-rest_meg.json']
    """
    chosen_readouts = _choose_readouts(signals, readouts)
    names = _choose_names(signals, subject, session, task, run)
    if line_freq_Hz is not None:
        line_freq_Hz = number(line_freq_Hz, POSITIVE, name="line_freq_Hz", where=WHERE)
    target = check_path(folder, WHERE)
    _import_writers(chosen_readouts)
    if not target.is_dir() or not any(target.iterdir()):
        with open_beside(target, WHERE) as beside:
            beside.mkdir()
            _write_dataset(signals, beside, names, chosen_readouts, line_freq_Hz)
        return target
    _check_dataset(target, names, chosen_readouts)
    with hold_folder(target, WHERE), temporary_folder(target) as workspace:
        addition = workspace / "dataset"
        addition.mkdir()
        _copy_shared(target, addition, names.subject)
        _write_dataset(signals, addition, names, chosen_readouts, line_freq_Hz)
        _merge_into(addition, target)
    return target


def _choose_readouts(signals: Any, readouts: Any) -> list[str]:
    """The readouts to write. Raises: JtfneError for others, and a run without any."""
    check_signals(signals, WHERE)
    recorded = [name for name in DATATYPES if name in signals.recorded()]
    if not recorded:
        raise refuse(
            f"a run that recorded {', '.join(signals.recorded()) or 'nothing'}",
            f"one of {', '.join(DATATYPES)}",
            WHERE,
        )
    if readouts is None:
        return recorded
    chosen_readouts = list_names(readouts, name="readouts", where=WHERE)
    for readout in chosen_readouts:
        one_of(readout, recorded, name="readout", where=WHERE)
    if not chosen_readouts:
        raise refuse("readouts=[]", f"one or more of {', '.join(recorded)}", WHERE)
    return list(chosen_readouts)


def _choose_names(signals: Signals, subject: Any, session: Any, task: Any, run: Any) -> Names:
    """The names of the recording, by default from the run. Raises: JtfneError for what is none."""
    if run is not None:
        run = whole_number(run, Limit(low=1, high=MAX_RUN), name="run", where=WHERE)
    if subject is None:
        subject = f"sim{signals.manifest.get('run', {}).get('seed', 0)}"
    if task is None:
        task = "simulation" if len(list_events(signals)) else "rest"
    for name, text in (("subject", subject), ("session", session), ("task", task)):
        is_label = isinstance(text, str) and LABEL.fullmatch(text) is not None
        if not is_label and not (name == "session" and text is None):
            description = f"{name}={describe_value(text)}"
            raise refuse(description, "letters and digits, as in the standard", WHERE)
    return Names(subject, session, task, run)


def _import_writers(readouts: list[str]) -> None:
    """Raises: JtfneError where mne-bids, or what writes BrainVision files, is not installed."""
    import_mne_bids(WHERE)
    needs_pybv = any(DATATYPES[readout].format == "BrainVision" for readout in readouts)
    if needs_pybv and importlib.util.find_spec("pybv") is None:
        raise JtfneError(
            f'a BIDS dataset of EEG or LFP needs pybv; install it with: pip install "jtfne[bids]" '
            f"(in {WHERE})"
        )


def _check_dataset(root: Path, names: Names, readouts: list[str]) -> None:
    """Raises: JtfneError unless `root` is a dataset without these recordings."""
    path = root / "dataset_description.json"
    if not path.is_file() or "BIDSVersion" not in read_json(path):
        raise refuse(
            f"{str(root)!r}, which exists and is no BIDS dataset,",
            "a folder that is new or empty, or a dataset",
            WHERE,
        )
    for readout in readouts:
        datatype = DATATYPES[readout].name
        stem = _name_recording(names)
        folder = root / _name_folder(names) / datatype
        if any(path.stem == f"{stem}_{datatype}" for path in folder.glob(f"{stem}_*")):
            raise refuse(
                f"{stem}_{datatype}, which {root.name} holds already,",
                "another subject=, session=, task= or run=",
                WHERE,
            )


def _name_folder(names: Names) -> Path:
    """The folder of a subject, or of its session, within a dataset."""
    folder = Path(f"sub-{names.subject}")
    return folder if names.session is None else folder / f"ses-{names.session}"


def _name_recording(names: Names) -> str:
    """What the files of a recording begin with."""
    parts = [f"sub-{names.subject}"]
    if names.session is not None:
        parts.append(f"ses-{names.session}")
    parts.append(f"task-{names.task}")
    if names.run is not None:
        parts.append(f"run-{names.run:02d}")
    return "_".join(parts)


def _copy_shared(root: Path, addition: Path, subject: str) -> None:
    """Copy what mne-bids adds rows to, or would write anew, to `addition`."""
    shared_paths = [path for path in root.iterdir() if path.is_file()]
    shared_paths.extend((root / f"sub-{subject}").rglob("*_scans.tsv"))
    for path in shared_paths:
        copy = addition / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _merge_into(addition: Path, root: Path) -> None:
    """Move the files of `addition` to their places in `root`, then replace the shared tables.

    Raises: JtfneError, before anything is moved, where electrodes of this subject are others there.
    """
    new_paths, table_paths = [], []
    for path in sorted(path for path in addition.rglob("*") if path.is_file()):
        name = path.relative_to(addition).as_posix()
        target = path_inside(root, name, WHERE)
        if not target.exists():
            new_paths.append((path, target))
        elif name.endswith(SHARED_TABLES):
            table_paths.append((path, target))
        elif path.parent != addition and path.read_bytes() != target.read_bytes():
            raise refuse(
                f"{name} unlike the one that {root.name} holds", "another subject or session", WHERE
            )
    for path, target in new_paths:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    for path, target in table_paths:
        replace_file(target, functools.partial(_copy_bytes, path))


def _copy_bytes(source: Path, stream: IO[bytes]) -> None:
    """Write the bytes of a file to an open one."""
    stream.write(source.read_bytes())


def _write_dataset(
    signals: Signals, root: Path, names: Names, readouts: list[str], line_freq_Hz: float | None
) -> None:
    """Write the recordings into `root`, which is new, or has what is shared of a dataset."""
    path = root / "dataset_description.json"
    is_new = not path.exists()
    if is_new:
        _write_description(signals, path)
    for readout in readouts:
        _write_recording(signals, root, names, readout, line_freq_Hz)
    if is_new:  # mne-bids puts authors of no name there
        write_json(path, {key: text for key, text in read_json(path).items() if key != "Authors"})
    for path in list(root.rglob("*.lock")):  # of mne-bids, which leaves some behind
        path.unlink()


def _write_description(signals: Signals, path: Path) -> None:
    """Write what the dataset is, and a README beside it."""
    import mne_bids

    mne_bids.make_dataset_description(
        path=path.parent,
        name="Simulated recordings",
        generated_by=[{"Name": "jtfne", "Version": __version__}],
        verbose="error",
    )
    lines = [
        "Simulated recordings",
        "====================",
        "",
        f"Made by jtfne {__version__} from a model of neural circuits. Subjects are simulations:",
        "sub-sim3 is a run with the seed 3. Nobody was recorded.",
        "",
        f"Config of the first run: SHA-256 {signals.manifest.get('config_sha256', 'unknown')}.",
        "",
    ]
    path.with_name("README").write_text("\n".join(lines), encoding="utf-8")


def _write_recording(
    signals: Signals, root: Path, names: Names, readout: str, line_freq_Hz: float | None
) -> None:
    """Write one readout by mne-bids, then the tables that it cannot know."""
    import mne_bids

    datatype = DATATYPES[readout]
    raw = to_raw(signals, readout)
    all_annotations = raw.annotations.copy()
    raw.info["line_freq"] = line_freq_Hz
    places_mm = np.array([channel["loc"][:3] * 1e3 for channel in raw.info["chs"]])
    if datatype.name == "ieeg":
        raw.set_montage(None)  # MNE's head is no frame of iEEG in the standard
    if datatype.format == "BrainVision":  # it has no mark for what is left out
        is_event = [text not in BOUNDARIES for text in all_annotations.description]
        raw.set_annotations(all_annotations[np.flatnonzero(is_event)])
    codes = event_id(signals) if len(list_events(signals)) else {}
    free_code = max(codes.values(), default=0) + 1
    boundary_codes = {text: free_code + k for k, text in enumerate(BOUNDARIES)}
    bids_path = mne_bids.BIDSPath(
        root=root, datatype=datatype.name, subject=names.subject, session=names.session,
        task=names.task, run=None if names.run is None else f"{names.run:02d}",
    )  # fmt: skip
    with warnings.catch_warnings():
        # of single precision, and of runs without events
        warnings.simplefilter("ignore")
        mne_bids.write_raw_bids(
            raw,
            bids_path,
            event_id=codes | boundary_codes,
            allow_preload=True,
            format=datatype.format,
            overwrite=True,  # in a folder of our own
            verbose="error",
        )
    folder, stem = root / _name_folder(names) / datatype.name, _name_recording(names)
    write_events(folder / f"{stem}_events", all_annotations, float(raw.info["sfreq"]), codes)
    complete_channels(folder / f"{stem}_channels", raw)
    if int(signals.tree.attrs["n_trials"]) > 1:
        path = folder / f"{stem}_{datatype.name}.json"
        write_json(path, {**read_json(path), "RecordingType": "discontinuous"})
    if datatype.name == "ieeg":
        prefix = stem.partition("_task-")[0]
        write_electrodes(folder / prefix, signals, readout, raw.ch_names, places_mm)
