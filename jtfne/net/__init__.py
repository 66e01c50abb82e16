"""Config -> Net: named cells, their places, and the edges between them. All random wiring is drawn
here.
"""

from jtfne.config.labels import connection_labels
from jtfne.net._checks import check_identity, check_projection
from jtfne.net._identity import Identity, identity_from_labels, select_rows, select_with
from jtfne.net._net import Net, construct
from jtfne.net._summary import Summary
from jtfne.net._wiring import Projection, gains_of

__all__ = [
    "Identity",
    "Net",
    "Projection",
    "Summary",
    "check_identity",
    "check_projection",
    "connection_labels",
    "construct",
    "gains_of",
    "identity_from_labels",
    "select_rows",
    "select_with",
]
