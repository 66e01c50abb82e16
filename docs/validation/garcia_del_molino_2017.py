"""Table and figure of garcia_del_molino_2017.rst:
`python docs/validation/garcia_del_molino_2017.py` (1 min).

`--derive` prints the noise and the currents that the preset holds.
"""

import argparse

import numpy as np
from _garcia_del_molino_2017 import (
    ONTO_VIP,
    BACKGROUND_pA,
    BASELINES_Hz,
    BIN_ms,
    Floats,
    MeanField,
    before_and_change_Hz,
    binned_Hz,
    course_Hz,
    noise_of_the_gain_mV,
    response_Hz,
)
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis.figures._style import TYPE_COLOURS
from jtfne.presets import garcia_del_molino_2017 as preset
from jtfne.presets.garcia_del_molino_2017 import TYPES, NOISE_mV, ONSET_ms, TOP_DOWN_pA
from jtfne.presets.garcia_del_molino_2017 import BACKGROUND_pA as LIF_BACKGROUND_pA

SEEDS = range(8)


def rows(baseline: str, courses: list[Floats]) -> list[tuple[str, ...]]:
    """A row for each population; mean and sd over seeds."""
    field, currents = MeanField(np.array(NOISE_mV)), np.array(LIF_BACKGROUND_pA[baseline])
    start = field.settled_Hz(currents, BASELINES_Hz[baseline])
    expected = field.settled_Hz(currents + TOP_DOWN_pA * ONTO_VIP, start) - start
    published = response_Hz(baseline)
    found = np.array([before_and_change_Hz(course) for course in courses])  # (n_seeds, 2, 4)
    mean, sd = found.mean(axis=0), found.std(axis=0, ddof=1)
    return [
        (
            f"{baseline}: {name}",
            f"{BASELINES_Hz[baseline][k]:.0f}",
            f"{mean[0, k]:.2f} ± {sd[0, k]:.2f}",
            f"{published[k]:+.2f}",
            f"{expected[k]:+.2f}",
            f"{mean[1, k]:+.2f} ± {sd[1, k]:.2f}",
        )
        for k, name in enumerate(TYPES)
    ]


def draw_figure(found: dict[str, list[Floats]]) -> Figure:
    """For each baseline the rates of the four populations over time; dashed, the published
    model.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, (baseline, courses) in zip(
        figure.subplots(1, len(found)), found.items(), strict=True
    ):
        mean = np.mean(courses, axis=0)
        t_ms = (np.arange(len(mean)) + 0.5) * BIN_ms
        shown = (t_ms > 500.0) & (t_ms < 1500.0)
        still, more = (
            course_Hz(BACKGROUND_pA[baseline], top_down_pA * ONTO_VIP, BASELINES_Hz[baseline], 500)
            for top_down_pA in (0.0, TOP_DOWN_pA)
        )
        for k, name in enumerate(TYPES):
            colour = TYPE_COLOURS[name]
            axes.plot(t_ms[shown], mean[shown, k], color=colour, label=name)
            axes.plot(
                500.0 + np.arange(1000),
                np.concatenate([still, more])[:, k],
                "--",
                color=colour,
                lw=1,
            )
        axes.axvline(ONSET_ms, color="0.7", lw=1)
        axes.set(
            title=f"{baseline} baseline", xlabel="time (ms)", xlim=(500.0, 1500.0), ylim=(0.0, None)
        )
    figure.axes[0].set_ylabel("rate (Hz)")
    figure.axes[0].legend(frameon=False)
    return figure


def derive() -> None:
    """Print what the preset holds."""
    noise_mV = noise_of_the_gain_mV().round(2)
    print("noise, mV", noise_mV.tolist())
    for baseline, rates_Hz in BASELINES_Hz.items():
        print(baseline, MeanField(noise_mV).background_pA(rates_Hz).round(2).tolist())


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--derive", action="store_true", help="only print noise and currents")
    if parser.parse_args().derive:
        return derive()
    found = {
        baseline: [
            binned_Hz(jtfne.construct(preset(baseline, seed)).simulate(progress=False))
            for seed in SEEDS
        ]
        for baseline in BASELINES_Hz
    }
    header = ("population", "baseline (Hz)", "jtfne", "change: published", "mean field", "jtfne")
    print_table(
        header, [row for baseline, courses in found.items() for row in rows(baseline, courses)]
    )
    save(draw_figure(found), "garcia_del_molino_2017")


if __name__ == "__main__":
    main()
