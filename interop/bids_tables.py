"""Tables and sidecars of a BIDS dataset that say what mne-bids cannot know of a run."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne import _json
from jtfne._files import read_text
from jtfne.interop.mne_events import BOUNDARIES
from jtfne.interop.mne_physical import read_area
from jtfne.recordings import DEPTH_COLUMN, HEAD_FRAME, NAME_COLUMN, read_description
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne

WHERE = "to_bids"
NOT_AVAILABLE = "n/a"
EVENT_COLUMNS = {
    "onset": "Onset of the event, from the start of the first trial; trials stand end to end.",
    "duration": "Duration of the stimulus.",
    "trial_type": "Condition and label of the stimulus, or its label where no conditions are "
    "declared; BAD and EDGE mark the boundary between two trials.",
    "value": "Code of trial_type, as jtfne.interop.event_id gives it.",
    "sample": "Onset in samples, from 0.",
    "trial": "Number of the trial, from 0.",
    "condition": "Condition of the trial.",
    "label": "Label of the stimulus, as it was declared.",
}
CHANNEL_COLUMNS = {
    NAME_COLUMN: "Name of the channel in the run; name is in ASCII.",
    DEPTH_COLUMN: "Depth of the contact below the pia, in mm.",
}
HEAD_DESCRIPTION = (
    f"{HEAD_FRAME} as MNE has them (x to the right through the preauricular points, y to the front "
    "through the nasion, z up) of a spherical head. Contacts stand where the circuit declares its "
    "areas; no brain was measured."
)
NO_PLACES = "Columns without a place in the head: of contacts only the depth is known."


def write_events(
    stem: Path, annotations: "mne.Annotations", sampling_Hz: float, codes: dict[str, int]
) -> None:
    """Write events and boundaries as `stem`.tsv and what the columns are as `stem`.json.

    Nothing is written where there are none. codes: of the names of events.
    """
    rows = []
    for k in np.argsort(annotations.onset, kind="stable").tolist():
        text, facts = str(annotations.description[k]), annotations.extras[k]
        is_boundary = text in BOUNDARIES
        onset_s, duration_s = float(annotations.onset[k]), float(annotations.duration[k])
        rows.append(
            {
                "onset": round(onset_s, 9),
                "duration": round(duration_s, 9),
                "trial_type": text,
                "value": NOT_AVAILABLE if is_boundary else codes[text],
                "sample": round(onset_s * sampling_Hz),
                "trial": facts.get("trial", NOT_AVAILABLE),
                "condition": facts.get("condition", NOT_AVAILABLE),
                "label": NOT_AVAILABLE if is_boundary else facts.get("label", text),
            }
        )
    if not rows:
        return
    write_table(stem.with_name(f"{stem.name}.tsv"), rows)
    columns: dict[str, Any] = {}
    for name, description in EVENT_COLUMNS.items():
        columns[name] = {"Description": description}
    for name in ("onset", "duration"):
        columns[name]["Units"] = "s"
    write_json(stem.with_name(f"{stem.name}.json"), columns)


def complete_channels(stem: Path, raw: "mne.io.BaseRaw") -> None:
    """Add the names in the run and the depths of channels to `stem`.tsv, where there are any."""
    original_names, depth_of_name = read_description(raw.info)
    columns: dict[str, dict[str, Any]] = {}
    if original_names:
        columns[NAME_COLUMN] = {name: original_names.get(name, name) for name in raw.ch_names}
    if depth_of_name:
        columns[DEPTH_COLUMN] = dict(depth_of_name)
    if not columns:
        return
    path = stem.with_name(f"{stem.name}.tsv")
    rows = read_table(path)
    for row in rows:
        for column, value_of_name in columns.items():
            row[column] = value_of_name[row["name"]]
    write_table(path, rows)
    descriptions = {column: {"Description": CHANNEL_COLUMNS[column]} for column in columns}
    write_json(stem.with_name(f"{stem.name}.json"), descriptions)


def write_electrodes(
    stem: Path,
    signals: Signals,
    readout: str,
    names: Sequence[str],
    places_mm: NDArray[np.float64],
) -> None:
    """Write the contacts of columns, and the frame that they stand in.

    stem: folder, subject and session. places_mm: (n_channels, 3), in the head where all areas have
    places; elsewhere what MNE draws, which is left out.
    """
    data = signals.get(readout, trial=0)
    areas = [str(area) for area in np.ravel(data["area"].values)]
    is_placed = all(any(read_area(signals, area).get("position_mm", ())) for area in areas)
    n_contacts = len(names) // len(areas)
    rows = []
    for k, name in enumerate(names):
        row: dict[str, Any] = {"name": name}
        for axis, coordinate_mm in zip("xyz", places_mm[k].tolist(), strict=True):
            row[axis] = round(coordinate_mm, 6) if is_placed else NOT_AVAILABLE
        rows.append({**row, "size": NOT_AVAILABLE, "group": areas[k // n_contacts]})
    write_table(stem.with_name(f"{stem.name}_electrodes.tsv"), rows)
    columns = {"group": {"Description": "Area whose column the contact stands in."}}
    write_json(stem.with_name(f"{stem.name}_electrodes.json"), columns)
    system = {
        "iEEGCoordinateSystem": "Other",
        "iEEGCoordinateUnits": "mm" if is_placed else NOT_AVAILABLE,
        "iEEGCoordinateSystemDescription": HEAD_DESCRIPTION if is_placed else NO_PLACES,
    }
    write_json(stem.with_name(f"{stem.name}_coordsystem.json"), system)


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a table of the standard."""
    return list(
        csv.DictReader(io.StringIO(read_text(path, WHERE)), delimiter="\t", quoting=csv.QUOTE_NONE)
    )


def write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows with the same columns as a table of the standard."""
    lines = ["\t".join(rows[0])]
    for row in rows:
        lines.append("\t".join(str(value) for value in row.values()))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a sidecar; empty for anything else."""
    content = _json.loads(read_text(path, WHERE), where=WHERE)
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a sidecar."""
    path.write_text(_json.dumps(content, indent=2) + "\n", encoding="utf-8")
