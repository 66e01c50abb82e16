"""The catalogue of readouts: one file for each, with all that the rest of jtfne asks about it.

A readout is a class: its class attributes say what it is (name, aliases, dims, unit, MNE type), its
fields are its settings, `check` says what a circuit cannot give it, and `build` makes the probe
that records it. To add one, write a file, and put its class into `CATALOGUE`.
"""

from typing import Annotated

from jtfne.readouts._catalogue import Catalogue, ReadoutField
from jtfne.readouts._context import (
    CellIdentity,
    Columns,
    CurrentsBySign,
    ProbeContext,
    SourceMapMatrices,
)
from jtfne.readouts._head import Forward, Spheres
from jtfne.readouts._parts import ByArea, Keep, Linear, Part, Sum
from jtfne.readouts._probe import FieldProbe, Probe
from jtfne.readouts._readout import FigureSpec, PhysicalReadout, Readout
from jtfne.readouts._recording import (
    ROWS,
    ReadoutNode,
    Recording,
    SourceCurrents,
    SourceRows,
    SpikeEvents,
    VoltageRows,
)
from jtfne.readouts.csd import CSD
from jtfne.readouts.csd_proxy import CSDProxy
from jtfne.readouts.dipole import Dipole
from jtfne.readouts.eeg import EEG
from jtfne.readouts.eeg_proxy import EEGProxy
from jtfne.readouts.emm_proxy import EMMProxy
from jtfne.readouts.lfp import LFP, Discs, Points
from jtfne.readouts.lfp_proxy import LFPProxy
from jtfne.readouts.meg import MEG
from jtfne.readouts.meg_proxy import MEGProxy
from jtfne.readouts.rate import Rate
from jtfne.readouts.source import SourceProbe
from jtfne.readouts.spectrolaminar_proxy import SpectrolaminarProxy
from jtfne.readouts.spikes import Spikes
from jtfne.readouts.voltage import Voltage
from jtfne.readouts.weighted_sums import ERWS, ERWS1, ERWS2, RWS, WeightedSum

CATALOGUE = Catalogue(
    (
        Spikes,
        Voltage,
        SourceProbe,
        LFP,
        CSD,
        Dipole,
        EEG,
        MEG,
        LFPProxy,
        CSDProxy,
        SpectrolaminarProxy,
        EMMProxy,
        EEGProxy,
        MEGProxy,
        RWS,
        ERWS,
        Rate,
    )
)
READOUTS = CATALOGUE.by_name
ALIASES = CATALOGUE.aliases
AnyReadout = Annotated[Readout, ReadoutField(CATALOGUE)]
find_readout = CATALOGUE.find_readout
list_readouts = CATALOGUE.list_readouts
resolve_alias = CATALOGUE.resolve_alias

__all__ = [
    "ALIASES",
    "CSD",
    "EEG",
    "ERWS",
    "ERWS1",
    "ERWS2",
    "LFP",
    "MEG",
    "READOUTS",
    "ROWS",
    "RWS",
    "AnyReadout",
    "ByArea",
    "CSDProxy",
    "CellIdentity",
    "Columns",
    "CurrentsBySign",
    "Dipole",
    "Discs",
    "EEGProxy",
    "EMMProxy",
    "FieldProbe",
    "FigureSpec",
    "Forward",
    "Keep",
    "LFPProxy",
    "Linear",
    "MEGProxy",
    "Part",
    "PhysicalReadout",
    "Points",
    "Probe",
    "ProbeContext",
    "Rate",
    "Readout",
    "ReadoutNode",
    "Recording",
    "SourceCurrents",
    "SourceMapMatrices",
    "SourceProbe",
    "SourceRows",
    "SpectrolaminarProxy",
    "Spheres",
    "SpikeEvents",
    "Spikes",
    "Sum",
    "Voltage",
    "VoltageRows",
    "WeightedSum",
    "find_readout",
    "list_readouts",
    "resolve_alias",
]
