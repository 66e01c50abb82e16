"""Candidates: one circuit run with other values at some paths, without new wiring or compiling."""

from jtfne.candidates._leaves import INNER, Leaves, typical_of
from jtfne.candidates._runs import Circuit, Client, Failed, Job, Runs, spread

__all__ = ["INNER", "Circuit", "Client", "Failed", "Job", "Leaves", "Runs", "spread", "typical_of"]
