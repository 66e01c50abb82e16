"""A simulated column found again by MNE alone: from Raw to epochs, average, a dipole in the
declared sphere, a map.
"""

import dataclasses

import mne
import numpy as np
import numpy.typing as npt

import jtfne
from jtfne.config import open_field
from jtfne.interop import to_raw, to_sphere
from jtfne.presets import v1_v4
from jtfne.signals import Signals

Floats = npt.NDArray[np.float64]
# real cells that each simulated one stands for: 300,000 an area, a few square millimetres of cortex
SCALE = 1000.0
# V, T, T/m, that is left in the average of all trials
NOISE = {"eeg": 0.2e-6, "mag": 5e-15, "grad": 5e-13}
# V4 hears of the volley after 6.3 ms, and answers later than this
BASELINE_s, WINDOW_s = (-0.05, 0.0), (0.005, 0.013)
GRID_mm = 10.0


@dataclasses.dataclass(frozen=True)
class Found:
    """A dipole: place, mm; moment, A m (3,); goodness of fit, %; when, s from the volley.

    grid_mm (n, 3), map (n,): sLORETA at that time.
    """

    place_mm: Floats
    moment: Floats
    goodness: float
    at_s: float
    grid_mm: Floats
    map: Floats

    @property
    def peak_mm(self) -> Floats:
        """Where the map is largest."""
        place_mm: Floats = self.grid_mm[int(np.argmax(self.map))]
        return place_mm


@dataclasses.dataclass(frozen=True)
class Truth:
    """Where V1's dipole stands, mm, its direction, and the centre of the head, mm."""

    place_mm: Floats
    normal: Floats
    centre_mm: Floats


def simulated(n_per_area: int, n_trials: int, seed: int = 0) -> Signals:
    """Trials of a volley onto V1's layer 4, up to 40 ms after it."""
    config = (
        v1_v4(n_per_area).source(maps=open_field("E"), scale=SCALE).probes(["dipole", "eeg", "meg"])
    )
    return jtfne.construct(config).simulate(
        duration_ms=540.0, trials=n_trials, seed=seed, progress=False
    )


def recording(signals: Signals, readout: str, noise: float = 0.0, seed: int = 0) -> mne.io.BaseRaw:
    """All trials as one Raw, with white sensor noise of which `noise` times `NOISE` is left in
    their average.
    """
    n_trials = int(signals.tree.attrs["n_trials"])
    raw = to_raw(signals, readout)
    sd = np.array([NOISE[kind] for kind in raw.get_channel_types()]) * noise * np.sqrt(n_trials)
    drawn = np.random.default_rng(seed).normal(size=(raw.info["nchan"], raw.n_times)) * sd[:, None]
    return mne.io.RawArray(raw.get_data() + drawn, raw.info, verbose="error").set_annotations(
        raw.annotations
    )


def average(raw: mne.io.BaseRaw) -> mne.Evoked:
    """Epochs around each volley, their mean; EEG against its own mean."""
    events, ids = mne.events_from_annotations(raw, regexp="^volley$", verbose="error")
    epochs = mne.Epochs(
        raw, events, ids, -0.05, 0.03, baseline=BASELINE_s, preload=True, verbose="error"
    )
    if "eeg" in raw.get_channel_types(unique=True):
        epochs.set_eeg_reference(projection=True, verbose="error")
    return epochs.average().apply_proj(verbose="error")


def located(evoked: mne.Evoked, sphere: mne.bem.ConductorModel) -> Found:
    """The dipole at the sample of most power in the window, and sLORETA on a grid at that
    sample.
    """
    noise = mne.make_ad_hoc_cov(evoked.info, std=NOISE, verbose="error")
    with mne.use_log_level("error"):
        power = (mne.whiten_evoked(evoked, noise).data ** 2).sum(axis=0)
    inside = (evoked.times >= WINDOW_s[0]) & (evoked.times <= WINDOW_s[1])
    at_s = float(evoked.times[np.argmax(np.where(inside, power, 0.0))])
    now = evoked.copy().crop(at_s, at_s)
    dipole, _ = mne.fit_dipole(now, noise, sphere, verbose="error")
    moment = dipole.amplitude[0] * dipole.ori[0]
    return Found(1e3 * dipole.pos[0], moment, float(dipole.gof[0]), at_s, *_map(now, noise, sphere))


def _map(
    now: mne.Evoked, noise: mne.Covariance, sphere: mne.bem.ConductorModel
) -> tuple[Floats, Floats]:
    """The grid, (n, 3) mm, and sLORETA of one sample there, (n,)."""
    grid = mne.setup_volume_source_space(
        pos=GRID_mm,
        sphere=(*sphere["r0"], 0.079),
        sphere_units="m",
        exclude=30.0,
        mindist=1.0,
        verbose="error",
    )
    eeg = "eeg" in now.get_channel_types(unique=True)
    lead = mne.make_forward_solution(
        now.info,
        trans=None,
        src=grid,
        bem=sphere,
        eeg=eeg,
        meg=not eeg,
        mindist=0.0,
        verbose="error",
    )
    inverse = mne.minimum_norm.make_inverse_operator(
        now.info, lead, noise, loose=1.0, depth=None, verbose="error"
    )
    found = mne.minimum_norm.apply_inverse(now, inverse, 1.0 / 9.0, "sLORETA", verbose="error")
    return 1e3 * lead["src"][0]["rr"][found.vertices[0]], found.data[:, 0]


def truth_of(signals: Signals) -> Truth:
    """What was put in; only to be compared with."""
    from jtfne.interop.mne_physical import read_operator

    about = read_operator(signals.get("eeg"))
    at = about["areas"].index("V1")
    return Truth(
        np.array(about["dipoles_mm"][at]),
        np.array(about["normals"][at]),
        np.array(about["centre_mm"]),
    )


def angle_deg(found: Found, truth: Truth, *, tangential: bool) -> float:
    """Between axes; for MEG, to which what is radial gives nothing, of the tangential parts."""
    one, other = found.moment, truth.normal
    if tangential:
        out = truth.place_mm - truth.centre_mm
        out = out / np.linalg.norm(out)
        one, other = (each - each @ out * out for each in (one, other))
    cosine = abs(one @ other) / np.linalg.norm(one) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def errors(found: Found, truth: Truth, readout: str) -> tuple[float, float, float]:
    """Of the dipole in mm and degrees, and of the map's peak in mm."""
    error_mm, map_mm = (
        float(np.linalg.norm(at - truth.place_mm)) for at in (found.place_mm, found.peak_mm)
    )
    return error_mm, angle_deg(found, truth, tangential=readout == "meg"), map_mm


def looked_for(signals: Signals, readout: str, noise: float, seed: int = 0) -> Found:
    """What MNE finds in what was exported."""
    return located(average(recording(signals, readout, noise, seed)), to_sphere(signals, readout))
