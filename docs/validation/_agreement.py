"""How docs/validation/agreement.rst compares jtfne with other packages: rows, differences, and how they are told."""

import dataclasses
import json
import math
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
PEER_TIMEOUT_s = 300.0
UNEXPLAINED = "NOT EXPLAINED"
BEGIN, END = (
    ".. The tables begin here: docs/validation/agreement.py writes them.",
    ".. The tables end here.",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One quantity that jtfne and a peer both compute.

    name : str
        Key of the row in agreement.json.
    peer : str
        The other package.
    quantity : str
        What is compared, with the calls of both sides.
    tolerance : float
        Up to which `difference` the row counts as equal; its meaning is that of `kind`.
    reason : str
        Why the digits end where they end, where the row is equal.
    kind : str
        "values": largest difference over the largest value of the peer (see `relative_difference`).
        "potential": the same over the range of the peer's values, since the zero of a potential is arbitrary.
        "spikes": spikes of either side that the other has not, by cell and step.
        "steps": largest lag between spikes of one number, in steps of the grid.
        "statistic": difference of two estimates over its standard error.
    difference_explained : str
        Why the two differ, where it is known that they do; shown while the row is beyond its tolerance.
    """

    name: str
    peer: str
    quantity: str
    tolerance: float
    reason: str
    kind: str = "values"
    difference_explained: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalRow(Row):
    """A row whose peer is installed beside jtfne: `compute` returns what jtfne and what the peer finds."""

    compute: Callable[[], tuple[npt.ArrayLike, npt.ArrayLike]]


def relative_difference(ours: npt.ArrayLike, theirs: npt.ArrayLike, *, by_range: bool = False) -> float:
    """The largest difference over the largest size of `theirs`, or over its range.

    Raises ValueError for shapes that differ, no values, or any that are not finite: NaN must not pass as equal.
    """
    own, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if own.shape != other.shape or own.size == 0:
        raise ValueError(f"shapes {own.shape} and {other.shape} cannot be compared")
    if not (np.isfinite(own).all() and np.isfinite(other).all()):
        raise ValueError("values that are not finite cannot be compared")
    scale = np.ptp(other) if by_range else np.abs(other).max()
    return float(np.abs(own - other).max() / scale)


def unmatched_spikes(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> int:
    """How many (cell, step) pairs are in one raster and not in the other."""
    own = set(map(tuple, np.asarray(ours, np.int64).reshape(-1, 2).tolist()))
    other = set(map(tuple, np.asarray(theirs, np.int64).reshape(-1, 2).tolist()))
    if not own or not other:
        raise ValueError("a raster without spikes shows nothing")
    return len(own ^ other)


def largest_lag_steps(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> float:
    """The largest lag between the k-th spikes of both sides; infinite where they differ in number."""
    own, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if own.size == 0 or other.size == 0:
        raise ValueError("a train without spikes shows nothing")
    return float(np.abs(own - other).max()) if own.shape == other.shape else math.inf


def standard_errors_apart(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> float:
    """The largest difference of [estimate, standard error] pairs, over its standard error."""
    (own, own_error), (other, other_error) = (np.asarray(side, np.float64).T for side in (ours, theirs))
    return float(np.max(np.abs(own - other) / np.hypot(own_error, other_error)))


def difference_of(row: Row, ours: npt.ArrayLike, theirs: npt.ArrayLike) -> float:
    """The difference of a row by its kind."""
    if row.kind == "spikes":
        return float(unmatched_spikes(ours, theirs))
    if row.kind == "steps":
        return largest_lag_steps(ours, theirs)
    if row.kind == "statistic":
        return standard_errors_apart(ours, theirs)
    return relative_difference(ours, theirs, by_range=row.kind == "potential")


def result_of(row: Row, ours: npt.ArrayLike, theirs: npt.ArrayLike) -> dict[str, Any]:
    """What agreement.json keeps of a row: the numbers, and the words that belong to them."""
    difference = difference_of(row, ours, theirs)
    n_values = len(np.asarray(theirs)) if row.kind in ("spikes", "steps", "statistic") else np.size(theirs)
    equal = difference <= row.tolerance
    words = row.reason if equal else row.difference_explained or UNEXPLAINED
    return {
        "peer": row.peer,
        "quantity": row.quantity,
        "kind": row.kind,
        # JSON has no infinity
        "difference": difference if math.isfinite(difference) else None,
        "n_values": int(n_values),
        "tolerance": row.tolerance,
        "equal": equal,
        "words": words,
    }


def told_agreement(result: dict[str, Any]) -> str:
    """How far the two sides agree, as the page has it.

    >>> told_agreement({"kind": "values", "difference": 3e-14, "n_values": 9, "equal": True})
    '13 digits (3e-14)'
    """
    difference, kind, n_values = result["difference"], result["kind"], result["n_values"]
    if difference is None:
        text = "other numbers of spikes"
    elif kind == "spikes":
        text = f"{difference:.0f} spikes of {n_values:,} differ" if difference else f"all {n_values:,} spikes"
    elif kind == "steps":
        text = f"{n_values:,} spikes within {difference:.0f} steps"
    elif kind == "statistic":
        text = f"{difference:.1f} standard errors"
    elif difference == 0.0:
        text = "every bit"
    else:
        n_digits = max(math.floor(-math.log10(difference)), 0)
        text = f"{n_digits} digit{'' if n_digits == 1 else 's'} ({difference:.0e})".replace("e-0", "e-")
    return text if result["equal"] else f"differs: {text}"


def told_tolerance(result: dict[str, Any]) -> str:
    """The tolerance of a row in the words of its kind."""
    value, kind = result["tolerance"], result["kind"]
    if kind == "spikes":
        return "none may differ" if value == 0 else f"{value:.0f} spikes"
    if kind == "steps":
        return f"{value:.0f} steps"
    if kind == "statistic":
        return f"{value:.0f} standard errors"
    return f"{value:.0e}".replace("e-0", "e-")


def page_tables(kept: dict[str, Any]) -> str:
    """The tables of agreement.rst, one per peer, from what agreement.json holds."""
    lines: list[str] = []
    for peer, version in kept["versions"].items():
        results = [result for result in kept["rows"].values() if result["peer"] == peer]
        if not results:
            continue
        title = f"{peer} {version}"
        lines += [
            title,
            "-" * len(title),
            "",
            ".. list-table::",
            "   :header-rows: 1",
            "   :widths: 42 16 10 32",
            "",
        ]
        header = ("compared", "equal to", "tolerance", "why there, or why it differs")
        for cells in (header, *(row_cells(result) for result in results)):
            lines += [f"   {'* -' if k == 0 else '  -'} {cell}" for k, cell in enumerate(cells)]
        lines.append("")
    return "\n".join(lines)


def row_cells(result: dict[str, Any]) -> tuple[str, str, str, str]:
    """The cells of one row of the page."""
    return result["quantity"], told_agreement(result), told_tolerance(result), result["words"]


def with_tables(page: str, kept: dict[str, Any]) -> str:
    """The text of agreement.rst with the tables between its two markers made anew."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{page_tables(kept)}\n{END}{after}"


def dump_results(kept: dict[str, Any]) -> str:
    """agreement.json: a line for each row, and for each of the peers' sides."""
    parts = []
    for part in ("versions", "rows"):
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in kept[part].items())
        parts.append(f' "{part}": {{\n{lines}\n }}')
    peers = []
    for peer, sides in kept["peers"].items():
        lines = ",\n".join(
            f"   {json.dumps(name)}: {json.dumps(side, separators=(',', ':'))}" for name, side in sides.items()
        )
        peers.append(f"  {json.dumps(peer)}: {{\n{lines}\n  }}")
    parts.append(' "peers": {\n' + ",\n".join(peers) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def ask_peer(python: str, script: Path, job: dict[str, Any]) -> dict[str, Any]:
    """The answer of a script that runs in an environment of its own: the last line that it prints, as JSON.

    Raises RuntimeError with the end of what it wrote to stderr if it fails.
    """
    done = subprocess.run(
        [python, str(script)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PEER_TIMEOUT_s,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{script.name} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
