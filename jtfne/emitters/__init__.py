"""Cell models. `EMITTERS` is the catalogue: the `kind` of a config file -> the class."""

from jtfne.emitters._base import Balance, Conductances, Emitter, SynapticInput
from jtfne.emitters.izhikevich import Izhikevich2003, Izhikevich2007
from jtfne.emitters.lif import LIF

EMITTERS: dict[str, type] = {cls.__name__: cls for cls in (LIF, Izhikevich2003, Izhikevich2007)}

__all__ = ["EMITTERS", "LIF", "Balance", "Conductances", "Emitter", "Izhikevich2003", "Izhikevich2007", "SynapticInput"]
