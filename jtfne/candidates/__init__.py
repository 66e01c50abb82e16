"""Candidates: one circuit run with other values at some paths, without new wiring or compiling."""

from jtfne.candidates._leaves import (
    GOLDEN_RATIO,
    ParameterMap,
    choose_probe_values,
    find_grid_steps,
    round_to,
)
from jtfne.candidates._runs import (
    Candidate,
    CandidateRunner,
    Client,
    FailedRun,
    RunSpec,
    merge_paradigm,
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
    "find_grid_steps",
    "merge_paradigm",
    "round_to",
    "run_on_threads",
]
