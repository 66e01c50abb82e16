"""What was recorded: arrays with dimensions, coordinates, units and provenance. The schema is in signals_schema.md."""

from jtfne.signals._signals import ALIASES, READOUTS, Signals, load

__all__ = ["ALIASES", "READOUTS", "Signals", "load"]
