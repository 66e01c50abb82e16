"""Recordings by name that ship with other packages: ECoG, scalp EEG, spikes with their stimulus.

Each says in its attributes what is known of it, and what is not.
"""

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import one_of
from jtfne._time import sample_ends_ms
from jtfne.recordings._packaged import WHERE, read_packaged
from jtfne.recordings._spikes import build_spikes

if TYPE_CHECKING:
    import xarray as xr

UNKNOWN_UNIT = "unknown"  # equal to no other: what is compared with it is compared in shape

ECOG_FILE = "tests/exampledata.npy"
ECOG_SHA256 = "df5e235298afe2bb544870b191ec2ac783179efc1edb817eb4d1bd1681fd31d7"
ECOG_HEADER_BYTES, ECOG_SAMPLING_Hz = 80, 1000.0
ECOG_PROVENANCE = (
    "One channel of 88.9 s, the example data of pacpy's tests (Voytek lab, MIT licence). The "
    "package says neither whose it is nor where it was recorded, nor the unit. The tests filter it "
    "with the package's default rate of 1000 Hz. It has a beta rhythm of 15 to 19 Hz, a 1/f "
    "background, a notch at 60 Hz and the mains' residue at 120 Hz."
)

EEG_FILE = "examples/data/eeg_32chans_10secs.npy"
EEG_SHA256 = "b2e04c2c30cf73385a1fbc6fdea64b7cbbbfda48878664beffbfaf4ab22aa18f"
EEG_SAMPLING_Hz = 128.0
EEG_PROVENANCE = (
    "Scalp EEG of 10 s, 14 channels whatever its name says, an example of dyconnmap (BSD-3 "
    "licence). The package says neither the names and places of the channels, nor the subject, the "
    "reference or the unit; by their size the values may be uV. Its examples take 128 Hz. The "
    "largest rhythm is alpha, 11 Hz."
)

GRASSHOPPER_FILES = {  # stimulus, by its cut-off -> spike times and sound, with their SHA-256
    "200 Hz": (
        ("data/grasshopper_spike_times1.txt",
         "840014ad9a8f591d02ab108bcbd46715badb3459e0ef7eac95fdd661ff134e3d"),
        ("data/grasshopper_stimulus1.txt",
         "4b47a4cbca8c5f694f87dd510db608a868dffbaba96845199c8afa545a4c37fa"),
    ),
    "800 Hz": (
        ("data/grasshopper_spike_times2.txt",
         "389e5dccb709fbe0552589ff2e0b64e15d46665e4d2d4172071f2175c8641541"),
        ("data/grasshopper_stimulus2.txt",
         "69f257a8e7a5019897111b07f9cd317b136357d256e99682d40c09d5add18e6a"),
    ),
}  # fmt: skip
GRASSHOPPER_READOUTS = ("spk", "stimulus")
GRASSHOPPER_DURATION_ms, GRASSHOPPER_SAMPLING_Hz = 10_000.0, 20_000.0
GRASSHOPPER_PROVENANCE = (
    "Spikes of an auditory receptor of a grasshopper (Locusta migratoria) and the amplitude of the "
    "sound that was played, two stimuli of 10 s with modulations up to 200 and 800 Hz, an example "
    "of nitime (BSD-3 licence), which cites Rokem et al. (2006), J. Neurophysiol. 95:2541-2552, and "
    "the archive crcns.org. Times are in us. Headers of the files: carrier 2.5 kHz, standard "
    "deviation 6 dB, intensities 76.4286 and 71.2 dB. The amplitude has no unit; nitime's example "
    "takes it for Pa, and sets its largest value to the intensity in the header."
)


def load_ecog_beta(readout: str) -> "xr.DataArray":
    """The recording "ecog_beta" of pacpy, (time, channel) in an unknown unit. Raises: JtfneError."""
    content = read_packaged("ecog_beta", "pacpy", ECOG_FILE, ECOG_SHA256, "jtfne[recordings]")
    # numpy warns of headers as Python 2 wrote them; the hash says that this one is 80 bytes long
    values = np.frombuffer(content, "<f8", offset=ECOG_HEADER_BYTES)
    channels, sampling_Hz = ["ecog"], ECOG_SAMPLING_Hz
    recording = _label_channels(values[:, None], channels, sampling_Hz, readout)
    attrs = {"provenance": ECOG_PROVENANCE, "sha256": ECOG_SHA256}
    return recording.assign_attrs(long_name="ECoG or LFP with a beta rhythm", **attrs)


def load_eeg_alpha(readout: str) -> "xr.DataArray":
    """The recording "eeg_alpha" of dyconnmap, (time, channel) in an unknown unit.

    Raises: JtfneError.
    """
    content = read_packaged("eeg_alpha", "dyconnmap", EEG_FILE, EEG_SHA256, "dyconnmap")
    values = np.load(io.BytesIO(content), allow_pickle=False).T
    channels = [f"ch{k:02d}" for k in range(values.shape[1])]
    recording = _label_channels(values, channels, EEG_SAMPLING_Hz, readout)
    attrs = {"provenance": EEG_PROVENANCE, "sha256": EEG_SHA256}
    return recording.assign_attrs(long_name="scalp EEG with alpha", **attrs)


def load_grasshopper(readout: str) -> "xr.DataArray":
    """The recording "grasshopper" of nitime: its spikes, or the sound that was played.

    readout: "spk", the event array that `Signals.get` gives, trials by stimulus; or "stimulus",
    (trial, time, channel). Raises: JtfneError.
    """
    one_of(readout, GRASSHOPPER_READOUTS, name="readout", where=f"{WHERE} of 'grasshopper'")
    column = GRASSHOPPER_READOUTS.index(readout)
    contents, hashes = [], []
    for files in GRASSHOPPER_FILES.values():
        file, sha256 = files[column]
        content = read_packaged("grasshopper", "nitime", file, sha256, "jtfne[recordings]")
        contents.append(content)
        hashes.append(sha256)
    recording = _label_spikes(contents) if readout == "spk" else _label_sound(contents)
    return recording.assign_attrs(provenance=GRASSHOPPER_PROVENANCE, sha256=" ".join(hashes))


def _label_channels(
    values: NDArray[np.float64], channels: list[str], sampling_Hz: float, readout: str
) -> "xr.DataArray":
    """Values (time, channel) of an unknown unit, each sample dated by its end."""
    import xarray as xr

    time_ms = sample_ends_ms(np.arange(values.shape[0]) / sampling_Hz, sampling_Hz)
    coords: dict[str, Any] = {"time": ("time", time_ms, {"units": "ms"}), "channel": channels}
    attrs = {
        "units": UNKNOWN_UNIT,
        "readout": readout,
        "proxy": 0,
        "interval_ms": 1e3 / sampling_Hz,
    }
    return xr.DataArray(np.array(values), coords, ("time", "channel"), readout, attrs)


def _label_spikes(contents: list[bytes]) -> "xr.DataArray":
    """Spike times in ms of one cell, a trial for each stimulus."""
    trains_ms = []
    for content in contents:
        trains_ms.append(np.loadtxt(io.BytesIO(content), comments="#", ndmin=1) / 1e3)
    n_spikes = [train.size for train in trains_ms]
    trials = np.repeat(np.arange(len(trains_ms)), n_spikes)
    sizes = {
        "n_neurons": 1,
        "n_trials": len(trains_ms),
        "duration_ms": GRASSHOPPER_DURATION_ms,
    }
    time_ms = np.concatenate(trains_ms)
    spikes = build_spikes(time_ms, np.zeros(trials.size, np.int64), trials, {}, sizes)
    return spikes.assign_coords(stimulus=("event", np.repeat(list(GRASSHOPPER_FILES), n_spikes)))


def _label_sound(contents: list[bytes]) -> "xr.DataArray":
    """Amplitude of the sound, a trial for each stimulus, each sample dated by its end."""
    import xarray as xr

    columns = [np.loadtxt(io.BytesIO(content), ndmin=2)[:, 1] for content in contents]
    trials = []
    for values in columns:
        trials.append(
            _label_channels(values[:, None], ["sound"], GRASSHOPPER_SAMPLING_Hz, "stimulus")
        )
    stimuli = ("trial", list(GRASSHOPPER_FILES))
    sound = xr.concat(trials, "trial", combine_attrs="override").assign_coords(
        trial=np.arange(len(trials)), stimulus=stimuli
    )
    return sound.assign_attrs(long_name="amplitude of the sound")
