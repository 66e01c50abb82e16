"""Field operators: linear maps from sources to channels. Proxies so far; physical ones stand beside them."""

from jtfne.operators._base import Operator, Parameters, operator, unit_rows
from jtfne.operators.head import area_mean, electric_projection, magnetic_projection
from jtfne.operators.laminar import laminar_kernel, second_difference

__all__ = [
    "Operator",
    "Parameters",
    "area_mean",
    "electric_projection",
    "laminar_kernel",
    "magnetic_projection",
    "operator",
    "second_difference",
    "unit_rows",
]
