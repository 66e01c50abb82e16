"""The tables and figure of docs/validation/flip.rst: `python docs/validation/flip.py` (3 min)."""

from collections.abc import Iterator

from _flip import CONTROLS, Found, found_in, potentials
from _page import print_table, save
from matplotlib.figure import Figure

from jtfne.analysis import figures, spectrolaminar
from jtfne.presets import v1_column, v1_v4

STOP_ms, N_DRAWS, N_FREE_DRAWS = 10_500.0, 199, 39


def number(value: float | None) -> str:
    """Two digits, or that there is none."""
    return "none" if value is None else f"{value:.2f}"


def outcomes(found: dict[str, Found]) -> Iterator[tuple[str, ...]]:
    """Goodness, crossover and bands by area, for both algorithms."""
    for name, each in found.items():
        for algorithm, motif in (("FLIP", each.fixed), ("vFLIP", each.free)):
            bands = [motif.low_Hz, motif.high_Hz]
            shown = ("none" if band is None else f"{band[0]:.0f}-{band[1]:.0f}" for band in bands)
            yield (name, algorithm, number(motif.goodness), number(each.depth_mm(motif)), *shown)


def chances(found: dict[str, Found]) -> Iterator[tuple[str, ...]]:
    """p and the range of the draws by area and control, for both algorithms."""
    for name, each in found.items():
        for control in CONTROLS:
            cells = [
                (f"{n.null.min():.2f} to {n.null.max():.2f}", f"{n.p:.3f}")
                for n in each.of(control)
            ]
            yield (name, control, *cells[0], *cells[1])


def main() -> None:
    """Simulate, print, draw."""
    lfps = {}
    for circuit, config in {"v1_column": v1_column(), "v1_v4": v1_v4(evoked=False)}.items():
        lfps |= {f"{circuit} {area}": lfp for area, lfp in potentials(config, STOP_ms).items()}
    found = {name: found_in(lfp, N_DRAWS, N_FREE_DRAWS) for name, lfp in lfps.items()}
    print_table(("circuit", "", "G", "crossover (mm)", "low (Hz)", "high (Hz)"), outcomes(found))
    print()
    print_table(
        ("circuit", "control", "FLIP, G of draws", "p", "vFLIP, G of draws", "p"), chances(found)
    )
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    panels = figure.subplots(2, len(lfps), squeeze=False)
    for column, (name, lfp) in enumerate(lfps.items()):
        motif = found[name]
        figures.spectrolaminar(
            spectrolaminar(lfp), panels[0, column], crossover_mm=motif.depth_mm(motif.fixed)
        )
        panels[0, column].set_title(name, fontsize=9)
        figures.flip_null(motif.nulls, panels[1, column])
    save(figure, "flip")


if __name__ == "__main__":
    main()
