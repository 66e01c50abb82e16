"""The memory that a run will take, told before it starts: beside the measured peak, and as what
refuses it.
"""

import json
import subprocess
import sys

import numpy as np
import psutil
import pytest

import jtfne
from jtfne import _cores, simulation
from jtfne.net import Projection
from jtfne.simulation import _memory, estimate_memory
from test_simulation import ALL, mixed

pytestmark = pytest.mark.as_users  # simulates for long

MEASURED = """
import json, re, resource, sys
from pathlib import Path
import jtfne
from jtfne.presets.pd14 import pd14
from jtfne.simulation import estimate_memory
net = jtfne.construct({config})
said = estimate_memory(net)
net.simulate(progress=False)
status = Path("/proc/self/status")  # of this program alone; ru_maxrss counts what it was forked from as well
high = re.search("VmHWM:[^0-9]*([0-9]+)", status.read_text()) if status.exists() else None
peak = int(high[1]) if high else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([said.total_bytes, peak * unit, dict(said.parts)]))
"""
CIRCUITS = {
    "fields of many cells": "jtfne.suite2_net1_config(4000).probes(['spk', 'lfp_proxy'])",
    "potentials of 381 MiB": "jtfne.suite2_net1_config(1000).probes(['vm']).runtime(duration_ms=10_000.0)",
    "three million synapses": "pd14(scale=0.1).runtime(duration_ms=100.0)",
}


@pytest.mark.parametrize("config", CIRCUITS.values(), ids=CIRCUITS)
def test_the_estimate_is_within_a_fifth_of_the_measured_peak(config):
    """In fresh processes, so that the peak is of this run alone."""
    command = [sys.executable, "-c", MEASURED.format(config=config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    said, peak, parts = json.loads(done.stdout)
    assert 0.8 * peak <= said <= 1.2 * peak, parts


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recordings_and_synapses_are_counted_to_the_byte(dtype):
    """Two trials of every readout; of the source, one part, the input current, is kept, and its sum
    made of it.
    """
    net = jtfne.construct(mixed(ALL, dtype=dtype))
    parts = estimate_memory(net, trials=2).parts
    signals = net.simulate(trials=2)
    kept = {name: signals.tree[name][name].values for name in signals.recorded() if name != "spk"}
    # kept as the LFP from which it is made
    lfp = kept.pop("spectrolaminar_proxy"), kept["lfp_proxy"].nbytes
    emm = 2 * kept.pop("emm_proxy").nbytes  # two costs
    assert parts["recordings"] == sum(each.nbytes for each in kept.values()) + lfp[1] + emm
    assert parts["sums of sources"] == kept["source"].nbytes
    delivery = net.to_flat(tracked=False).circuit.delivery
    assert parts["synapses"] == delivery.offsets.nbytes + delivery.weights.nbytes


def test_what_is_there_already_is_not_counted_again():
    net = jtfne.construct(mixed())
    before = estimate_memory(net).parts
    net.to_flat(tracked=False)
    after = estimate_memory(net).parts
    assert before["synapses"] > 0 and before["work area"] > 0
    assert after["synapses"] == after["work area"] == 0


def test_synapses_are_laid_out_once():
    """In the memory where they stay, beside a work area that does not grow with them."""
    net = jtfne.construct(mixed(["spk"]))
    net.projections = ()
    quiet = estimate_memory(net)
    assert "recordings" in quiet.parts and quiet.parts["synapses"] == 0
    edges = 10**8  # of which only the numbers are asked
    net.projections = (_edges(net.n_neurons, edges),)
    busy = estimate_memory(net)
    assert 8 * edges <= busy.parts["synapses"] <= 9 * edges
    assert 0 < busy.parts["work area"] < 2 * edges


def _edges(n_cells, n_edges):
    """A projection of `n_edges`, all from the first cell to itself, whose arrays are views of one
    number.
    """
    indptr = np.full(n_cells + 1, n_edges, np.int64)
    indptr[0] = 0
    target = np.broadcast_to(np.int32(0), n_edges)
    one = np.ones(1, np.float32)
    return Projection(
        connection=0, mechanism="AMPA", indptr=indptr, target=target, weight=one, delay_ms=one
    )


def test_a_run_that_does_not_fit_is_refused_with_its_size_and_a_cure(monkeypatch):
    net = jtfne.construct(mixed(["vm", "source"]))
    said = estimate_memory(net, duration_ms=60_000)
    free = said.new_bytes - sum(said.parts[name] for name in said.growing) // 2
    monkeypatch.setattr(_memory, "available_bytes", lambda: free)

    def never(*args, **kwargs):
        raise AssertionError("work began")

    monkeypatch.setattr(simulation._simulate, "record", never)
    monkeypatch.setattr(jtfne.Net, "to_flat", never)
    with pytest.raises(jtfne.JtfneError) as refused:
        net.simulate(duration_ms=60_000)
    told = str(refused.value)
    size = f"{said.new_bytes / 2**20:.1f} MiB more memory"
    for part in (
        size,
        "74 cells",
        "60000 ms",
        "1 trials",
        "recordings",
        "fewer cells or probes",
        "longer interval_ms",
    ):
        assert part in told
    assert "out=" in told and f"the {free / 2**20:.1f} MiB that are free" in told
    limit_ms = float(told.split("a duration below ")[1].split(" ms")[0])
    assert limit_ms == pytest.approx(30_000.0, rel=1e-3)
    with pytest.raises(AssertionError, match="work began"):  # a shorter one is let through
        net.simulate(duration_ms=0.98 * limit_ms // 1)
    coarse = jtfne.construct(net.config.probes([{"kind": "vm", "interval_ms": 2.0}]))
    with pytest.raises(AssertionError, match="work began"):  # and so is a longer interval
        coarse.simulate(duration_ms=60_000)


def test_no_duration_is_named_where_none_would_do(monkeypatch, tmp_path):
    net = jtfne.construct(mixed())
    monkeypatch.setattr(_memory, "available_bytes", lambda: 300_000)
    with pytest.raises(
        jtfne.JtfneError, match=r"the 0\.3 MiB that are free;.*fewer cells"
    ) as refused:
        net.simulate(out=tmp_path / "run")
    assert "a duration below" not in str(refused.value) and "out=" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_out_keeps_recordings_out_of_memory(tmp_path):
    net = jtfne.construct(mixed(["vm"]))
    held, streamed = (estimate_memory(net, duration_ms=60_000, out=out) for out in (None, tmp_path))
    assert streamed.parts["recordings"] == 0 < held.parts["recordings"]
    assert {**streamed.parts, "recordings": 0, "process": 0} == {
        **held.parts,
        "recordings": 0,
        "process": 0,
    }


def test_it_prints_as_a_table():
    said = estimate_memory(jtfne.construct(mixed()))
    rows = str(said).splitlines()
    assert [row.split("  ")[0].strip() for row in rows] == [*said.parts, "total"]
    assert rows[-1].endswith(f"{said.total_bytes / 2**20:,.1f} MiB")


def test_memory_of_machine_and_process_is_known():
    assert 2**28 < _memory.available_bytes() < 2**50
    resident = _memory.resident_bytes()
    block = np.ones(2**23)  # 64 MiB
    assert _memory.resident_bytes() - resident + 2**20 >= 2**26
    assert block.size and 2**26 < _memory.resident_bytes() < 2**40


def test_a_process_may_have_less_than_the_machine(monkeypatch):
    """As `ulimit -v` says."""
    net = jtfne.construct(mixed())
    held = psutil.Process().memory_info().vms
    monkeypatch.setattr(_cores, "find_memory_limit", lambda: held + 2**26)
    assert 0 < _memory.available_bytes() <= 2**27
    monkeypatch.setattr(_cores, "find_memory_limit", lambda: 2**20)
    with pytest.raises(jtfne.JtfneError, match="does not fit"):
        net.simulate(duration_ms=10.0)
