"""Synapse models. `SYNAPSES` is the catalogue: the `kind` of a config file -> the class.

`PLASTICITIES` is that of plasticity rules.
"""

from jtfne._tree import register
from jtfne.synapses._base import Course, RiseState, Synapse, courses, step_rise
from jtfne.synapses.alpha import Alpha, AlphaConductance
from jtfne.synapses.biexponential import BiExponential, BiExponentialConductance
from jtfne.synapses.boltzmann import BoltzmannConductance
from jtfne.synapses.conductance import Conductance
from jtfne.synapses.delta import Delta
from jtfne.synapses.exponential import Exponential
from jtfne.synapses.nmda import NMDA
from jtfne.synapses.receptors import CONDUCTANCES, RECEPTORS
from jtfne.synapses.short_term import ShortTerm
from jtfne.synapses.stdp import PairSTDP

_CLASSES: tuple[type[Synapse], ...] = (
    *(Exponential, Alpha, BiExponential),
    *(Conductance, AlphaConductance, BiExponentialConductance, NMDA),
    BoltzmannConductance,
    Delta,
)
SYNAPSES: dict[str, type[Synapse]] = {cls.__name__: cls for cls in _CLASSES}

Plasticity = ShortTerm | PairSTDP
PLASTICITIES: dict[str, type[Plasticity]] = {cls.__name__: cls for cls in (ShortTerm, PairSTDP)}

__all__ = [
    "CONDUCTANCES",
    "NMDA",
    "PLASTICITIES",
    "RECEPTORS",
    "SYNAPSES",
    "Alpha",
    "AlphaConductance",
    "BiExponential",
    "BiExponentialConductance",
    "BoltzmannConductance",
    "Conductance",
    "Course",
    "Delta",
    "Exponential",
    "PairSTDP",
    "Plasticity",
    "RiseState",
    "ShortTerm",
    "Synapse",
    "courses",
    "register",
    "step_rise",
]
