"""Stimuli on a clock. `STIMULI` is the catalogue: the `kind` of a config file -> the class."""

from jtfne.stimuli._base import Stimulus
from jtfne.stimuli.constant import Constant
from jtfne.stimuli.poisson import Poisson
from jtfne.stimuli.pulse import Pulse, PulseTrain
from jtfne.stimuli.trace import Trace

STIMULI: dict[str, type] = {cls.__name__: cls for cls in (Constant, Pulse, PulseTrain, Poisson, Trace)}

__all__ = ["STIMULI", "Constant", "Poisson", "Pulse", "PulseTrain", "Stimulus", "Trace"]
