"""The table and the figure of docs/validation/brunel.rst: `python docs/validation/brunel.py` (three
minutes).
"""

import numpy as np
from _activity import Activity
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne
from jtfne.measures.meanfield import stationary_rates
from jtfne.presets.brunel import C_E, C_I, CASES, J_mV, THRESHOLD_RATE_Hz

START_ms = 300.0
SECONDS = {"A": 0.2, "B": 2.0, "C": 2.0, "D": 4.0}
# Rates, CV and frequency of NEST 3.10 without autapses (A 0.2 s, B and C 1 s, D 4 s); simulated and
# theoretical rate of
# the paper.
REFERENCES = {
    "A": (335.0, "0.001", "665", "> 300"),
    "B": (59.3, "0.83", "180", "60.7 / 55.8"),
    "C": (37.6, "0.42", "104", "37.7 / 38.0"),
    "D": (5.95, "0.69", "22", "5.5 / 6.5"),
}
TITLES = {
    "A": "synchronous regular",
    "B": "fast oscillation",
    "C": "asynchronous irregular",
    "D": "slow oscillation",
}


def mean_field_Hz(case: str) -> float:
    """The rate at which the network would rest if all inputs were independent."""
    g, eta = CASES[case]
    external_Hz = C_E * eta * THRESHOLD_RATE_Hz
    found = stationary_rates(
        [[C_E, C_I]] * 2,
        [[J_mV, -g * J_mV]] * 2,
        mu_ext_mV=[20e-3 * J_mV * external_Hz] * 2,
        variance_ext_mV2=[20e-3 * J_mV**2 * external_Hz] * 2,
        tau_m_ms=20.0,
        v_th_mV=20.0,
        v_reset_mV=10.0,
        t_ref_ms=2.0,
    )
    return float(found.rate_Hz[0])


def draw_figure(activities: dict[str, Activity]) -> Figure:
    """For each case 50 cells over 200 ms, and the rate of all cells below them."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots(2, len(activities), sharex="col", height_ratios=(2, 1))
    for (top, bottom), (case, activity) in zip(axes.T, activities.items(), strict=True):
        shown = (activity.row < 50) & (activity.time_ms < START_ms + 200.0)
        top.plot(activity.time_ms[shown] - START_ms, activity.row[shown], "|", ms=3, color="k")
        top.set(title=f"{case}: {TITLES[case]}", ylim=(-1, 50), yticks=[])
        rate_Hz = activity.counts(0.5)[:400] / activity.population.size / 0.5e-3
        bottom.fill_between(np.arange(400) * 0.5, rate_Hz, step="post", color="tab:blue", lw=0)
        bottom.set(xlabel="time (ms)", xlim=(0.0, 200.0), ylim=(0.0, None))
    axes[0, 0].set_ylabel("50 of 12,500 cells")
    axes[1, 0].set_ylabel("rate of all (Hz)")
    return figure


def main() -> None:
    """Simulate, print, draw."""
    activities = {}
    for case, seconds in SECONDS.items():
        signals = jtfne.construct(jtfne.presets.brunel(case)).simulate(
            duration_ms=START_ms + 1e3 * seconds
        )
        activities[case] = Activity.of(signals, START_ms)
    rows = []
    for case, activity in activities.items():
        reference_Hz, reference_cv, reference_peak, paper = REFERENCES[case]
        rate_Hz, cv = (
            float(np.average(each, weights=(4, 1))) for each in (activity.rates_Hz(), activity.cv())
        )
        segment_ms = 1e3 * min(0.5, SECONDS[case])
        peak = f"{activity.peak_Hz(segment_ms):.0f}"
        row = (
            case,
            f"{rate_Hz:.2f}",
            reference_Hz,
            paper,
            f"{mean_field_Hz(case):.2f}",
            f"{cv:.3f}",
            reference_cv,
        )
        rows.append((*row, peak, reference_peak, f"{activity.synchrony():.3g}"))
    header = (
        "case",
        "rate (Hz)",
        "ref.",
        "paper",
        "mean field",
        "CV",
        "ref.",
        "peak (Hz)",
        "ref.",
        "synchrony",
    )
    print_table(header, [tuple(map(str, row)) for row in rows])
    save(draw_figure(activities), "brunel")


if __name__ == "__main__":
    main()
