"""Rows of docs/validation/agreement.rst, differences of the two sides, and the page's tables."""

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
        "potential": the same over the range of the peer's values, whose zero is arbitrary.
        "spikes": spikes of either side that the other has not, by cell and step.
        "steps": largest lag between spikes of one number, in steps of the grid.
        "statistic": difference of two estimates over its standard error.
    difference_explained : str
        Why the two differ, where it is known that they do; shown while the row is beyond its
        tolerance.
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
    """A row whose peer is installed beside jtfne: `compute` returns jtfne's side and the peer's."""

    compute: Callable[[], tuple[npt.ArrayLike, npt.ArrayLike]]


def relative_difference(
    ours: npt.ArrayLike, theirs: npt.ArrayLike, *, by_range: bool = False
) -> float:
    """The largest difference over the largest size of `theirs`, or over its range.

    Raises ValueError for shapes that differ, no values, or any that are not finite: NaN must not
    pass as equal.
    """
    our_values, their_values = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if our_values.shape != their_values.shape or our_values.size == 0:
        raise ValueError(f"shapes {our_values.shape} and {their_values.shape} cannot be compared")
    if not (np.isfinite(our_values).all() and np.isfinite(their_values).all()):
        raise ValueError("values that are not finite cannot be compared")
    scale = np.ptp(their_values) if by_range else np.abs(their_values).max()
    return float(np.abs(our_values - their_values).max() / scale)


def unmatched_spikes(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> int:
    """How many (cell, step) pairs are in one raster and not in the other."""
    our_spikes, their_spikes = (
        set(map(tuple, np.asarray(side, np.int64).reshape(-1, 2).tolist()))
        for side in (ours, theirs)
    )
    if not our_spikes or not their_spikes:
        raise ValueError("a raster without spikes shows nothing")
    return len(our_spikes ^ their_spikes)


def largest_lag_steps(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> float:
    """The largest lag between the k-th spikes of both sides; infinite if they differ in number."""
    our_values, their_values = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if our_values.size == 0 or their_values.size == 0:
        raise ValueError("a train without spikes shows nothing")
    if our_values.shape != their_values.shape:
        return math.inf
    return float(np.abs(our_values - their_values).max())


def standard_errors_apart(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> float:
    """The largest difference of [estimate, standard error] pairs, over its standard error."""
    our_estimates, our_errors = np.asarray(ours, np.float64).T
    their_estimates, their_errors = np.asarray(theirs, np.float64).T
    apart = np.abs(our_estimates - their_estimates) / np.hypot(our_errors, their_errors)
    return float(apart.max())


def measure_difference(row: Row, ours: npt.ArrayLike, theirs: npt.ArrayLike) -> float:
    """The difference of a row by its kind."""
    if row.kind == "spikes":
        return float(unmatched_spikes(ours, theirs))
    if row.kind == "steps":
        return largest_lag_steps(ours, theirs)
    if row.kind == "statistic":
        return standard_errors_apart(ours, theirs)
    return relative_difference(ours, theirs, by_range=row.kind == "potential")


def compare_sides(row: Row, ours: npt.ArrayLike, theirs: npt.ArrayLike) -> dict[str, Any]:
    """What agreement.json keeps of a row: the numbers, and the words that belong to them."""
    difference = measure_difference(row, ours, theirs)
    n_values = (
        len(np.asarray(theirs)) if row.kind in ("spikes", "steps", "statistic") else np.size(theirs)
    )
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


def format_agreement(result: dict[str, Any]) -> str:
    """How far the two sides agree, as the page has it.

    >>> format_agreement({"kind": "values", "difference": 3e-14, "n_values": 9, "equal": True})
    '13 digits (3e-14)'
    """
    difference, kind, n_values = result["difference"], result["kind"], result["n_values"]
    if difference is None:
        text = "other numbers of spikes"
    elif kind == "spikes":
        text = (
            f"{difference:.0f} spikes of {n_values:,} differ"
            if difference
            else f"all {n_values:,} spikes"
        )
    elif kind == "steps":
        text = f"{n_values:,} spikes within {difference:.0f} steps"
    elif kind == "statistic":
        text = f"{difference:.1f} standard errors"
    elif difference == 0.0:
        text = "every bit"
    else:
        n_digits = max(math.floor(-math.log10(difference)), 0)
        text = f"{n_digits} digit{'' if n_digits == 1 else 's'} ({difference:.0e})".replace(
            "e-0", "e-"
        )
    return text if result["equal"] else f"differs: {text}"


def format_tolerance(result: dict[str, Any]) -> str:
    """The tolerance of a row in the words of its kind."""
    value, kind = result["tolerance"], result["kind"]
    if kind == "spikes":
        return "none may differ" if value == 0 else f"{value:.0f} spikes"
    if kind == "steps":
        return f"{value:.0f} steps"
    if kind == "statistic":
        return f"{value:.0f} standard errors"
    return f"{value:.0e}".replace("e-0", "e-")


def format_tables(results: dict[str, Any]) -> str:
    """The tables of agreement.rst, one per peer, from what agreement.json holds."""
    lines: list[str] = []
    for peer, version in results["versions"].items():
        title = f"{peer} {version}"
        lines += [title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1"]
        lines += ["   :widths: 42 16 10 32", ""]
        table = [("compared", "equal to", "tolerance", "why there, or why it differs")]
        of_peer = (result for result in results["rows"].values() if result["peer"] == peer)
        table.extend(format_row(result) for result in of_peer)
        for cells in table:
            lines.append(f"   * - {cells[0]}")
            lines += [f"     - {cell}" for cell in cells[1:]]
        lines.append("")
    return "\n".join(lines)


def format_row(result: dict[str, Any]) -> tuple[str, str, str, str]:
    """The cells of one row of the page."""
    return result["quantity"], format_agreement(result), format_tolerance(result), result["words"]


def replace_tables(page: str, results: dict[str, Any]) -> str:
    """The text of agreement.rst with the tables between its two markers made anew."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{format_tables(results)}\n{END}{after}"


def dump_results(results: dict[str, Any]) -> str:
    """agreement.json: a line for each row, and for each of the peers' sides."""
    parts = []
    for part in ("versions", "rows"):
        lines = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in results[part].items()
        )
        parts.append(f' "{part}": {{\n{lines}\n }}')
    peers = []
    for peer, sides in results["peers"].items():
        lines = ",\n".join(
            f"   {json.dumps(name)}: {json.dumps(side, separators=(',', ':'))}"
            for name, side in sides.items()
        )
        peers.append(f"  {json.dumps(peer)}: {{\n{lines}\n  }}")
    parts.append(' "peers": {\n' + ",\n".join(peers) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def ask_peer(python: str, script: Path, job: dict[str, Any]) -> dict[str, Any]:
    """The last line, as JSON, that a script prints in an environment of its own.

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
