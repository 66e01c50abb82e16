"""Kinds of comparison of a simulation with a recording, a file each, and which readout takes which.

A new kind is a file with a class derived from `Comparison`, a row of `KINDS`, and its name in the
rows of `KINDS_OF_ROWS` whose readouts take it.
"""

from typing import Any

from jtfne._check import one_of, refuse
from jtfne.analysis.comparisons._base import Comparison, Source, check_kind
from jtfne.analysis.comparisons.evoked import EvokedComparison
from jtfne.analysis.comparisons.laminar import LaminarComparison
from jtfne.analysis.comparisons.spectra import SpectraComparison
from jtfne.analysis.comparisons.spectrolaminar import SpectrolaminarComparison
from jtfne.analysis.comparisons.spikes import SpikeComparison
from jtfne.readouts import list_readouts

KINDS: dict[str, type[Comparison[Any]]] = {
    cls.name: cls
    for cls in (
        LaminarComparison,
        EvokedComparison,
        SpikeComparison,
        SpectraComparison,
        SpectrolaminarComparison,
    )
}
KINDS_OF_ROWS: dict[str, tuple[str, ...]] = {
    "laminar": ("laminar", "spectra", "spectrolaminar"),
    "head": ("evoked", "spectra"),
    "areal": ("evoked", "spectra"),
    "spikes": ("spikes",),
}
"""What the rows of a readout are (`Readout.row_kind`) -> its kinds, the default first."""

__all__ = [
    "KINDS",
    "KINDS_OF_ROWS",
    "Comparison",
    "EvokedComparison",
    "LaminarComparison",
    "Source",
    "SpectraComparison",
    "SpectrolaminarComparison",
    "SpikeComparison",
    "check_kind",
    "choose_kind",
    "list_comparable",
]


def list_comparable() -> list[str]:
    """The names of the readouts that can be compared with a recording."""
    names = []
    for name, readout in list_readouts().items():
        if readout.row_kind() in KINDS_OF_ROWS:
            names.append(name)
    return names


def choose_kind(readout: str, kind: Comparison[Any] | None, where: str) -> Comparison[Any]:
    """`kind`, or by default the first that the readout takes.

    Raises: JtfneError for a readout that cannot be compared, and a kind that it does not take.
    """
    name = one_of(readout, list_comparable(), name="readout", where=where)
    allowed_kinds = KINDS_OF_ROWS[list_readouts()[name].row_kind()]
    if kind is None:
        return KINDS[allowed_kinds[0]]()
    if check_kind(kind, where).name not in allowed_kinds:
        description = f"the comparison {kind.name!r} of {name!r}"
        raise refuse(description, f"one of {', '.join(map(repr, allowed_kinds))}", where)
    return kind
