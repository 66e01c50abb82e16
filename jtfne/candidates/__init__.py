"""Candidates: one circuit run with other values at some paths, without new wiring or compiling."""

from jtfne.candidates._leaves import INNER, ParameterMap, choose_probe_values
from jtfne.candidates._runs import Candidate, Circuit, Client, FailedRun, Runs, run_on_threads

__all__ = [
    "INNER",
    "Candidate",
    "Circuit",
    "Client",
    "FailedRun",
    "ParameterMap",
    "Runs",
    "choose_probe_values",
    "run_on_threads",
]
