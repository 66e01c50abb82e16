"""Statistics of spikes by which the models of the literature are judged, after an initial
transient.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jtfne.measures import spectrum, synchrony
from jtfne.signals import Signals

Floats = npt.NDArray[np.float64]


class Activity(NamedTuple):
    """Spikes of one trial that fell after `start_ms`: time_ms, row (n_spikes,); population of each
    cell (n_cells,).
    """

    time_ms: Floats
    row: npt.NDArray[np.int64]
    population: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    start_ms: float
    stop_ms: float

    @classmethod
    def of(cls, signals: Signals, start_ms: float) -> "Activity":
        """What `signals` holds after `start_ms`; populations in the order of the rows."""
        spikes, neurons = signals.tree["spk"].to_dataset(), signals.neurons
        names = neurons["layer"].astype(str) + " " + neurons["cell_type"].astype(str)
        labels = tuple(dict.fromkeys(names))
        kept = spikes["time"].values > start_ms
        return cls(
            time_ms=spikes["time"].values[kept],
            row=spikes["neuron"].values[kept].astype(np.int64),
            population=names.map({label: k for k, label in enumerate(labels)}).to_numpy(np.int64),
            labels=labels,
            start_ms=start_ms,
            stop_ms=float(spikes.attrs["duration_ms"]),
        )

    def rates_Hz(self) -> Floats:
        """Mean rate of each population."""
        counts = np.bincount(self.population[self.row], minlength=len(self.labels))
        return counts / np.bincount(self.population) / (self.stop_ms - self.start_ms) * 1e3

    def cv(self, min_spikes: int = 11) -> Floats:
        """CV of interspike intervals, mean over each population's cells with `min_spikes` or more;
        NaN if none has.
        """
        order = np.lexsort((self.time_ms, self.row))
        row, same = self.row[order][1:], np.diff(self.row[order]) == 0
        row, interval_ms = row[same], np.diff(self.time_ms[order])[same]
        n, total, squares = (
            np.bincount(row, w, self.population.size) for w in (None, interval_ms, interval_ms**2)
        )
        enough = n >= min_spikes - 1
        mean_ms = total[enough] / n[enough]
        cv = np.sqrt(np.maximum(squares[enough] / n[enough] - mean_ms**2, 0.0)) / mean_ms
        groups = [cv[self.population[enough] == k] for k in range(len(self.labels))]
        return np.array([group.mean() if group.size else np.nan for group in groups])

    def counts(self, bin_ms: float) -> Floats:
        """Spikes of all cells in bins of `bin_ms`."""
        n_bins = int((self.stop_ms - self.start_ms) / bin_ms + 1e-9)
        # a bin holds its end
        bins = np.ceil((self.time_ms - self.start_ms) / bin_ms - 1e-6).astype(np.int64) - 1
        return np.bincount(bins, minlength=n_bins)[:n_bins].astype(np.float64)

    def synchrony(self) -> float:
        """Variance over mean of all cells' counts in bins of 3 ms."""
        return float(synchrony.variance_over_mean(self.counts(3.0)))

    def power(self, segment_ms: float) -> tuple[Floats, Floats]:
        """Frequency and power spectral density of the counts in bins of 0.5 ms, up to 1 kHz,
        Welch's segments.
        """
        f_Hz, power = spectrum.psd(self.counts(0.5), dt_ms=0.5, segment_ms=segment_ms)
        return np.asarray(f_Hz, np.float64), np.asarray(power, np.float64)

    def peak_Hz(self, segment_ms: float, above_Hz: float = 5.0) -> float:
        """Where the power has its highest peak, above `above_Hz`."""
        f_Hz, power = self.power(segment_ms)
        return float(f_Hz[np.argmax(np.where(f_Hz > above_Hz, power, 0.0))])
