"""One of several processes that run one circuit together: python distributed_spikes.py ADDRESS
N_PROCESSES PROCESS.

With one process, two devices of its own instead. Prints the spikes and the hash of the membrane
potentials.
"""

import hashlib
import json
import sys

import jax


def main() -> None:
    address, n_processes, process = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    jax.config.update("jax_num_cpu_devices", 2 // n_processes)
    if n_processes > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(address, n_processes, process)
    import jtfne
    from contract_delivery import config
    from jtfne.delivery import Sharded

    signals = jtfne.construct(config((61.7, -133.3))).simulate(delivery=Sharded(), progress=False)
    spikes = signals.spikes[["time_ms", "neuron"]].to_numpy(float).tolist()
    print(
        json.dumps(
            [
                spikes,
                hashlib.sha256(signals.get("vm").values.tobytes()).hexdigest(),
                jax.device_count(),
            ]
        )
    )


if __name__ == "__main__":
    main()
