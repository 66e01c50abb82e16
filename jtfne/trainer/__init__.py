"""Tunes a circuit to an objective: objective, trainables and optimizer -> the best config."""

from jtfne.trainer._folder import Parts, opened
from jtfne.trainer._progress import progress_of
from jtfne.trainer._result import TrainingResult
from jtfne.trainer._trainer import Trainer, check_execution, circuit_about, plainly, seeds_of

__all__ = [
    "Parts",
    "Trainer",
    "TrainingResult",
    "check_execution",
    "circuit_about",
    "opened",
    "plainly",
    "progress_of",
    "seeds_of",
]
