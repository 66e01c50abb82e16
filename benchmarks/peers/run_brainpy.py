"""Vogels & Abbott's networks in BrainPy: LifRef cells, event-driven CSR projections, exponential
synapses.
"""

from collections.abc import Callable
from typing import Any

import brainpy as bp
import brainpy.math as bm
import jax
import numpy as np
from _protocol import answer, read, timed

STEPS_A_ms = 10  # potentials are kept once a millisecond


class Network(bp.DynSysGroup):
    """All cells in one group, excitatory ones first, and a projection for each of the two kinds of
    synapse.
    """

    def __init__(self, circuit: dict[str, Any]) -> None:
        super().__init__()
        cell, n_cells = circuit["cells"][0]["emitter"], circuit["n_cells"]
        self.n_e = circuit["cells"][0]["n_cells"]
        self.group = bp.dyn.LifRef(
            n_cells,
            V_rest=cell["v_rest_mV"],
            V_th=cell["v_th_mV"],
            V_reset=cell["v_reset_mV"],
            tau=cell["tau_m_ms"],
            R=1.0,
            tau_ref=cell["t_ref_ms"],
            V_initializer=bp.init.Uniform(cell["v_reset_mV"], cell["v_th_mV"]),
        )
        self.delay = bp.VarDelay(
            self.group.spike, entries={"all": circuit["connections"][0]["delay_ms"]}
        )
        self.projections = bm.NodeList(
            self.projection(each, circuit["mechanisms"][each["mechanism"]], cell)
            for each in circuit["connections"]
        )
        self.raining = True  # while it warms up: drawing numbers at every step costs BrainPy much
        self.rain = [
            (k, rain) for k, each in enumerate(circuit["cells"]) for rain in each["poisson"]
        ]
        self.mV_per_weight = cell["tau_m_ms"] / cell["c_m_pF"]

    def projection(
        self, each: dict[str, Any], mechanism: dict[str, Any], cell: dict[str, Any]
    ) -> bp.Projection:
        """A projection onto all cells. Input is in mV: a current, or a conductance, over the
        leak.
        """
        n_cells = self.group.num
        n_pre = self.n_e if each["source"] == [0] else n_cells - self.n_e
        conducting = "e_rev_mV" in mechanism
        weight = each["weight"] * cell["tau_m_ms"] / cell["c_m_pF"]
        return bp.dyn.HalfProjAlignPostMg(
            comm=bp.dnn.EventCSRLinear(
                bp.conn.FixedProb(each["rule"]["p"], pre=n_pre, post=n_cells), weight
            ),
            syn=bp.dyn.Expon.desc(n_cells, tau=mechanism["tau_ms"]),
            out=bp.dyn.COBA.desc(E=mechanism["e_rev_mV"]) if conducting else bp.dyn.CUBA.desc(),
            post=self.group,
        )

    def update(self) -> jax.Array:
        """One step: deliver the delayed spikes, advance the cells."""
        spikes = self.delay.at("all")
        self.projections[0](spikes[: self.n_e])
        self.projections[1](spikes[self.n_e :])
        for k, rain in self.rain if self.raining else ():
            self.pour(k, rain)
        self.delay(self.group(0.0))
        return self.group.spike.value

    def pour(self, k: int, rain: dict[str, Any]) -> None:
        """Spikes from outside onto the first cells of population `k` until their stop, at most one
        a step.
        """
        now_ms, mean = bp.share["t"], rain["rate_Hz"] * bp.share["dt"] * 1e-3
        cell = bm.arange(self.group.num) - k * self.n_e  # within its population
        mine = (cell >= 0) & (cell < rain["n_cells"])
        counts = (bm.random.rand(self.group.num) < mean) * mine * (now_ms < rain["stop_ms"])
        self.projections[rain["mechanism"] == "inh"].syn.add_current(
            counts * rain["weight"] * self.mV_per_weight
        )


def runner(network: Network, span_ms: int, keep_v: bool) -> Callable[[int], Any]:
    """Compiled: `span_ms` from a millisecond on; spikes (ms, steps, cells), and potentials at each
    millisecond.
    """

    def millisecond(k: jax.Array) -> Any:
        spikes = bm.for_loop(network.step_run, k * STEPS_A_ms + bm.arange(STEPS_A_ms))
        return (spikes, network.group.V.value) if keep_v else (spikes,)

    run = bm.jit(lambda start: bm.for_loop(millisecond, start + bm.arange(span_ms)))
    return lambda start: jax.block_until_ready(run(start))


def main() -> None:
    """Build, warm up, time the repeats."""
    job = read()
    bm.set_dt(job["dt_ms"])
    bm.random.seed(job["seed"])
    build_s, network = timed(lambda: Network(job["circuit"]))
    keep_v, warm_ms, span_ms = job["record"] == "vm", int(job["warm_ms"]), int(job["run_ms"])
    first_s, _ = timed(lambda: runner(network, warm_ms, keep_v)(0))
    network.raining = False
    run, runs = runner(network, span_ms, keep_v), []
    for k in range(job["repeats"] + 1):
        took_s, kept = timed(lambda k=k: run(warm_ms + k * span_ms))
        n_spikes = float(np.asarray(kept[0]).sum())
        runs.append((took_s, n_spikes / network.group.num / span_ms * 1e3))
    # the first compiled, for its length
    answer(f"BrainPy {bp.__version__}", build_s, first_s, runs[1:])


if __name__ == "__main__":
    main()
