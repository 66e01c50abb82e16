"""What happens when: stimuli on a clock, trials, conditions, labelled events."""

from jtfne.paradigm._paradigm import Paradigm
from jtfne.paradigm._structures import Timing

__all__ = ["Paradigm", "Timing"]
