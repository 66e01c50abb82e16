"""Connections are rules between selections; what was drawn is a table of edges."""

# expect: 10

import numpy as np

import jtfne

config = (
    jtfne.Config()
    .runtime(seed=1)
    .areas(["V1"])
    .layers(["L2/3", "L4"])
    .cells({"E": 0.8, "PV": 0.2}, n=200)
    .connections(
        [
            {
                "source": "PV",
                "target": "E",
                "mechanism": "GABA_A",
                "rule": {"kind": "FixedIndegree", "n": 10},
                "weight": {"kind": "Normal", "mean": -60.0, "sd": 20.0, "high": 0.0},
                "delay_ms": {"kind": "Uniform", "low": 0.5, "high": 2.0},
            }
        ]
    )
)
net = jtfne.construct(config)
edges = net.edges.to_pandas()
print(edges.describe()[["weight_pA", "delay_ms"]].round(2))

per_target = edges.groupby("target").size()
assert set(per_target.index) == set(net.select(cell_type="E").tolist())
print("synapses onto each E cell:", np.unique(per_target)[0])
