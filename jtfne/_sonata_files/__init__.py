"""The files of SONATA as arrays and tables: nodes, edges, types, spikes, the config of a circuit.

Names, types and attributes: github.com/AllenInstitute/sonata, docs/SONATA_DEVELOPER_GUIDE.md, read
at commit 0014291. What a file claims is checked before it is decoded: it may come from a stranger.
"""

from jtfne._sonata_files._circuit import CircuitFiles as CircuitFiles
from jtfne._sonata_files._circuit import InputEntry as InputEntry
from jtfne._sonata_files._circuit import NetworkFiles as NetworkFiles
from jtfne._sonata_files._circuit import is_circuit as is_circuit
from jtfne._sonata_files._circuit import read_circuit as read_circuit
from jtfne._sonata_files._edges import Edges as Edges
from jtfne._sonata_files._edges import list_edge_populations as list_edge_populations
from jtfne._sonata_files._edges import read_edges as read_edges
from jtfne._sonata_files._nodes import Nodes as Nodes
from jtfne._sonata_files._nodes import read_nodes as read_nodes
from jtfne._sonata_files._spikes import Spikes as Spikes
from jtfne._sonata_files._spikes import is_spike_table as is_spike_table
from jtfne._sonata_files._spikes import read_all_spikes as read_all_spikes
from jtfne._sonata_files._spikes import read_spikes as read_spikes
from jtfne._sonata_files._types import TypeRow as TypeRow
from jtfne._sonata_files._types import read_types as read_types
