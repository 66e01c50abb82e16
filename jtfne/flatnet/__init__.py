"""Net -> index arrays and weights: the last place that has names.

`_cells` gathers cells of one model, `_receptors` numbers the rows of the synaptic currents, `_edges`
lists synapses and builds their deliveries; `_flatnet` puts them together.
"""

from jtfne.flatnet._cells import spread_input_pA
from jtfne.flatnet._edges import CHUNK_EDGES, describe_synapses, list_edges
from jtfne.flatnet._flatnet import FlatNet, TrackingMaps, check_layout, flatten_net, has_flat
from jtfne.flatnet._layout import RowLayout, lay_out_rows
from jtfne.flatnet._receptors import find_receptor_row, mechanisms_of

__all__ = [
    "CHUNK_EDGES",
    "FlatNet",
    "RowLayout",
    "TrackingMaps",
    "check_layout",
    "describe_synapses",
    "find_receptor_row",
    "flatten_net",
    "has_flat",
    "lay_out_rows",
    "list_edges",
    "mechanisms_of",
    "spread_input_pA",
]
