"""Synapse models. `SYNAPSES` is the catalogue: the `kind` of a config file -> the class."""

from jtfne.synapses.conductance import Conductance
from jtfne.synapses.exponential import Exponential
from jtfne.synapses.receptors import RECEPTORS

Synapse = Exponential | Conductance
SYNAPSES: dict[str, type[Synapse]] = {cls.__name__: cls for cls in (Exponential, Conductance)}

__all__ = ["RECEPTORS", "SYNAPSES", "Conductance", "Exponential", "Synapse"]
