"""The tables and figure of docs/validation/v1_v4.rst: `python docs/validation/v1_v4.py` (2 min)."""

import numpy as np
from _page import print_table, save
from _v1_v4 import (
    BACK,
    CUTS,
    FORWARD,
    PATHS,
    POPULATIONS,
    BANDS_Hz,
    Counts,
    counts_of,
    shared,
    spectrum,
)
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jtfne
from jtfne.presets import v1_v4
from jtfne.signals import Signals

SEEDS, STOP_ms = range(5), 3500.0
Runs = dict[str, list[Counts]]  # cut -> counts of each seed


def simulated(seed: int, cut: dict[str, float]) -> Counts:
    """3 s of counts without a volley."""
    config = v1_v4(seed=seed, evoked=False, **cut).probes(["spk"])
    return counts_of(jtfne.construct(config).simulate(duration_ms=STOP_ms, progress=False))


def rows(runs: Runs) -> list[tuple[str, ...]]:
    """Coherence by path and cut: V1 and V4 of one run, mean and sd over seeds, and of runs of
    different seeds.
    """
    found = []
    for path in PATHS:
        for cut, counts in runs.items():
            same, other = shared(counts, path)
            means = (f"{each.mean():.3f} ± {each.std(ddof=1):.3f}" for each in (same, other))
            found.append((f"{path.v1} - {path.v4}", path.band, cut, *means, f"{other.max():.3f}"))
    return found


def peaks(runs: Runs) -> list[tuple[str, ...]]:
    """Of the intact circuit: the peak of each spectrum above 5 Hz, and its height."""
    found = []
    for area, layer in POPULATIONS:
        f_Hz = spectrum(runs["intact"][0][area, layer])[0]
        power = np.mean([spectrum(counts[area, layer])[1] for counts in runs["intact"]], axis=0)
        best = np.argmax(np.where(f_Hz > 5.0, power, 0.0))
        found.append((area, layer, f"{f_Hz[best]:.0f}", f"{power[best]:.0f}"))
    return found


def draw_spectra(axes: Axes, runs: Runs) -> None:
    """Where each rhythm is strong."""
    for (area, layer), style in zip(
        POPULATIONS, ("-b", "-c", "-r", "--b", "--c", "--r"), strict=True
    ):
        f_Hz = spectrum(runs["intact"][0][area, layer])[0]
        power = np.mean([spectrum(counts[area, layer])[1] for counts in runs["intact"]], axis=0)
        axes.semilogy(f_Hz[1:], power[1:], style, label=f"{area} {layer}")
    axes.set(
        title="power, intact",
        xlabel="frequency (Hz)",
        ylabel="relative to random spikes",
        xlim=(0, 100),
    )
    axes.set_ylim(0.05, 2e4)
    axes.legend(frameon=False, fontsize=8, ncols=2)


def draw_shared(axes: Axes, runs: Runs, number: int) -> None:
    """Coherence of each seed by cut, over that of runs that share nothing."""
    path = PATHS[number]
    for k, counts in enumerate(runs.values()):
        same, other = shared(counts, path)
        axes.plot(
            np.full(other.size, k + 0.2),
            other.ravel(),
            ".",
            color="0.7",
            label="V4 of another seed",
        )
        axes.plot(
            np.full(same.size, k), same, "o", ms=4, color="tab:green", label="V1 and V4 of one run"
        )
    low_Hz, high_Hz = BANDS_Hz[path.band]
    title = f"{path.band}, {low_Hz:.0f}-{high_Hz:.0f} Hz\nV1 {path.v1}, V4 {path.v4}"
    axes.set(title=title, ylabel="coherence", ylim=(0, 0.7))
    axes.set_xticks(range(len(runs)), [cut.replace(" ", "\n") for cut in runs])
    axes.legend(*(each[:2] for each in axes.get_legend_handles_labels()), frameon=False, fontsize=8)


def draw_volley(axes: Axes, signals: Signals) -> None:
    """The volley goes up V1, and on to V4."""
    edges_ms = np.arange(490.0, 552.0, 2.0)
    for row, (area, layer) in enumerate(POPULATIONS):
        times_ms = signals.get("spk", area=area, layer=layer, cell_type="E").values
        count = np.histogram(times_ms, edges_ms)[0]
        axes.fill_between(
            edges_ms[:-1], -row, -row + 0.9 * count / count.max(), step="post", color=f"C{row % 3}"
        )
    axes.set_yticks(
        [0.3 - row for row in range(len(POPULATIONS))],
        [f"{area} {layer}" for area, layer in POPULATIONS],
    )
    axes.axvspan(500.0, 510.0, color="0.9", zorder=0)
    axes.set(
        title="spikes after a volley\n(each to its maximum)", xlabel="time (ms)", xlim=(490, 550)
    )


def main() -> None:
    """Simulate, print, draw."""
    runs = {name: [simulated(seed, cut) for seed in SEEDS] for name, cut in CUTS.items()}
    print_table(("area", "layer", "peak (Hz)", "height"), peaks(runs))
    print()
    print_table(("V1 - V4", "band", "circuit", "one run", "two runs", "most of these"), rows(runs))
    volley = jtfne.construct(v1_v4().probes(["spk"])).simulate(duration_ms=600.0, progress=False)
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    spectra, gamma, beta, evoked = figure.subplots(1, 4, width_ratios=(1.2, 1, 1, 1))
    draw_spectra(spectra, runs)
    draw_shared(gamma, runs, PATHS.index(FORWARD))
    draw_shared(beta, runs, PATHS.index(BACK))
    draw_volley(evoked, volley)
    save(figure, "v1_v4")


if __name__ == "__main__":
    main()
