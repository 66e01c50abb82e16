"""Field operators: linear maps from sources to channels, built once on the host in float64.

Physical ones are in SI (V/A, V/(A m), T/(A m)), lengths in mm; proxies in arbitrary units.
`OPERATORS` is the catalogue of the physical ones.
"""

from jtfne.operators._base import Operator, Parameters, operator, unit_rows
from jtfne.operators._conductor import Surface
from jtfne.operators.coils import Coils, coils_of
from jtfne.operators.dipole import InfiniteDipole
from jtfne.operators.disc_source import DiscSource
from jtfne.operators.eeg_sphere import FourSphere
from jtfne.operators.forward import FromForward
from jtfne.operators.head import area_mean, electric_projection, magnetic_projection
from jtfne.operators.laminar import laminar_kernel, second_difference
from jtfne.operators.line_source import LineSource
from jtfne.operators.meg_sphere import SarvasSphere
from jtfne.operators.placement import column_dipoles, onto_sphere
from jtfne.operators.point_source import PointSource

OPERATORS: dict[str, type[Operator]] = {
    cls.__name__: cls
    for cls in (
        PointSource,
        LineSource,
        DiscSource,
        InfiniteDipole,
        FourSphere,
        SarvasSphere,
        FromForward,
    )
}

__all__ = [
    "OPERATORS",
    "Coils",
    "DiscSource",
    "FourSphere",
    "FromForward",
    "InfiniteDipole",
    "LineSource",
    "Operator",
    "Parameters",
    "PointSource",
    "SarvasSphere",
    "Surface",
    "area_mean",
    "coils_of",
    "column_dipoles",
    "electric_projection",
    "laminar_kernel",
    "magnetic_projection",
    "onto_sphere",
    "operator",
    "second_difference",
    "unit_rows",
]
