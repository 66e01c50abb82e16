"""Tunes a circuit to an objective: objective, trainables and optimizer -> the best config."""

from jtfne.trainer._folder import PartStore, open_parts
from jtfne.trainer._progress import progress_of
from jtfne.trainer._result import TrainingResult
from jtfne.trainer._trainer import (
    Trainer,
    check_execution,
    check_seeds,
    circuit_provenance,
    to_json_values,
)

__all__ = [
    "PartStore",
    "Trainer",
    "TrainingResult",
    "check_execution",
    "check_seeds",
    "circuit_provenance",
    "open_parts",
    "progress_of",
    "to_json_values",
]
