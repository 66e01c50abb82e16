"""A circuit that is tuned until it shows what it should: objective, trainables and optimizer -> the best config."""

from jtfne.trainer._result import TrainingResult
from jtfne.trainer._trainer import Trainer

__all__ = ["Trainer", "TrainingResult"]
