"""What a run recorded: labelled arrays with units and provenance (see signals_schema.md)."""

from jtfne.readouts import ALIASES
from jtfne.signals._load import load
from jtfne.signals._signals import READOUTS, Signals
from jtfne.signals._tree import build_tables, build_tree

__all__ = ["ALIASES", "READOUTS", "Signals", "build_tables", "build_tree", "load"]
