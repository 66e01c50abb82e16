"""What a cell model and a synapse cost: 4,000 cells with 80 synapses each, beside LIF cells with
exponential currents.

Silent circuits give the cost of a cell and step; LIF cells at 50 Hz, whose synapses are too weak to
matter, that of an event. The contract: AdEx, and conductances, at most three times each. All in one
process, in turns.
"""

import time

import jtfne
from _measure import OUT, DT_ms, show
from _record import record
from jtfne.config import Config
from jtfne.emitters import EMITTERS, LIF, AdEx
from jtfne.synapses import SYNAPSES

N_CELLS, IN_DEGREE, RUN_ms, TURNS, LIMIT = 4_000, 80, 500.0, 5, 3.0
WEIGHT = 1e-6  # pA or nS
DRIVE_pA = 450.0  # of the default LIF, whose rheobase is 375 pA
FIELDS = {
    "tau_ms": (5.0, 10.0),
    "tau_rise_ms": (0.5, 1.0),
    "tau_decay_ms": (5.0, 10.0),
    "e_rev_mV": (0.0, -80.0),
}


def circuit(emitter: object, synapse: str, drive: float = 0.0) -> Config:
    """Cells of one model, with two receptors of one kind."""
    kind = SYNAPSES[synapse]
    own = [{name: pair[k] for name, pair in FIELDS.items() if name in kind.LIMITS} for k in (0, 1)]
    return (
        Config()
        .runtime(duration_ms=RUN_ms, dt_ms=DT_ms)
        .areas(["A"])
        .layers(["L4"])
        .cells({"cell": N_CELLS})
        .emitters({"cell": emitter})
        .cell_params({"cell": {"drive": drive}})
        .mechanisms(
            {
                name: {"kind": synapse, **fields}
                for name, fields in zip(("one", "two"), own, strict=True)
            }
        )
        .connections(
            [
                {
                    "source": "cell",
                    "target": "cell",
                    "mechanism": name,
                    "rule": {"kind": "FixedIndegree", "n": IN_DEGREE // 2},
                    "weight": WEIGHT,
                }
                for name in ("one", "two")
            ]
        )
        .probes(["spk"])
    )


def measured(configs: dict[str, Config]) -> dict[str, tuple[float, float]]:
    """Of each circuit: us a step of the fastest run, after one that compiles, and spikes a step."""
    nets = {name: jtfne.construct(config) for name, config in configs.items()}
    found: dict[str, tuple[float, float]] = {}
    for turn in range(TURNS + 1):
        for name, net in nets.items():
            start = time.perf_counter()
            signals = net.simulate(progress=False)
            wall_us = (time.perf_counter() - start) * 1e6 / (RUN_ms / DT_ms)
            if turn:
                fastest = min(wall_us, found.get(name, (wall_us, 0.0))[0])
                found[name] = fastest, signals.tree["spk"].sizes["event"] / (RUN_ms / DT_ms)
    return found


def main() -> None:
    """Measure, print the table, record the ratios."""
    receiving = {name: kind for name, kind in EMITTERS.items() if getattr(kind, "receives", True)}
    silent = {
        f"{name}, Exponential": circuit(kind(), "Exponential") for name, kind in receiving.items()
    }
    silent |= {f"LIF, {name}": circuit(LIF(), name) for name in SYNAPSES}
    silent |= {"AdEx, Conductance": circuit(AdEx(), "Conductance")}
    firing = {f"LIF, {name} at 50 Hz": circuit(LIF(), name, DRIVE_pA) for name in SYNAPSES}
    found = measured(silent | firing)
    base_us = found["LIF, Exponential"][0]
    event_us = {
        name: (found[f"LIF, {name} at 50 Hz"][0] - found[f"LIF, {name}"][0])
        / (found[f"LIF, {name} at 50 Hz"][1] * IN_DEGREE)
        for name in SYNAPSES
    }
    rows = [["cells, synapses", "us/step", "x LIF, Exponential", "ns an event", "x Exponential"]]
    for name in silent:
        cells, synapse = name.split(", ")
        events = [
            f"{1e3 * event_us[synapse]:.2f}",
            f"{event_us[synapse] / event_us['Exponential']:.2f}",
        ]
        step_us = found[name][0]
        rows.append(
            [
                name,
                f"{step_us:.1f}",
                f"{step_us / base_us:.2f}",
                *(events if cells == "LIF" else ["", ""]),
            ]
        )
        record(
            "models",
            case=name,
            us_per_step=round(step_us, 2),
            ratio=round(step_us / base_us, 2),
            limit=LIMIT,
        )
    show(rows, OUT / "models.md")


if __name__ == "__main__":
    main()
