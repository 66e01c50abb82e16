"""Runners of a circuit: on one device, or with its cells sharded over a mesh. No names, no probes.

Both give the same bits for the same circuit: every cell keeps its streams of noise, and spikes are
delivered in the order of cells.
"""

from jtfne import engine
from jtfne.delivery import ShardedDelivery
from jtfne.runner._base import Runner, Spiking
from jtfne.runner._multi import MultiDeviceRunner
from jtfne.runner._single import SingleDeviceRunner

__all__ = ["MultiDeviceRunner", "Runner", "SingleDeviceRunner", "Spiking", "make_runner"]


def make_runner(
    circuit: engine.Circuit,
    inputs: engine.Inputs,
    recorders: tuple[engine.Recorder, ...],
    dt_ms: float,
) -> Runner:
    """Return the runner of a circuit: for one device, or for the mesh of its sharded delivery."""
    if isinstance(circuit.leading, ShardedDelivery):
        return MultiDeviceRunner(circuit, inputs, recorders, dt_ms)
    return SingleDeviceRunner(circuit, inputs, recorders, dt_ms)
