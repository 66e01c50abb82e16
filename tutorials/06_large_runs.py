"""
Large circuits: disk, resume, many workers
==========================================

**Question: my run is longer than my memory, my batch system kills jobs, and I have a sweep for twenty
machines. What do I write differently?**

One argument each. You will see a run that grows on disk chunk by chunk and goes on after it was
stopped, to the same bits; readouts that stay on disk until you ask for a piece; and a sweep on Dask
workers that gives the dataset of one process.
"""

# %%
# A circuit of 4,000 cells and 320,000 synapses that keeps itself going. Wiring is drawn once and kept;
# its size is known before any run.
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import jtfne
from jtfne import presets

folder = Path(tempfile.mkdtemp())
config = presets.vogels_abbott().runtime(duration_ms=500.0).probes(["spk", "vm"])
config.to_file(folder / "circuit.json")
net = jtfne.construct(config)
size_MB = net.n_neurons * config.run.n_steps * 4 / 1e6
print(f"{net.n_neurons:,} cells, {net.n_edges:,} synapses, {size_MB:.0f} MB of potentials")

# %%
# With ``out=`` the run goes to disk as it goes. Memory holds a few chunks, whatever the duration; the
# arrays that come back read from the folder when they are asked. Here another process begins the run,
# and we kill it, as a batch system would, when it has written something.
job = """
import jtfne
jtfne.construct(jtfne.Config.from_file("circuit.json")).simulate(out="run", progress=False)
"""
process = subprocess.Popen([sys.executable, "-c", job], cwd=folder)
while process.poll() is None and not list(folder.glob("run/*/*.npz")):
    time.sleep(0.05)
process.kill()
process.wait()
print("finished" if (folder / "run/manifest.json").exists() else "killed on its way")

# %%
# The same call goes on from the last chunk. On the command line it is ``jtfne run ... --resume``.
signals = net.simulate(out=folder / "run", progress=False)
whole = net.simulate(progress=False)
same = np.array_equal(signals.get("vm"), whole.get("vm"))
print(f"{len(signals.spikes):,} spikes; equal to a run that nobody stopped: {same}")

# %%
# A folder is read lazily: only this window is loaded. Every file in it is checked against its hash.
stored = jtfne.load(folder / "run")
window = stored.get("vm", time=(100.0, 120.0))
print(window.sizes)

# %%
# ``jtfne show`` says what a folder holds, and whether a byte of it has changed.
print(stored.summary())

# %%
# A sweep: every combination and seed, each summarised by its rates, in one labelled dataset. ``out=``
# keeps it chunk by chunk, so that it resumes as well.
small = jtfne.construct(jtfne.suite2_net1_config(100).runtime(duration_ms=100.0))
grid = {"cells.E.drive": [2.0, 4.0, 8.0], "gains.E->PV": [0.5, 2.0]}
here = jtfne.sweep(small, grid, seeds=[0, 1], progress=False)
print(here["rate_Hz"].mean("seed").sel(cell_type="E").to_pandas().round(1))

# %%
# The same on Dask: any ``dask.distributed.Client``, here two workers in this process so that the page
# can be built anywhere. Workers are sent the config and build the circuit themselves.
from dask.distributed import Client, LocalCluster

with (
    LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster,
    Client(cluster) as client,
):
    there = jtfne.sweep(small, grid, seeds=[0, 1], client=client, progress=False)
print("the dataset of one process:", there["rate_Hz"].equals(here["rate_Hz"]))
