"""The tables, figures and fits.json of docs/validation/fits.rst: `python docs/validation/fits.py`
(15 min).

With names of fits it trains these alone, and takes the others from fits.json; with "none" it trains
nothing.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from _fits import (
    LATER,
    AFTER_ms,
    CSD_ONSET_ms,
    Fit,
    RATES_Hz,
    courses,
    fits,
    recorded_csd,
    recording,
    same_sign,
    simulated_csd,
)
from _page import print_table, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis import laminar_features
from jtfne.analysis.figures.fields import depth_image
from jtfne.signals import Signals

KEPT = Path(__file__).parent / "fits.json"
N_GENERATIONS = 25
SEEDS = {
    "spectrum, 1 seed": (0, 1, 2),
    "spectrum, 4 seeds": (0, 1, 2),
    "CSD, tuft": (0, 1, 2),
    "CSD, dendrite": (0,),
}
N_UNSEEN = 5


def distances(fit: Fit, net: jtfne.Net) -> list[float]:
    """With seeds that no training saw."""
    return [fit.distance(net, LATER + k) for k in range(N_UNSEEN)]


def trained(fit: Fit, seed: int) -> dict[str, Any]:
    """What is kept of one training."""
    began = time.perf_counter()
    result = fit.trained(seed, N_GENERATIONS, progress=False)
    took_s = time.perf_counter() - began
    print(result, flush=True)
    return {
        "seed": seed,
        "wall_s": round(took_s),
        "distance": result.best_score,
        "unseen": distances(fit, result.best_net),
        "values": result.best,
        "passed": result.passed,
        "reached": result.report["best"]["reached"],
        "at_bounds": result.report["at_bounds"],
    }


def row_of(each: dict[str, Any]) -> tuple[Any, ...]:
    """Of a training: whether gates held, the distance reached, and that with other seeds."""
    return ("hold" if each["passed"] else "fail", each["distance"], told(each["unseen"]))


def told(values: list[float]) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def draw_spectra(axes: Axes, fit: Fit, nets: dict[str, jtfne.Net]) -> None:
    """In dB about the mean of the band; a line for each of the seeds that no training saw."""
    for (name, net), colour in zip(nets.items(), ("0.6", "tab:red"), strict=True):
        for k in range(N_UNSEEN):
            curve = fit.objective.evaluate(net.simulate(seed=LATER + k, progress=False)).curves[
                "spectrum"
            ]
            axes.plot(
                curve["frequency"], curve["reached"], lw=1, color=colour, label=None if k else name
            )
    axes.plot(curve["frequency"], curve["target"], "k-o", ms=4, lw=2, label="recorded")
    axes.set(
        xlabel="frequency (Hz)", ylabel="power of the mean response\n(dB about that of the band)"
    )
    axes.legend(frameon=False, fontsize=8)


def draw_csd(axes: Axes, csd: xr.DataArray, name: str) -> Any:
    """Over depth and time, in shares of its greatest size; the image."""
    table = csd.transpose("channel", "time")
    values = table.values / np.abs(table.values).max()
    image = depth_image(
        axes, table["time"].values, table["z_mm"].values, values, low=-1.0, high=1.0
    )
    axes.axvline(0.0, color="0.2", lw=1, ls="--")
    axes.set_xlabel("time from the onset (ms)")
    axes.set_title(name, fontsize=9)
    return image


def features(runs: dict[str, Signals]) -> tuple[list[str], list[tuple[str, ...]]]:
    """What `laminar_features` reads off, and sinks and sources by band of depth; the recording
    first.
    """
    lfps = {name: (run.get("lfp").isel(area=0), CSD_ONSET_ms) for name, run in runs.items()}
    lfps = {"recorded": (recording(), float(recording().attrs["onset_ms"])), **lfps}
    read = [
        laminar_features(lfp, onset_ms=at, window_ms=AFTER_ms).values() for lfp, at in lfps.values()
    ]
    rows = [(key.replace("_", " "), *(shown(each[key]) for each in read)) for key in read[0]]
    csds = [recorded_csd(), *map(simulated_csd, runs.values())]
    bands = [courses(csd) for csd in csds]
    rows += [
        (f"{band} mm", *("{} {:g}, {:g}".format(*each[band]) for each in bands))
        for band in bands[0]
    ]
    signs = [f"{100 * same_sign(csd, csds[0]):.0f} %" for csd in csds]
    sizes = [f"{1e-3 * float(csd.min()):.2f}" for csd in csds]
    return ["response", *lfps], [*rows, ("same sign", *signs), ("largest sink (kA/m³)", *sizes)]


def shown(value: Any) -> str:
    """A number to three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def print_values(name: str, trainings: list[dict[str, Any]]) -> None:
    """What each training has found, by path."""
    print()
    rows = [
        (path, *(f"{each['values'][path]:.3g}" for each in trainings))
        for path in trainings[0]["values"]
    ]
    print_table((name, *(f"seed {each['seed']}" for each in trainings)), rows)


def draw_spectrum(nets: dict[str, dict[str, jtfne.Net]]) -> None:
    """Of the trainings with one seed and with several."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, name in zip(
        panels, [name for name in nets if name.startswith("spectrum")], strict=True
    ):
        draw_spectra(axes, fits()[name], nets[name])
        axes.set_title(f"trained with {name.removeprefix('spectrum, ')}", fontsize=9)
        axes.label_outer()
    save(figure, "fits_spectrum")


def draw_csds(runs: dict[tuple[str, str], Signals]) -> None:
    """The recorded density, and those of `runs`."""
    csds = {"recorded": recorded_csd()}
    csds |= {
        f"{name}, return in the {where}": simulated_csd(run) for (where, name), run in runs.items()
    }
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    panels = figure.subplots(1, len(csds), sharex=True, sharey=True)
    images = [
        draw_csd(axes, csd, name) for axes, (name, csd) in zip(panels, csds.items(), strict=True)
    ]
    for axes in panels:
        axes.label_outer()
    figure.colorbar(images[0], ax=list(panels), label="CSD over its peak; sinks < 0")
    save(figure, "fits_csd")


def report(kept: dict[str, Any]) -> None:
    """Tables and figures of what is kept."""
    rows, reached, nets = [], [], {}
    for name, fit in fits().items():
        found = kept[name]["trainings"]
        rows.append((name, "default", "", "", "", told(kept[name]["default"])))
        rows += [(name, each["seed"], each["wall_s"], *row_of(each)) for each in found]
        reached += [(name, each["seed"], *each["reached"].values()) for each in found]
        nets[name] = {
            "default": jtfne.construct(fit.config),
            "fitted": fit.with_values(found[0]["values"]),
        }
    print_table(("fit", "seed", "wall (s)", "gates", "distance", "other seeds"), rows)
    print()
    print_table(
        ("fit", "seed", "dB, or r", *(f"{' '.join(each)} (Hz)" for each in RATES_Hz)), reached
    )
    for name, each in kept.items():
        print_values(name, each["trainings"])
    columns = (("tuft", "default"), ("tuft", "fitted"), ("dendrite", "fitted"))
    runs = {(a, b): nets[f"CSD, {a}"][b].simulate(seed=LATER, progress=False) for a, b in columns}
    print()
    print_table(*features({", ".join(key): run for key, run in runs.items()}))
    draw_spectrum(nets)
    draw_csds(runs)


def main(names: list[str]) -> None:
    """Train, keep what was found, print and draw."""
    before = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    kept: dict[str, Any] = {}
    for name, fit in fits().items():
        kept[name] = before.get(name)
        if not names or name in names:
            starts = distances(fit, jtfne.construct(fit.config))
            kept[name] = {
                "default": starts,
                "trainings": [trained(fit, seed) for seed in SEEDS[name]],
            }
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    report(kept)


if __name__ == "__main__":
    main(sys.argv[1:])
