"""Cell models. `EMITTERS` is the catalogue: the `kind` of a config file -> the class."""

from jtfne._tree import register
from jtfne.emitters._base import (
    Balance,
    Conductances,
    Emitter,
    SynapticInput,
    can_receive,
    find_method,
    has_method,
    uses_deprecated_name,
)
from jtfne.emitters._trains import Trains, join_trains
from jtfne.emitters.adaptive import AdaptiveLIF
from jtfne.emitters.adex import AdEx
from jtfne.emitters.glif import GLIF1, GLIF2, GLIF3
from jtfne.emitters.hodgkin_huxley import HodgkinHuxley
from jtfne.emitters.izhikevich import Izhikevich2003, Izhikevich2007
from jtfne.emitters.lif import LIF
from jtfne.emitters.spike_sources import PoissonSource, SpikeSource
from jtfne.emitters.two_compartment import TwoCompartment

_CLASSES: tuple[type[Emitter], ...] = (
    *(LIF, AdaptiveLIF, GLIF1, GLIF2, GLIF3, AdEx),
    *(Izhikevich2003, Izhikevich2007, HodgkinHuxley, TwoCompartment),
    *(PoissonSource, SpikeSource),
)
EMITTERS: dict[str, type[Emitter]] = {cls.__name__: cls for cls in _CLASSES}

__all__ = [
    "EMITTERS",
    "GLIF1",
    "GLIF2",
    "GLIF3",
    "LIF",
    "AdEx",
    "AdaptiveLIF",
    "Balance",
    "Conductances",
    "Emitter",
    "HodgkinHuxley",
    "Izhikevich2003",
    "Izhikevich2007",
    "PoissonSource",
    "SpikeSource",
    "SynapticInput",
    "Trains",
    "TwoCompartment",
    "can_receive",
    "find_method",
    "has_method",
    "join_trains",
    "register",
    "uses_deprecated_name",
]
