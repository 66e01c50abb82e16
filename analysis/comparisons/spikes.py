"""Spikes: rates, CV, Fano factor and synchrony of both sides, by classes that both have."""

import dataclasses
import zlib
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from jtfne import measures
from jtfne._check import NOT_NEGATIVE, POSITIVE, names_fields, number, one_of, refuse, whole_number
from jtfne._units import Floats
from jtfne.analysis._inputs import Ints, kernel, zero_constants
from jtfne.analysis._spikes import LABELS, UNLABELLED, Spikes, read_spikes
from jtfne.analysis.comparisons._base import ALL, Comparison, Row, Source, make_table
from jtfne.analysis.rate import cv, fano_factor, rates

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHERE = "analysis.SpikeComparison"
CLASS = "cell_type"  # the label by which units are told apart unless the caller names another
BIN_ms = 5.0
WINDOW_ms = 100.0
N_DRAWS = 20
UNITS = {"rate": "Hz", "cv_isi": "1", "fano_factor": "1"}  # of each unit


@dataclasses.dataclass(frozen=True, eq=False)
class UnitGroup:
    """What each unit of a class does on both sides, and how much they do together.

    values: by feature, (n_units,) of each side, without the units that have none. synchrony,
    count_correlation: of each side; None for fewer than 2 units, or units that never vary.
    """

    name: str
    n_units: tuple[int, int]
    values: dict[str, tuple[Floats, Floats]]
    synchrony: tuple[float | None, float | None]
    count_correlation: tuple[float | None, float | None]


@dataclasses.dataclass(frozen=True, eq=False)
class SpikePair:
    """All units first, then the classes that both sides have."""

    groups: tuple[UnitGroup, ...]
    window_ms: float


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpikeComparison(Comparison[SpikePair]):
    """Rates, irregularity, variability of counts, synchrony; how far their distributions are apart.

    Synchrony grows as units get fewer. So it is that of equal numbers of units: of the side with
    more, the mean over random draws.

    Parameters
    ----------
    by : str, optional
        The label by which units are divided: ``"cell_type"``, ``"population"``, ``"layer"`` or
        ``"area"``. Left out, by cell type where both sides have one in common.
    bin_ms : float
        Of the counts whose synchrony and correlation is taken.
    window_ms : float
        Of the counts of the Fano factor; half a trial where trials are shorter.
    n_draws, seed : int
        Of the units whose synchrony is taken.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne import analysis, interop
    >>> rng = np.random.default_rng(0)
    >>> table = {"neuron": rng.integers(0, 5, 200), "time_ms": rng.uniform(0.0, 1000.0, 200)}
    >>> spikes = interop.from_spikes(table, duration_ms=1000.0)
    >>> rows = analysis.compare(spikes, spikes, analysis.SpikeComparison()).set_index("feature")
    >>> rows.loc["rate", "simulated"], rows.loc["rate_ks_distance", "pair"]
    (40.0, 0.0)
    """

    name: ClassVar[str] = "spikes"
    readout: ClassVar[str] = "spk"
    caption: ClassVar[str] = (
        "Share of units at or below each rate, CV of intervals and Fano factor, and synchrony of "
        "equal numbers of units, simulated and recorded."
    )
    by: str | None = None
    bin_ms: float = BIN_ms
    window_ms: float = WINDOW_ms
    n_draws: int = N_DRAWS
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises: JtfneError for labels and numbers that are none."""
        if self.by is not None:
            one_of(self.by, LABELS, name="by", where=WHERE)
        for name in ("bin_ms", "window_ms"):
            number(getattr(self, name), POSITIVE, name=name, where=WHERE)
        whole_number(self.n_draws, POSITIVE, name="n_draws", where=WHERE)
        whole_number(self.seed, NOT_NEGATIVE, name="seed", where=WHERE)

    def align(self, simulated: Source, recorded: Source) -> SpikePair:
        """Return what the units of both sides do, by class. Raises: JtfneError."""
        sources = (simulated, recorded)
        sides = [read_spikes(source.data, WHERE) for source in sources]
        durations_ms = [side.duration_ms / (2.0 if side.n_trials == 1 else 1.0) for side in sides]
        window_ms = min(self.window_ms, *durations_ms)
        features: list[dict[str, Floats]] = []
        for source in sources:
            features.append(
                {
                    "rate": rates(source.data, by=None).mean("trial").values,
                    "cv_isi": cv(source.data).values,
                    "fano_factor": fano_factor(source.data, window_ms=window_ms).values,
                }
            )
        groups = []
        for name, rows in self._list_classes(sides):
            values = {}
            for feature in UNITS:
                simulated_values, recorded_values = (
                    side_features[feature][side_rows]
                    for side_features, side_rows in zip(features, rows, strict=True)
                )
                values[feature] = _drop_nan(simulated_values), _drop_nan(recorded_values)
            n_units = (int(rows[0].size), int(rows[1].size))
            together = []
            for side, side_rows in zip(sides, rows, strict=True):
                together.append(self._compute_synchrony(side, side_rows, min(n_units), name))
            groups.append(
                UnitGroup(
                    name,
                    n_units,
                    values,
                    (together[0][0], together[1][0]),
                    (together[0][1], together[1][1]),
                )
            )
        return SpikePair(tuple(groups), window_ms)

    def _list_classes(self, sides: list[Spikes]) -> list[tuple[str, tuple[Ints, Ints]]]:
        """All units, then each class that both sides have: its name and the rows of both sides.

        Raises: JtfneError for a label that was asked for and is not on both sides.
        """
        everything = (np.arange(sides[0].neuron.size), np.arange(sides[1].neuron.size))
        classes = [(ALL, everything)]
        key = CLASS if self.by is None else self.by
        for name, side in zip(("simulated", "recorded"), sides, strict=True):
            if key not in side.labels:
                if self.by is None:
                    return classes
                raise refuse(f"by={key!r} for {name} units without it", "a label of both", WHERE)
        labels = [side.labels[key].astype(str) for side in sides]
        for name in dict.fromkeys(labels[0].tolist()):
            rows = (np.flatnonzero(labels[0] == name), np.flatnonzero(labels[1] == name))
            if name != UNLABELLED and rows[1].size:
                classes.append((name, rows))
        if len(classes) == 1 and self.by is not None:
            names = [", ".join(sorted(set(side_labels))) for side_labels in labels]
            raise refuse(f"{key} {names[0]} and {names[1]}", "a class of both sides", WHERE)
        return classes

    def _compute_synchrony(
        self, spikes: Spikes, rows: Ints, n_units: int, name: str
    ) -> tuple[float | None, float | None]:
        """Synchrony chi of `n_units` of the rows, and the mean correlation of pairs of all.

        None for fewer than 2 units, and where no count varies.
        """
        if n_units < 2 or spikes.n_bins(self.bin_ms, WHERE) < 2:
            return None, None
        counts = spikes.counts(self.bin_ms, WHERE)[..., rows]
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        draws = [np.arange(rows.size)]
        if rows.size > n_units:
            draws = [rng.permutation(rows.size)[:n_units] for _ in range(self.n_draws)]
        synchronies = []
        for units in draws:
            chosen_counts = zero_constants(counts[..., units], axis=-2)
            chi = _drop_nan(kernel(measures.synchrony.synchrony, chosen_counts))
            if chi.size:
                synchronies.append(float(chi.mean()))
        synchrony = float(np.mean(synchronies)) if synchronies else None
        return synchrony, _correlate_pairs(counts)

    def tabulate(self, pair: SpikePair) -> pd.DataFrame:
        """Return means over units of both sides and the distance of their distributions."""
        rows: list[Row] = []
        for group in pair.groups:
            rows.append((group.name, "n_units", "", *group.n_units, None))
            for feature, (simulated, recorded) in group.values.items():
                unit = UNITS[feature]
                rows.append((group.name, feature, unit, _mean(simulated), _mean(recorded), None))
                distance = measure_ks_distance(simulated, recorded)
                rows.append((group.name, f"{feature}_ks_distance", "1", None, None, distance))
            rows.append((group.name, "synchrony", "1", *group.synchrony, None))
            rows.append((group.name, "count_correlation", "1", *group.count_correlation, None))
        rows.append((ALL, "fano_window_ms", "ms", None, None, pair.window_ms))
        return make_table(rows)

    def draw(self, pair: SpikePair) -> "Figure":
        """Return the distributions over units, and the synchrony of both sides."""
        from jtfne.analysis.figures.compare_spikes import draw_spikes

        groups = [(group.name, group.values, group.synchrony) for group in pair.groups]
        return draw_spikes(groups)


def _drop_nan(values: Floats) -> Floats:
    """`values` without those that are not defined."""
    return np.asarray(values[np.isfinite(values)], np.float64)


def _mean(values: Floats) -> float | None:
    """The mean; None without values."""
    return float(values.mean()) if values.size else None


def _correlate_pairs(counts: Floats) -> float | None:
    """The mean Pearson correlation over pairs of units of counts (trial, bin, unit).

    It is taken from the variance of the sum of standardised counts, so that no matrix is made.
    None where fewer than 2 units vary.
    """
    spread = counts.reshape(-1, counts.shape[-1]) - counts.mean(axis=(0, 1))
    deviations = np.sqrt((spread**2).mean(axis=0))
    n_varying = int(np.count_nonzero(deviations > 0.0))
    if n_varying < 2:
        return None
    standardised = spread[:, deviations > 0.0] / deviations[deviations > 0.0]
    variance = float((standardised.sum(axis=1) ** 2).mean())
    return (variance - n_varying) / (n_varying * (n_varying - 1.0))


def measure_ks_distance(simulated: Floats, recorded: Floats) -> float | None:
    """The largest difference of two cumulative distributions (Kolmogorov-Smirnov); None if empty.

    >>> measure_ks_distance(np.array([1.0, 2.0]), np.array([1.5, 3.0]))
    0.5
    """
    if not simulated.size or not recorded.size:
        return None
    places = np.concatenate([simulated, recorded])
    shares = []
    for values in (simulated, recorded):
        shares.append(np.searchsorted(np.sort(values), places, side="right") / values.size)
    return float(np.abs(shares[0] - shares[1]).max())
