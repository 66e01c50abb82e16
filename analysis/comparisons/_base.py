"""What every kind of comparison is: two sources, an aligned pair, a table and a figure."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from jtfne._check import POSITIVE, number, refuse
from jtfne.analysis._inputs import pair as check_pair
from jtfne.readouts import find_readout
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = TypeVar("P")
Band = tuple[float, float]
COLUMNS = ("group", "feature", "unit", "simulated", "recorded", "pair")
ALL = "all"  # the group of what is not divided into groups
# group, feature, unit; the value of each side; and what only both together have
Row = tuple[str, str, str, Any, Any, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """One side of a comparison before anything is done to it: a run or an array, and what of it.

    name: "simulated" or "recorded". readout: the readout of the run; its row in the catalogue says
    what the rows of both sides are. area: of a laminar readout, the first by default; of an areal
    one, all by default. label: of the events that count, all by default.
    """

    name: str
    data: Signals | xr.DataArray
    readout: str
    area: str | None = None
    label: str | None = None

    @property
    def row_kind(self) -> str:
        """What its rows are, as `jtfne.readouts.Readout.row_kind` has it."""
        readout = find_readout(self.readout)
        return "other" if readout is None else readout.row_kind()

    @property
    def mne_type(self) -> str | None:
        """The type of its channels in MNE; None where they have none."""
        readout = find_readout(self.readout)
        return None if readout is None else readout.mne_type


class Comparison(abc.ABC, Generic[P]):
    """A kind of comparison: how two sources are brought together, tabled and drawn.

    Both sources go through the same code. Its settings are the fields of each kind.

    Attributes
    ----------
    name : str
        What the command line calls it.
    caption : str
        Of its figure.
    readout : str
        The readout of a recording that says no other.
    """

    name: ClassVar[str]
    caption: ClassVar[str]
    readout: ClassVar[str] = "lfp"

    @abc.abstractmethod
    def align(self, simulated: Source, recorded: Source) -> P:
        """Bring both sides to common channels, times, frequencies or classes.

        Raises: JtfneError where they have none in common.
        """

    @abc.abstractmethod
    def tabulate(self, pair: P) -> pd.DataFrame:
        """Return the table of an aligned pair, in the columns of `COLUMNS`."""

    @abc.abstractmethod
    def draw(self, pair: P) -> "Figure":
        """Return the figure of an aligned pair."""


def make_table(rows: Sequence[Row]) -> pd.DataFrame:
    """The table of a comparison, in Python's own numbers; None where a side has no such value."""
    plain_rows = []
    for row in rows:
        plain_rows.append([cell.item() if isinstance(cell, np.generic) else cell for cell in row])
    return pd.DataFrame(plain_rows, columns=list(COLUMNS), dtype=object)


def check_kind(kind: Any, where: str) -> "Comparison[Any]":
    """`kind` itself. Raises: JtfneError unless it is a comparison with its settings."""
    if not isinstance(kind, Comparison):
        raise refuse(
            f"kind of type {type(kind).__name__}",
            "a comparison such as analysis.EvokedComparison()",
            where,
        )
    return kind


def check_band(band_Hz: Band | None, where: str) -> Band | None:
    """A band of frequencies, or None for all that both sides have. Raises: JtfneError."""
    if band_Hz is None:
        return None
    low_Hz, high_Hz = check_pair(band_Hz, name="band_Hz", where=where, unit="Hz")
    number(high_Hz, POSITIVE, name="band_Hz", where=where)
    if low_Hz < 0.0:
        raise refuse(f"band_Hz={band_Hz}", "frequencies of 0 Hz or above", where)
    return low_Hz, high_Hz
