"""Synapse models. `SYNAPSES` is the catalogue: the `kind` of a config file -> the class."""

from jtfne.synapses.exponential import Exponential
from jtfne.synapses.receptors import RECEPTORS

SYNAPSES: dict[str, type] = {cls.__name__: cls for cls in (Exponential,)}

__all__ = ["RECEPTORS", "SYNAPSES", "Exponential"]
