"""Engine state -> the currents that stand for cells in the fields.

`SOURCES`: the `kind` of a config -> the class.
"""

from jtfne.sources._base import (
    Decomposed,
    InputCurrent,
    Source,
    SpikeProxy,
    SynapticCurrent,
    TotalMembraneCurrent,
)
from jtfne.sources._loops import AXIAL, EXTERNAL, SourceSinkCurrents, Terms
from jtfne.sources._signs import BySign

SOURCES: dict[str, type[Source]] = {
    cls.kind: cls
    for cls in (InputCurrent, TotalMembraneCurrent, Decomposed, SynapticCurrent, SpikeProxy)
}

__all__ = [
    "AXIAL",
    "EXTERNAL",
    "SOURCES",
    "BySign",
    "Decomposed",
    "InputCurrent",
    "Source",
    "SourceSinkCurrents",
    "SpikeProxy",
    "SynapticCurrent",
    "Terms",
    "TotalMembraneCurrent",
]
