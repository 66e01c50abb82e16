"""A simulated V1 leaves as EEG; MNE, which does not know that it was simulated, finds it again in
the declared head.
"""

# expect: 0 +- 6 mm: MNE's own fits of one sample at 0.2 uV

import json

import mne
import numpy as np

import jtfne
from jtfne.config import open_field

mne.set_log_level("error")
N_TRIALS, NOISE_V = 60, 0.2e-6  # the noise that is left in the average

# Two areas; a volley onto V1's layer 4 at 500 ms. Each cell stands for 1000 that do as it does: 20
# nA m or so.
config = jtfne.presets.v1_v4(150).source(maps=open_field("E"), scale=1000.0).probes(["eeg"])
signals = jtfne.construct(config).simulate(duration_ms=540.0, trials=N_TRIALS, progress=False)

# From here on it is a recording: one Raw, with the noise of its amplifiers.
raw = jtfne.interop.to_raw(signals, "eeg")
noise = np.random.default_rng(0).normal(0.0, NOISE_V * np.sqrt(N_TRIALS), (64, raw.n_times))
raw = mne.io.RawArray(raw.get_data() + noise, raw.info).set_annotations(raw.annotations)

events, ids = mne.events_from_annotations(raw, regexp="^volley$")
epochs = mne.Epochs(raw, events, ids, -0.05, 0.03, baseline=(-0.05, 0.0), preload=True)
evoked = epochs.set_eeg_reference(projection=True).average().apply_proj()

# V4 hears of the volley after 6 ms and answers some ms later: until 13 ms only V1 does.
_, peak_s = evoked.get_peak(tmin=0.005, tmax=0.013)
sphere = jtfne.interop.to_sphere(signals)
covariance = mne.make_ad_hoc_cov(evoked.info, std={"eeg": NOISE_V})
dipole, _ = mne.fit_dipole(evoked.crop(peak_s, peak_s), covariance, sphere)

truth = json.loads(signals.get("eeg").attrs["operator"])
v1_mm = truth["dipoles_mm"][truth["areas"].index("V1")]
found_mm = 1e3 * dipole.pos[0]
print(
    f"{1e9 * dipole.amplitude[0]:.0f} nA m at {found_mm.round(1)} mm, {1e3 * peak_s:.0f} ms after "
    "the volley"
)
print(f"from where V1 is: {np.linalg.norm(found_mm - v1_mm):.1f}")
