"""A script of plain MNE, as for a recording, on the file that a run leaves: when does the scalp
answer?
"""

# expect: 11 +- 6 ms: the flash takes 5, the synapses' currents some more

import tempfile
from pathlib import Path

import mne

import jtfne
from jtfne import interop

folder = Path(tempfile.mkdtemp())
flash = jtfne.Paradigm.pulse(
    target="E", start_ms=100.0, duration_ms=5.0, amplitude=9.0, label="flash"
)
config = jtfne.suite2_net1_config(100).probes(["eeg"])
signals = jtfne.construct(config).simulate(flash.trials(20), duration_ms=400.0)
interop.write_fif(signals, "eeg", folder / "eeg_raw.fif")  # `jtfne run` leaves this file too

# From here on nothing knows where the file is from.
mne.set_log_level("error")
raw = mne.io.read_raw_fif(folder / "eeg_raw.fif", preload=True).filter(None, 100.0)
raw.set_eeg_reference(projection=True)
events, event_id = mne.events_from_annotations(raw, regexp="flash")
epochs = mne.Epochs(raw, events, event_id, -0.05, 0.2, baseline=(-0.05, 0.0), preload=True)
evoked = epochs.average().apply_proj()
channel, latency_s, peak_V = evoked.get_peak(return_amplitude=True)
print(f"{len(epochs)} epochs of {len(raw.ch_names)} channels; {1e9 * peak_V:.2f} nV at {channel}")
print(f"the peak comes {1e3 * latency_s:.0f} ms after the flash")
