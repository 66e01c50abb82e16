"""Circuits of SONATA as a Config: point neurons of NEST, their edges, and virtual cells."""

from jtfne.sonata_circuits._circuit import from_sonata as from_sonata
from jtfne.sonata_circuits._circuit import is_circuit_file as is_circuit_file
