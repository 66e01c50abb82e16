"""Candidates: one circuit run with other values at some paths, without new wiring or compiling."""

from jtfne.candidates._leaves import GOLDEN_RATIO, ParameterMap, choose_probe_values
from jtfne.candidates._runs import (
    Candidate,
    CandidateRunner,
    Client,
    FailedRun,
    RunSpec,
    run_on_threads,
)

__all__ = [
    "GOLDEN_RATIO",
    "Candidate",
    "CandidateRunner",
    "Client",
    "FailedRun",
    "ParameterMap",
    "RunSpec",
    "choose_probe_values",
    "run_on_threads",
]
