"""What a circuit should show: metrics with targets and gates -> a score and its named terms."""

from jtfne.config import Above, Below, Curve, Equal, Gate, InRange, Metric
from jtfne.objective._axes import Axes
from jtfne.objective._objective import Objective
from jtfne.objective._result import ObjectiveResult

__all__ = [
    "Above",
    "Axes",
    "Below",
    "Curve",
    "Equal",
    "Gate",
    "InRange",
    "Metric",
    "Objective",
    "ObjectiveResult",
]
