"""The table and figure of docs/detective.rst: `python docs/validation/detective.py` (2 min)."""

import mne
import numpy as np
from _detective import (
    Found,
    Truth,
    average,
    errors,
    located,
    looked_for,
    recording,
    simulated,
    truth_of,
)
from _page import print_table, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jtfne.interop import to_sphere
from jtfne.signals import Signals

N_PER_AREA, N_TRIALS, SCALP_mm, BRAIN_mm = 300, 100, 90.0, 79.0
HIGHER_m = np.array([0.0, 0.0, 0.01])
COLOURS = {"eeg": "tab:blue", "meg": "tab:orange"}


def row(what: str, found: Found, truth: Truth, readout: str) -> tuple[str, ...]:
    """One line of the table."""
    error_mm, angle_deg, map_mm = errors(found, truth, readout)
    size_nAm = 1e9 * float(np.linalg.norm(found.moment))
    shown = (
        f"{error_mm:.1f}",
        f"{angle_deg:.1f}",
        f"{size_nAm:.0f}",
        f"{found.goodness:.1f}",
        f"{map_mm:.0f}",
    )
    return (what, f"{1e3 * found.at_s:.0f}", *shown)


def draw_moments(axes: Axes, signals: Signals) -> None:
    """What the areas did."""
    moments = signals.get("dipole").mean("trial")
    moments = 1e9 * (moments - moments.sel(time=slice(450.0, 500.0)).mean("time"))
    for area in ("V1", "V4"):
        axes.plot(moments["time"] - 500.0, moments.sel(area=area), label=area)
    axes.set(
        title="what happened: mean moments",
        xlabel="time from volley (ms)",
        ylabel="outward moment (nA m)",
    )
    axes.set_xlim(-20, 40)
    axes.legend(frameon=False)


def draw_traces(axes: Axes, evoked: mne.Evoked, found: Found) -> None:
    """What MNE is given."""
    axes.plot(1e3 * evoked.times, 1e6 * evoked.data.T, lw=0.5, color=COLOURS["eeg"])
    axes.axvline(1e3 * found.at_s, color="0.3", ls="--", lw=1)
    axes.set(
        title="what MNE sees: average EEG, 64 sites",
        xlabel="time from volley (ms)",
        ylabel="EEG (uV)",
        xlim=(-20, 30),
    )


def draw_map(axes: Axes, truth: Truth, found: dict[str, Found]) -> None:
    """What it finds, from the right: sLORETA of the EEG near V1's plane, and the dipoles."""
    eeg = found["eeg"]
    near = np.abs(eeg.grid_mm[:, 0] - truth.place_mm[0]) < 6.0
    dots = axes.scatter(
        *eeg.grid_mm[near][:, 1:].T, c=eeg.map[near], s=70, marker="s", cmap="Greys"
    )
    axes.figure.colorbar(dots, ax=axes, shrink=0.7, label="sLORETA")
    turn = np.linspace(0.0, 2.0 * np.pi, 200)
    for radius_mm in (BRAIN_mm, SCALP_mm):
        at = truth.centre_mm[1:] + radius_mm * np.column_stack([np.cos(turn), np.sin(turn)])
        axes.plot(*at.T, color="0.5", lw=0.8)
    axes.plot(*truth.place_mm[1:], "x", ms=11, mew=2, color="tab:red", label="where V1 is")
    for name, each in found.items():
        axes.plot(
            *each.place_mm[1:],
            "o",
            ms=8,
            mfc="none",
            mew=1.5,
            color=COLOURS[name],
            label=f"dipole, {name.upper()}",
        )
    axes.set(
        title="what it finds, with noise",
        xlabel="y (mm), nose to the right",
        ylabel="z (mm)",
        aspect="equal",
    )
    axes.set_ylim(-60.0, 175.0)
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def main() -> None:
    """Simulate, look, print, draw."""
    signals = simulated(N_PER_AREA, N_TRIALS)
    truth = truth_of(signals)
    quiet = {name: looked_for(signals, name, 0.0) for name in COLOURS}
    noisy = {name: looked_for(signals, name, 1.0) for name in COLOURS}
    rows = [row(f"{name.upper()}, no noise", each, truth, name) for name, each in quiet.items()]
    rows += [row(f"{name.upper()}, noise", each, truth, name) for name, each in noisy.items()]
    evoked = average(recording(signals, "eeg", 1.0))
    moved = to_sphere(signals)
    moved["r0"] = moved["r0"] + HIGHER_m
    rows.append(
        row(
            "EEG, no noise, sphere 10 mm higher",
            located(average(recording(signals, "eeg")), moved),
            truth,
            "eeg",
        )
    )
    header = (
        "",
        "at (ms)",
        "error (mm)",
        "angle (deg)",
        "size (nA m)",
        "fit (%)",
        "map's peak off by (mm)",
    )
    print_table(header, rows)
    figure = Figure(figsize=(13, 3.9), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    draw_moments(left, signals)
    draw_traces(middle, evoked, noisy["eeg"])
    draw_map(right, truth, noisy)
    save(figure, "detective")


if __name__ == "__main__":
    main()
