"""Runs parts of hnn-core and NEURON for docs/validation/agreement.py.

Reads one JSON object from stdin, the `job` of `_agreement_hnn.py`, and ends with one line of JSON
on stdout.
"""

import json
import sys
from typing import Any

import hnn_core
import numpy as np
from hnn_core.drives import _create_bursty_input, _create_gauss
from hnn_core.extracellular import _transfer_resistance, calculate_csd2d
from neuron import h


def gaussian_times(drive: dict[str, Any]) -> list[float]:
    """Spike times of an evoked drive, sorted."""
    random = np.random.RandomState(drive["seed"])
    times = _create_gauss(
        mu=drive["mean_ms"], sigma=drive["sd_ms"], numspikes=drive["n_spikes"], prng=random
    )
    return sorted(times.tolist())


def bursty_times(drive: dict[str, Any]) -> list[float]:
    """Spike times of a rhythmic drive, sorted."""
    random = np.random.RandomState(drive["seed"])
    times = _create_bursty_input(
        t0=drive["start_ms"],
        t0_stdev=0.0,
        tstop=drive["stop_ms"],
        f_input=drive["rate_Hz"],
        events_jitter_std=drive["sd_ms"],
        events_per_cycle=drive["n_spikes"],
        cycle_events_isi=drive["isi_ms"],
        prng=random,
        prng2=random,
    )
    return sorted(times.tolist())


def transfer_resistances(field: dict[str, Any], method: str) -> list[list[float]]:
    """uV per nA: a row for each contact, a column for each section of one segment."""
    columns = []
    for start, end in zip(field["starts_um"], field["ends_um"], strict=True):
        section = h.Section(name="segment")
        section.nseg = 1
        section.pt3dadd(*start, 1.0)
        section.pt3dadd(*end, 1.0)
        columns.append(
            [
                _transfer_resistance(section, place, field["sigma_S_m"], method)[0]
                for place in field["contacts_um"]
            ]
        )
    return np.array(columns).T.tolist()


def membrane_course(cell: dict[str, Any]) -> list[float]:
    """Potential, mV, of a passive compartment under Exp2Syn at the end of each step, by CVODE."""
    h.load_file("stdrun.hoc")
    section = h.Section(name="cell")
    # 1 uF/cm^2 over an area that makes the capacitance; 1 pF is 100 um^2 of it.
    section.L = section.diam = np.sqrt(100.0 * cell["c_m_pF"] / np.pi)
    section.cm = 1.0
    section.insert("pas")
    section(0.5).pas.g = 1e-3 / cell["tau_m_ms"]
    section(0.5).pas.e = cell["v_rest_mV"]
    parts = []
    for synapse in cell["synapses"]:
        point = h.Exp2Syn(section(0.5))
        point.tau1, point.tau2, point.e = (
            synapse["tau_rise_ms"],
            synapse["tau_decay_ms"],
            synapse["e_rev_mV"],
        )
        for time_ms in synapse["times_ms"]:
            spike = h.NetStim()
            spike.start, spike.number, spike.noise = time_ms, 1, 0
            connection = h.NetCon(spike, point)
            connection.delay, connection.weight[0] = (
                synapse["delay_ms"],
                1e-3 * synapse["weight_nS"],
            )
            parts += [point, spike, connection]
    solver = h.CVode()
    solver.active(True)
    solver.atol(1e-10)
    solver.rtol(1e-10)
    n_steps = round(cell["duration_ms"] / cell["dt_ms"])
    sampled = h.Vector(cell["dt_ms"] * np.arange(1, n_steps + 1))
    trace = h.Vector().record(section(0.5)._ref_v, sampled)
    h.finitialize(cell["v_first_mV"])
    h.continuerun(cell["duration_ms"] + cell["dt_ms"])
    return [float(value) for value in trace][:n_steps]


def main() -> None:
    """Answer the job."""
    job = json.loads(sys.stdin.read())
    answer = {
        "version": hnn_core.__version__,
        "hnn evoked": gaussian_times(job["evoked"]),
        "hnn rhythmic": bursty_times(job["rhythmic"]),
        "hnn points": transfer_resistances(job["field"], "psa"),
        "hnn lines": transfer_resistances(job["field"], "lsa"),
        "hnn csd": calculate_csd2d(
            np.array(job["csd"]["potential_mV"]), delta=job["csd"]["spacing_um"]
        ).tolist(),
        "hnn exp2syn": membrane_course(job["cell"]),
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
