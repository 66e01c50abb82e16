"""What ran: versions, seeds, config hash, timings; JSON-safe."""

from jtfne.reports.run import check_manifest, differing_readouts, manifest_schema, run_manifest

__all__ = ["check_manifest", "differing_readouts", "manifest_schema", "run_manifest"]
