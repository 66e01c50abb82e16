"""Tunes a circuit to an objective: objective, trainables and optimizer -> the best config."""

from jtfne.trainer._checks import check_execution, check_seeds
from jtfne.trainer._folder import PartStore, open_parts
from jtfne.trainer._progress import show_run_progress
from jtfne.trainer._provenance import circuit_provenance, to_json_values
from jtfne.trainer._result import TrainingResult
from jtfne.trainer._trainer import Trainer

__all__ = [
    "PartStore",
    "Trainer",
    "TrainingResult",
    "check_execution",
    "check_seeds",
    "circuit_provenance",
    "open_parts",
    "show_run_progress",
    "to_json_values",
]
