"""A script of plain MNE, as it would be written for a recording: where in the head was the response?

`python mne_script.py FOLDER` reads `eeg_raw.fif`, `meg_raw.fif` and the head of `manifest.json`, and
prints, for each, where the dipole is and where the map peaks, mm.
"""

import json
import sys
from pathlib import Path

import mne
import numpy as np

mne.set_log_level("error")
folder = Path(sys.argv[1])
head = json.loads((folder / "manifest.json").read_text())["operators"]
places_mm = {}
for kind in ("eeg", "meg"):
    raw = mne.io.read_raw_fif(folder / f"{kind}_raw.fif", preload=True)
    raw.filter(None, 150.0)
    if kind == "eeg":
        raw.set_eeg_reference(projection=True)

    # the head that the recording was made in
    centre_m, radii_m = (1e-3 * np.array(head["eeg"][name]) for name in ("centre_mm", "radii_mm"))
    sphere = mne.make_sphere_model(
        centre_m,
        radii_m[-1],
        relative_radii=tuple(radii_m / radii_m[-1]),
        sigmas=tuple(head["eeg"]["sigmas_S_m"]),
    )

    events, event_id = mne.events_from_annotations(raw, regexp="volley")
    epochs = mne.Epochs(raw, events, event_id, -0.15, 0.03, baseline=(-0.05, 0.0), preload=True)
    evoked = epochs.average().apply_proj()

    spectrum = raw.compute_psd(fmax=100.0, n_fft=256)
    peak_Hz = spectrum.freqs[spectrum.get_data().mean(axis=0)[1:].argmax() + 1]
    power = epochs.compute_tfr("morlet", np.array([30.0, 40.0, 60.0]), n_cycles=3, average=True)
    gamma = power.copy().crop(0.0, 0.02).data.mean() / power.copy().crop(-0.1, -0.05).data.mean()

    # the second area hears of the volley after 6 ms, and answers some ms later
    noise = mne.make_ad_hoc_cov(evoked.info)
    size = (mne.whiten_evoked(evoked.copy().crop(0.005, 0.012), noise).data ** 2).sum(axis=0)
    peak_s = evoked.copy().crop(0.005, 0.012).times[size.argmax()]
    snapshot = evoked.copy().crop(peak_s, peak_s)
    dipole, _ = mne.fit_dipole(snapshot, noise, sphere)

    grid = mne.setup_volume_source_space(
        pos=10.0, sphere=(*centre_m, radii_m[0]), sphere_units="m", exclude=30.0, mindist=1.0
    )
    is_eeg = kind == "eeg"
    forward = mne.make_forward_solution(
        raw.info, trans=None, src=grid, bem=sphere, eeg=is_eeg, meg=not is_eeg, mindist=0.0
    )
    inverse = mne.minimum_norm.make_inverse_operator(
        evoked.info, forward, noise, loose=1.0, depth=None
    )
    source = mne.minimum_norm.apply_inverse(snapshot, inverse, 1.0 / 9.0, "sLORETA")
    peak = source.vertices[0][source.data[:, 0].argmax()]
    places_mm[kind] = {
        "n_epochs": len(epochs),
        "peak_Hz": float(peak_Hz),
        "gamma_ratio": float(gamma),
        "peak_ms": float(1e3 * peak_s),
        "dipole_mm": (1e3 * dipole.pos[0]).tolist(),
        "goodness": float(dipole.gof[0]),
        "map_mm": (1e3 * forward["src"][0]["rr"][peak]).tolist(),
    }
print(json.dumps(places_mm))
