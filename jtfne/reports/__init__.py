"""What ran: versions, seeds, config hash, timings; JSON-safe."""

from jtfne.reports.run import TABLES, altered_nodes, check_manifest, differing_readouts, manifest_schema, run_manifest

__all__ = ["TABLES", "altered_nodes", "check_manifest", "differing_readouts", "manifest_schema", "run_manifest"]
