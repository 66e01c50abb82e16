"""Config -> the cells of a circuit, their places, and the edges between them; runs nothing.

All random wiring is drawn here. `NetData` holds what was drawn; `jtfne.net.Net` adds the verbs.
"""

from jtfne.wiring._checks import check_identity, check_projection
from jtfne.wiring._data import NetData
from jtfne.wiring._identity import (
    Identity,
    identity_from_labels,
    place_cells,
    select_rows,
    select_with,
)
from jtfne.wiring._projections import Projection, build_gain_matrix, wire
from jtfne.wiring._sizes import refuse_too_large
from jtfne.wiring._summary import Summary, summarize_net

__all__ = [
    "Identity",
    "NetData",
    "Projection",
    "Summary",
    "build_gain_matrix",
    "check_identity",
    "check_projection",
    "identity_from_labels",
    "place_cells",
    "refuse_too_large",
    "select_rows",
    "select_with",
    "summarize_net",
    "wire",
]
