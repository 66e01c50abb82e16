"""What ran: versions, seeds, config hash, timings; JSON-safe."""

from jtfne.reports._base import bit_conditions, machine, software
from jtfne.reports.run import (
    TABLES,
    NotFiniteError,
    altered_nodes,
    check_manifest,
    check_tree,
    differing_readouts,
    manifest_schema,
    run_manifest,
)

__all__ = [
    "TABLES",
    "NotFiniteError",
    "altered_nodes",
    "bit_conditions",
    "check_manifest",
    "check_tree",
    "differing_readouts",
    "machine",
    "manifest_schema",
    "run_manifest",
    "software",
]
