"""What was recorded: arrays with dimensions, coordinates, units and provenance. The schema is in signals_schema.md."""

from jtfne.config import ALIASES
from jtfne.signals._signals import READOUTS, Signals, load
from jtfne.signals._tree import tables_of, tree_of

__all__ = ["ALIASES", "READOUTS", "Signals", "load", "tables_of", "tree_of"]
