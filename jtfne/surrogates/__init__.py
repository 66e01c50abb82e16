"""Derivatives for spikes, which have none. `SURROGATES` is the catalogue.

`net.to_flat(surrogate=SuperSpike())` gives a circuit whose spikes are the same, to the bit, and
have derivatives.
"""

from jtfne.surrogates._base import Surrogate
from jtfne.surrogates.atan import ATan
from jtfne.surrogates.sigmoid import Sigmoid
from jtfne.surrogates.smoothed import Smoothed
from jtfne.surrogates.super_spike import SuperSpike
from jtfne.surrogates.triangular import Triangular

_CLASSES: tuple[type[Surrogate], ...] = (SuperSpike, Sigmoid, ATan, Triangular)
SURROGATES: dict[str, type[Surrogate]] = {cls.__name__: cls for cls in _CLASSES}

__all__ = ["SURROGATES", "ATan", "Sigmoid", "Smoothed", "SuperSpike", "Surrogate", "Triangular"]
