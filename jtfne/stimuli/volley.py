"""Volleys of spikes: the evoked and rhythmic drives of the Human Neocortical Neurosolver."""

import dataclasses
import math
from typing import ClassVar, Self

import numpy as np

from jtfne._check import Limit, names_fields
from jtfne.stimuli._base import MANY, TIME, Afferents, Trains, Waveform, Weighted, window


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Evoked(Afferents):
    """A volley of `n_spikes` onto `mechanism` of each target, at times from N(mean_ms, sd_ms).

    Times are drawn anew in each trial.

    All targets get the same spikes if `synchronous`, else each its own. Stimuli that name the same
    `stream` and have the same mean see the same draws, as where one afferent opens AMPA and NMDA
    receptors; left out, each has its own, told by its label, target and mean. A spike acts from its
    time on, rounded to the nearest step; those drawn outside the trial do not come.

    Source: Jones et al. (2009), J. Neurophysiol. 102:3554-3572; Neymotin et al. (2020), eLife
    9:e51214.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.stimuli import Evoked
    >>> proximal = Evoked(mean_ms=20.0, sd_ms=2.0, n_spikes=50, weight_nS=0.3)
    >>> train, times_ms = proximal.trains(2, np.random.default_rng(0))
    >>> np.bincount(train).tolist(), proximal.events_ms(duration_ms=100.0)
    ([50, 50], [(20.0, 0.0)])
    """

    mean_ms: float
    sd_ms: float
    n_spikes: int = 1
    weight_pA: float | None = None
    weight_nS: float | None = None
    weight_mV: float | None = None
    mechanism: str = "AMPA"
    synchronous: bool = False
    stream: str | None = None

    LIMITS: ClassVar[dict[str, Limit]] = {
        "mean_ms": TIME,
        "sd_ms": TIME,
        "n_spikes": MANY,
        **Weighted.WEIGHTS,
    }

    @property
    def start_ms(self) -> float:
        """The mean time."""
        return self.mean_ms

    @property
    def shared(self) -> bool:
        """Whether all targets see one train."""
        return self.synchronous

    @property
    def n_of_train(self) -> int:
        """Spikes of one train."""
        return self.n_spikes

    def trains(self, n_trains: int, random: np.random.Generator) -> Trains:
        """Train and time of each spike."""
        t_ms = self.mean_ms + self.sd_ms * random.standard_normal((n_trains, self.n_spikes))
        return np.repeat(np.arange(n_trains), self.n_spikes), t_ms.ravel()

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """(n_steps,): the spikes expected to act from each step on."""
        # times are rounded to the grid
        edges = np.arange(first_step, first_step + n_steps + 1) - 0.5
        return self.n_spikes * _normal_shares(
            np.asarray(edges * dt_ms, np.float64), self.mean_ms, self.sd_ms
        )

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """One event without length, at the mean time."""
        return [(self.mean_ms, 0.0)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(self, mean_ms=self.mean_ms + t_ms)


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Rhythmic(Afferents):
    """Bursts of `n_spikes`, `isi_ms` apart, around times from N(start_ms + k / rate, sd_ms).

    All of them come before `stop_ms`.

    Each target gets the bursts of `n_afferents` of its own, or all get those of the same ones if
    `synchronous`. `stream` is as for `Evoked`. Spikes drawn outside the trial do not come.

    Source: Jones et al. (2009), J. Neurophysiol. 102:3554-3572; Neymotin et al. (2020), eLife
    9:e51214; that a burst is jittered whole and centred on its time: `_create_bursty_input` of
    hnn-core@411aa10, hnn_core/drives.py.

    Examples
    --------
    >>> from jtfne.stimuli import Rhythmic
    >>> alpha = Rhythmic(start_ms=0.0, stop_ms=300.0, rate_Hz=10.0, sd_ms=5.0, weight_nS=0.3)
    >>> alpha.n_bursts, alpha.events_ms(duration_ms=300.0)
    (3, [(0.0, 0.0), (100.0, 0.0), (200.0, 0.0)])
    """

    start_ms: float
    stop_ms: float
    rate_Hz: float
    sd_ms: float
    n_spikes: int = 2
    isi_ms: float = 10.0
    n_afferents: int = 1
    weight_pA: float | None = None
    weight_nS: float | None = None
    weight_mV: float | None = None
    mechanism: str = "AMPA"
    synchronous: bool = False
    stream: str | None = None

    LIMITS: ClassVar[dict[str, Limit]] = {
        "start_ms": TIME,
        "stop_ms": TIME,
        "rate_Hz": Limit(low=1e-9, high=1e6),
        "sd_ms": TIME,
        "n_spikes": MANY,
        "isi_ms": Limit(low=0.0, high=1e12, open_low=True),
        "n_afferents": MANY,
        **Weighted.WEIGHTS,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (
        ("start_ms", "stop_ms"),
        ("burst_ms", "period_ms"),
    )
    SIZES: ClassVar[tuple[tuple[str, int], ...]] = (
        ("n_bursts", 100_000),
        ("n_of_train", 1_000_000),
    )

    @property
    def shared(self) -> bool:
        """Whether all targets see one train."""
        return self.synchronous

    @property
    def period_ms(self) -> float:
        """From one burst to the next."""
        return 1e3 / self.rate_Hz

    @property
    def burst_ms(self) -> float:
        """From the first spike of a burst to its last."""
        return (self.n_spikes - 1) * self.isi_ms

    @property
    def n_bursts(self) -> int:
        """How many bursts one afferent has."""
        return math.ceil((self.stop_ms - self.start_ms) / self.period_ms - 1e-9)

    @property
    def n_of_train(self) -> int:
        """Spikes of one train."""
        return self.n_bursts * self.n_afferents * self.n_spikes

    def trains(self, n_trains: int, random: np.random.Generator) -> Trains:
        """Train and time of each spike."""
        middle_ms = np.array([at_ms for at_ms, _ in self.events_ms(math.inf)])[:, None]
        shape = (n_trains, self.n_afferents, middle_ms.size, 1)
        within_ms = (np.arange(self.n_spikes) - 0.5 * (self.n_spikes - 1)) * self.isi_ms
        t_ms = middle_ms + self.sd_ms * random.standard_normal(shape) + within_ms
        return np.repeat(np.arange(n_trains), t_ms[0].size), t_ms.ravel()

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The share of each step between the first burst and `stop_ms`: (n_steps,)."""
        return window(first_step, n_steps, dt_ms, self.start_ms, self.stop_ms)

    def events_ms(self, duration_ms: float) -> list[tuple[float, float]]:
        """The middle of each burst, on average; events without length."""
        return [(self.start_ms + k * self.period_ms, 0.0) for k in range(self.n_bursts)]

    def shifted(self, t_ms: float) -> Self:
        """The same, `t_ms` later."""
        return dataclasses.replace(self, start_ms=self.start_ms + t_ms, stop_ms=self.stop_ms + t_ms)


def _normal_shares(edges_ms: Waveform, mean_ms: float, sd_ms: float) -> Waveform:
    """The share of N(mean, sd) between each pair of edges."""
    if sd_ms == 0.0:
        return np.diff((edges_ms > mean_ms).astype(np.float64))
    z = (edges_ms - mean_ms) / (sd_ms * math.sqrt(2.0))
    return np.diff(np.array([0.5 * (1.0 + math.erf(score)) for score in z]))
