"""Rows of docs/validation/agreement.rst about analyses: SciPy, MNE and elephant on the same
data.
"""

import contextlib
import functools
import io
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import mne
import numpy as np
import numpy.typing as npt
import scipy.integrate
import scipy.signal
import scipy.special
import scipy.stats
import xarray as xr

from docs.validation._agreement import LocalRow
from jtfne import analysis
from jtfne.analysis import DeltaICSD, KernelCSD, SecondDifference, StepICSD
from jtfne.measures import coupling, meanfield

Floats = npt.NDArray[np.float64]
Sides = tuple[npt.ArrayLike, npt.ArrayLike]

DT_ms, N_STEPS, N_CHANNELS = 1.0, 8000, 3
SEGMENT_ms = 1000.0
N_CELLS, TRAIN_ms = 12, 20_000.0
ELECTRODE_SPACING_m = 1e-4
ROUNDING = "the same sums; rounding"


# Data


@functools.cache
def traces() -> xr.DataArray:
    """(channel, time): coloured noise that the channels share in part, with a rhythm of 10 Hz."""
    random = np.random.default_rng(21)
    shared, own = random.normal(size=N_STEPS), random.normal(size=(N_CHANNELS, N_STEPS))
    time_ms = DT_ms * np.arange(1, N_STEPS + 1)
    rhythm = np.sin(2e-3 * np.pi * 10.0 * time_ms)
    values = np.cumsum(0.2 * own, axis=1) * 0.05 + own + shared + rhythm
    return xr.DataArray(
        values,
        {"time": time_ms, "channel": [f"c{k}" for k in range(N_CHANNELS)]},
        ("channel", "time"),
        attrs={"units": "uV"},
    )


@functools.cache
def trains_ms() -> tuple[Floats, ...]:
    """Spike times of cells with gamma-distributed intervals, from bursting to regular."""
    random = np.random.default_rng(22)
    trains = []
    for shape in np.linspace(0.5, 8.0, N_CELLS):
        intervals = random.gamma(shape, 50.0 / shape, 1000)
        steps = np.unique(np.rint(10.0 * np.cumsum(intervals)).astype(np.int64))
        # Half a step off the edges of bins: on which side an edge counts is a convention.
        trains.append(np.round(0.1 * steps[(steps > 0) & (steps < 10 * TRAIN_ms - 1)] + 0.05, 9))
    return tuple(trains)


@functools.cache
def spike_signals() -> Any:
    """The trains as `Signals`."""
    from jtfne.signals import Signals

    times = np.concatenate(trains_ms())
    cells = np.repeat(np.arange(N_CELLS), [train.size for train in trains_ms()])
    order = np.lexsort((cells, times))
    attributes = {
        "readout": "spk",
        "units": "ms",
        "proxy": 0,
        "n_neurons": N_CELLS,
        "n_trials": 1,
        "dt_ms": 0.05,
        "duration_ms": TRAIN_ms,
        "interval_ms": 0.05,
    }
    spikes = xr.Dataset(
        {
            "time": ("event", times[order]),
            "neuron": ("event", cells[order].astype(np.int64)),
            "trial": ("event", np.zeros(times.size, np.int64)),
        },
        attrs=attributes,
    )
    labels = {"area": "V1", "layer": "L4", "cell_type": "E"}
    columns: dict[str, Any] = {
        name: ("neuron", [label] * N_CELLS) for name, label in labels.items()
    }
    columns["z_mm"] = ("neuron", np.full(N_CELLS, 0.7))
    neurons = xr.Dataset(columns, {"neuron": np.arange(N_CELLS)})
    tree = xr.DataTree.from_dict({"spk": spikes, "neurons": neurons})
    tree.attrs = {"n_trials": 1, "dt_ms": 0.05, "duration_ms": TRAIN_ms}
    return Signals(tree, {})


@functools.cache
def elephant() -> SimpleNamespace:
    """elephant's modules, whose import warns of its own and its dependencies' deprecations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import elephant.conversion as conversion
        import elephant.spike_train_correlation as correlation
        import elephant.statistics as statistics
        import neo
        import quantities
        from elephant.current_source_density_src import KCSD, icsd
    return SimpleNamespace(
        icsd=icsd,
        KCSD=KCSD,
        units=quantities,
        neo=neo,
        statistics=statistics,
        conversion=conversion,
        correlation=correlation,
    )


@functools.cache
def neo_trains() -> tuple[Any, ...]:
    """The trains as neo's."""
    package = elephant()
    return tuple(
        package.neo.SpikeTrain(train * package.units.ms, t_stop=TRAIN_ms * package.units.ms)
        for train in trains_ms()
    )


# SciPy


def compare_welch() -> Sides:
    """Power spectral densities."""
    samples_Hz = 1e3 / DT_ms
    _, theirs = scipy.signal.welch(traces().values, samples_Hz, nperseg=round(SEGMENT_ms / DT_ms))
    return analysis.psd(traces(), SEGMENT_ms).values, theirs


def compare_coherence() -> Sides:
    """Magnitude-squared coherence of two channels."""
    one, two = traces().isel(channel=0, drop=True), traces().isel(channel=1, drop=True)
    _, theirs = scipy.signal.coherence(one, two, 1e3 / DT_ms, nperseg=round(SEGMENT_ms / DT_ms))
    ours = analysis.coherence(one, two, segment_ms=SEGMENT_ms).values
    # SciPy leaves the ratio of two roundings at 0 Hz, where the mean has been taken off.
    return ours[1:], theirs[1:]


def compare_analytic_signal() -> Sides:
    """The amplitude of a band: SciPy's Hilbert transform of a trace that holds nothing else."""
    samples = np.arange(N_STEPS)
    wave = sum(np.cos(2e-3 * np.pi * f_Hz * samples + f_Hz) for f_Hz in (30.0, 37.5, 50.0))
    from jtfne.analysis._inputs import kernel

    ours = kernel(coupling.analytic, wave, DT_ms, (25.0, 60.0))
    return np.abs(ours), np.abs(scipy.signal.hilbert(wave))


def compare_correlations() -> Sides:
    """Pearson correlations of all pairs of channels."""
    theirs = [
        [scipy.stats.pearsonr(one, two).statistic for two in traces().values]
        for one in traces().values
    ]
    return analysis.correlation(traces()).values, theirs


def compare_siegert() -> Sides:
    """Rates of a noisy cell; SciPy integrates Siegert's formula by adaptive quadrature."""
    mu_mV = np.array([-5.0, 5.0, 10.0, 15.0, 20.0, 30.0])
    sigma_mV, tau_ms, threshold_mV, reset_mV, refractory_ms = 4.0, 10.0, 15.0, 0.0, 2.0
    theirs = []
    for mean_mV in mu_mV:
        low, high = (reset_mV - mean_mV) / sigma_mV, (threshold_mV - mean_mV) / sigma_mV
        integral, _ = scipy.integrate.quad(
            lambda u: scipy.special.erfcx(-u), low, high, epsabs=0.0, epsrel=1e-13, limit=500
        )
        theirs.append(1e3 / (refractory_ms + tau_ms * np.sqrt(np.pi) * integral))
    return meanfield.siegert(mu_mV, sigma_mV, tau_ms, threshold_mV, reset_mV, refractory_ms), theirs


# MNE


def compare_mne_welch() -> Sides:
    """Power spectral densities, by half-overlapping Hann windows on both sides."""
    n_segment = round(SEGMENT_ms / DT_ms)
    theirs, _ = mne.time_frequency.psd_array_welch(
        traces().values,
        1e3 / DT_ms,
        n_fft=n_segment,
        n_overlap=n_segment // 2,
        n_per_seg=n_segment,
        window="hann",
        verbose="error",
    )
    return analysis.psd(traces(), SEGMENT_ms).values, theirs


def compare_mne_multitaper() -> Sides:
    """Multitaper spectra of 2 s. MNE weights tapers by how well each is concentrated."""
    short = traces().isel(time=slice(0, 2000))
    theirs, _ = mne.time_frequency.psd_array_multitaper(
        short.values,
        1e3 / DT_ms,
        bandwidth=4.0,
        adaptive=False,
        low_bias=False,
        normalization="full",
        verbose="error",
    )
    return analysis.multitaper(short, 2.0).values, theirs


def compare_mne_evoked() -> Sides:
    """The average of 20 epochs, less that of a baseline, by `Epochs.average`."""
    onsets_ms = 300.0 * np.arange(1, 21)
    info = mne.create_info(N_CHANNELS, 1e3 / DT_ms, "eeg", verbose="error")
    raw = mne.io.RawArray(traces().values, info, verbose="error")
    # jtfne stamps a sample at the end of what it stands for: that of 300 ms has index 299.
    events = np.stack([onsets_ms.astype(int) - 1, np.zeros(20, int), np.ones(20, int)], axis=1)
    epochs = mne.Epochs(
        raw, events, tmin=-0.05, tmax=0.199, baseline=(-0.05, -0.001), preload=True, verbose="error"
    )
    ours = analysis.evoked(
        traces(), onset_ms=onsets_ms.tolist(), window_ms=(-50.0, 200.0), baseline_ms=(-50.0, 0.0)
    )
    return ours.values, epochs.average(picks="eeg").get_data()


def compare_mne_seven_tapers() -> Sides:
    """The same from MNE's spectrum of each taper: the first seven, equally weighted."""
    short = traces().isel(time=slice(0, 2000))
    samples_Hz = 1e3 / DT_ms
    spectra, _, _ = mne.time_frequency.psd_array_multitaper(
        short.values,
        samples_Hz,
        bandwidth=4.0,
        adaptive=False,
        low_bias=False,
        output="complex",
        verbose="error",
    )
    theirs = 2.0 * np.mean(np.abs(spectra[:, :7]) ** 2, axis=1) / samples_Hz
    return analysis.multitaper(short, 2.0).values, theirs


# elephant


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """elephant's own calls of what its dependencies have deprecated are not jtfne's to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@without_warnings()
def compare_intervals() -> Sides:
    """Interspike intervals of all cells, ms."""
    theirs = [elephant().statistics.isi(train).rescale("ms").magnitude for train in neo_trains()]
    return analysis.isi(spike_signals()).values, np.concatenate(theirs)


@without_warnings()
def compare_variation() -> Sides:
    """Coefficients of variation of the intervals."""
    package = elephant()
    theirs = [
        package.statistics.cv(package.statistics.isi(train).magnitude) for train in neo_trains()
    ]
    return analysis.cv(spike_signals()).values, theirs


@without_warnings()
def compare_firing_rates() -> Sides:
    """Mean rates, Hz."""
    theirs = [
        elephant().statistics.mean_firing_rate(train).rescale("Hz").item() for train in neo_trains()
    ]
    return analysis.rates(spike_signals(), by=None).values[0], theirs


@functools.cache
@without_warnings()
def compare_fano_factors() -> Sides:
    """Fano factors of counts in 100 ms; to elephant each window is a train of its own."""
    package = elephant()
    width_ms, theirs = 100.0, []
    for train in neo_trains():
        windows = [
            train.time_slice(start * package.units.ms, (start + width_ms) * package.units.ms)
            for start in np.arange(0.0, TRAIN_ms, width_ms)
        ]
        theirs.append(package.statistics.fanofactor(windows))
    return analysis.fano_factor(spike_signals(), window_ms=width_ms).values, theirs


@without_warnings()
def compare_spike_correlations() -> Sides:
    """Correlations of spike counts in 5 ms."""
    package = elephant()
    binned = package.conversion.BinnedSpikeTrain(
        list(neo_trains()), bin_size=5.0 * package.units.ms
    )
    theirs = package.correlation.correlation_coefficient(binned)
    return analysis.correlation(spike_signals(), bin_ms=5.0).values[0], theirs


def barrel() -> xr.DataArray:
    """(time, channel) V: the recording of rat barrel cortex, 23 contacts 0.1 mm apart."""
    return analysis.load_recording("barrel")


@without_warnings()
def compare_current_sources(method: str, ours: Any, per_m: float, **settings: Any) -> Sides:
    """A CSD estimate of the recording, A/m^3; elephant's is divided by `per_m` (some are A/m^2)."""
    package, lfp = elephant(), barrel()
    estimator = getattr(package.icsd, method)(
        lfp=lfp.values.T * package.units.V,
        coord_electrode=1e-3 * lfp["z_mm"].values * package.units.m,
        **settings,
    )
    return analysis.csd(lfp, ours).values, np.asarray(estimator.get_csd()).T / per_m


@without_warnings()
def compare_kernel_sources() -> Sides:
    """The kernel method's estimate, A/m^3."""
    lfp, ridge, n_contacts = barrel(), 1e-6, 23
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        theirs = elephant().KCSD.KCSD1D(
            lfp["z_mm"].values[:, None],
            lfp.values.T,
            sigma=0.3,
            h=0.25,
            R_init=0.3,
            n_src_init=300,
            gdx=2.2 / (n_contacts + 0.5),
        )
        theirs.create_lookup(2000)  # its table of 20 distances costs another 1 %
        theirs.update_b_pot()
        theirs.update_b_src()
        theirs.update_lambda(ridge * np.trace(theirs.k_pot) / n_contacts)
        expected = theirs.values("CSD").T * 1e6  # elephant's lengths are mm
    return analysis.csd(lfp, KernelCSD(widths_mm=(0.3,), ridges=(ridge,))).values, expected


def analysis_row(peer: str, name: str, quantity: str, compute: Any, **more: Any) -> LocalRow:
    """A row about an analysis, which by default is the same sum on both sides."""
    words = {"tolerance": 1e-9, "reason": ROUNDING} | more
    return LocalRow(
        name=f"{peer.lower()} {name}", peer=peer, quantity=quantity, compute=compute, **words
    )


ROWS: tuple[LocalRow, ...] = (
    analysis_row("SciPy", "welch", "``analysis.psd``; ``signal.welch``", compare_welch),
    analysis_row(
        "SciPy",
        "coherence",
        "``analysis.coherence`` above 0 Hz; ``signal.coherence``",
        compare_coherence,
    ),
    analysis_row(
        "SciPy",
        "hilbert",
        "amplitude of a band of three waves, ``measures.coupling.analytic``; ``signal.hilbert``",
        compare_analytic_signal,
    ),
    analysis_row(
        "SciPy",
        "pearson",
        "``analysis.correlation`` of traces; ``stats.pearsonr``",
        compare_correlations,
    ),
    analysis_row(
        "SciPy",
        "siegert",
        "``measures.meanfield.siegert``; ``integrate.quad`` of ``erfcx`` to 1e-13",
        compare_siegert,
        reason="Gauss-Legendre quadrature of 100 nodes; rounding",
    ),
    analysis_row(
        "MNE", "welch", "``analysis.psd``; ``psd_array_welch`` with Hann windows", compare_mne_welch
    ),
    analysis_row(
        "MNE",
        "multitaper",
        "``analysis.multitaper``, 2 s, tapers of +- 2 Hz; ``psd_array_multitaper``",
        compare_mne_multitaper,
        difference_explained="MNE takes 2NW = 8 tapers, weighted by how well each is concentrated; jtfne the 2NW - 1 = "
        "7 of Percival and Walden, all alike",
    ),
    analysis_row(
        "MNE",
        "seven tapers",
        "``analysis.multitaper``; MNE's first seven tapers, all alike",
        compare_mne_seven_tapers,
        difference_explained="MNE's tapers are those of a periodic window (as for a longer one, less its last "
        "sample), jtfne's are symmetric",
    ),
    analysis_row(
        "MNE",
        "evoked",
        "``analysis.evoked`` of 20 epochs with a baseline; ``Epochs.average``",
        compare_mne_evoked,
    ),
    analysis_row("elephant", "isi", "``analysis.isi``; ``isi``", compare_intervals),
    analysis_row("elephant", "cv", "``analysis.cv``; ``cv`` of ``isi``", compare_variation),
    analysis_row(
        "elephant", "rates", "``analysis.rates``; ``mean_firing_rate``", compare_firing_rates
    ),
    analysis_row(
        "elephant",
        "fano factor",
        "``analysis.fano_factor``, 200 windows of 100 ms; ``fanofactor``",
        compare_fano_factors,
        difference_explained="jtfne divides the variance of n windows by n - 1, elephant by n",
    ),
    analysis_row(
        "elephant",
        "fano factor, n",
        "the same, times 199 / 200",
        lambda: (np.asarray(compare_fano_factors()[0]) * 199.0 / 200.0, compare_fano_factors()[1]),
    ),
    analysis_row(
        "elephant",
        "correlation",
        "``analysis.correlation`` of spikes in 5 ms; ``correlation_coefficient``",
        compare_spike_correlations,
    ),
    analysis_row(
        "elephant",
        "second difference",
        "``SecondDifference``; ``StandardCSD`` without Vaknin's ends",
        lambda: compare_current_sources(
            "StandardCSD", SecondDifference(), ELECTRODE_SPACING_m, vaknin_el=False
        ),
    ),
    analysis_row(
        "elephant",
        "vaknin",
        "``SecondDifference(vaknin=True)``; ``StandardCSD``",
        lambda: compare_current_sources(
            "StandardCSD", SecondDifference(vaknin=True), ELECTRODE_SPACING_m
        ),
    ),
    analysis_row(
        "elephant",
        "delta icsd",
        "``DeltaICSD``; ``DeltaiCSD``",
        lambda: compare_current_sources("DeltaiCSD", DeltaICSD(), ELECTRODE_SPACING_m),
    ),
    analysis_row(
        "elephant",
        "step icsd",
        "``StepICSD``; ``StepiCSD`` to 1e-12",
        lambda: compare_current_sources("StepiCSD", StepICSD(), 1.0, tol=1e-12),
        reason="elephant integrates numerically, jtfne in closed form",
    ),
    analysis_row(
        "elephant",
        "kernel csd",
        "``KernelCSD``; ``KCSD1D``",
        compare_kernel_sources,
        tolerance=0.0054,
        reason="elephant's potentials end at three sd of a source, where 0.27 % of it lies",
    ),
)
