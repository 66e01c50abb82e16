"""Stimuli on a clock. `STIMULI` is the catalogue: the `kind` of a config file -> the class."""

from jtfne.stimuli._base import Afferents, Spanning, Stimulus, Trains, count_spikes, span
from jtfne.stimuli.chirp import Chirp
from jtfne.stimuli.constant import Constant
from jtfne.stimuli.marker import Marker
from jtfne.stimuli.ornstein_uhlenbeck import OrnsteinUhlenbeck
from jtfne.stimuli.poisson import Poisson
from jtfne.stimuli.pulse import Pulse, PulseTrain
from jtfne.stimuli.ramp import Ramp
from jtfne.stimuli.sine import Sine
from jtfne.stimuli.spike_times import SpikeTimes
from jtfne.stimuli.trace import Trace
from jtfne.stimuli.volley import Evoked, Rhythmic

AFFERENTS = (SpikeTimes, Evoked, Rhythmic)  # spikes at given times
SYNAPTIC = (Poisson, *AFFERENTS)  # through a mechanism
# in the target's input unit
CURRENTS = (Constant, Pulse, PulseTrain, Ramp, Sine, Chirp, OrnsteinUhlenbeck, Trace)
STIMULI: dict[str, type[Stimulus]] = {cls.__name__: cls for cls in (*CURRENTS, *SYNAPTIC, Marker)}

__all__ = [
    "AFFERENTS",
    "STIMULI",
    "SYNAPTIC",
    "Afferents",
    "Chirp",
    "Constant",
    "Evoked",
    "Marker",
    "OrnsteinUhlenbeck",
    "Poisson",
    "Pulse",
    "PulseTrain",
    "Ramp",
    "Rhythmic",
    "Sine",
    "Spanning",
    "SpikeTimes",
    "Stimulus",
    "Trace",
    "Trains",
    "count_spikes",
    "span",
]
