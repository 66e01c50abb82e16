"""Signals made of given spikes and traces, for tests of what is computed from them."""

import numpy as np
import xarray as xr

from jtfne.signals import Signals


def signals(
    *, spikes=(), cell_types=("E",), lfp=None, z_mm=None, areas=("V1",), eeg=None, sites=(), dt_ms=0.1,
    duration_ms=1000.0, n_trials=1, units="a.u.", readout=None,
):  # fmt: skip
    """A run with `spikes`, rows of (trial, time in ms, neuron); lfp (trial, time, area, channel) or
    eeg (trial, time, channel) at any even step that fits the duration; `readout` is what the lfp is
    called.
    """
    nodes = {}
    if len(spikes) or (lfp is None and eeg is None):
        rows = np.array(sorted(spikes), float).reshape(-1, 3)
        about = {"units": "ms", "proxy": 0, "readout": "spk", "n_neurons": len(cell_types), "n_trials": n_trials,
                 "dt_ms": dt_ms, "duration_ms": duration_ms, "interval_ms": dt_ms}  # fmt: skip
        columns = {
            "time": rows[:, 1],
            "neuron": rows[:, 2].astype(np.int64),
            "trial": rows[:, 0].astype(np.int64),
        }
        nodes["spk"] = xr.Dataset(
            {name: ("event", each) for name, each in columns.items()}, attrs=about
        )
    if lfp is not None:
        name = readout or "lfp_proxy"
        depths = np.arange(lfp.shape[-1]) * 0.1 if z_mm is None else z_mm
        places = {"area": list(areas), "z_mm": ("channel", depths)}
        nodes[name] = _field(
            name, lfp, ("trial", "time", "area", "channel"), places, duration_ms, units
        )
    if eeg is not None:
        nodes["eeg_proxy"] = _field("eeg_proxy", eeg, ("trial", "time", "channel"), {"channel": list(sites)},
                                    duration_ms, units)  # fmt: skip
    n = len(cell_types)
    labels = {"area": ["V1"] * n, "layer": ["L4"] * n, "cell_type": list(cell_types)}
    columns = {key: ("neuron", np.array(each, dtype=str)) for key, each in labels.items()}
    columns |= {"z_mm": ("neuron", np.full(n, 0.7))}
    nodes["neurons"] = xr.Dataset(columns, {"neuron": np.arange(n)})
    tree = xr.DataTree.from_dict(nodes)
    tree.attrs = {"n_trials": n_trials, "dt_ms": dt_ms, "duration_ms": duration_ms}
    return Signals(tree, {})


def _field(name, values, dims, coords, duration_ms, units):
    """A readout with a time axis."""
    step_ms = duration_ms / values.shape[1]
    coords = {"channel": [f"ch{k:02d}" for k in range(values.shape[-1])], **coords}
    coords |= {
        "trial": np.arange(values.shape[0]),
        "time": np.round(np.arange(1, values.shape[1] + 1) * step_ms, 9),
    }
    about = {"readout": name, "units": units, "proxy": int(units == "a.u."), "interval_ms": step_ms}
    return xr.Dataset({name: (dims, values, about)}, coords, about)
