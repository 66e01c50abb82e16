"""The table and figure of docs/validation/izhikevich_2003.rst:
`python docs/validation/izhikevich_2003.py` (1 min).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from _izhikevich_2003 import KIND, program, rates_Hz
from _page import print_table, save
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis.figures._style import TYPE_COLOURS
from jtfne.measures import spectrum

START_ms, STOP_ms, SEEDS = 1000, 3000, range(60)
Spikes = npt.NDArray[np.bool_]  # (n_ms, n_cells)


def simulated(seed: int) -> Spikes:
    """The preset's spikes, as the program's are."""
    net = jtfne.construct(jtfne.presets.izhikevich_2003(seed))
    events = net.simulate(duration_ms=float(STOP_ms), progress=False).tree["spk"].to_dataset()
    spikes = np.zeros((STOP_ms, net.n_neurons), bool)
    spikes[np.rint(events["time"].values).astype(int) - 1, events["neuron"].values] = True
    return spikes


RUNS: dict[str, Callable[[int], Spikes]] = {
    "published program": lambda seed: program(seed, STOP_ms),
    "the same, 1 ms later": lambda seed: program(seed, STOP_ms, delay=1),
    "jtfne": simulated,
}


def power(spikes: Spikes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Frequency (Hz) and power of the count of all spikes a millisecond, in segments of 1 s."""
    f_Hz, density = spectrum.psd(spikes.sum(axis=1, dtype=float), dt_ms=1.0)
    return np.asarray(f_Hz, np.float64), np.asarray(density, np.float64)


def row(name: str, runs: list[Spikes]) -> tuple[str, ...]:
    """Rates, and shares of power: mean and sd over seeds."""
    rates = np.array([rates_Hz(spikes) for spikes in runs])
    f_Hz, density = power(runs[0])[0], np.array([power(spikes)[1] for spikes in runs])
    shares = [
        density[:, (f_Hz >= low) & (f_Hz <= high)].sum(axis=1) / density[:, f_Hz > 0.0].sum(axis=1)
        for low, high in ((8.0, 13.0), (30.0, 60.0))
    ]
    columns = [*rates.T, *shares]
    return name, *(f"{each.mean():.3f} ± {each.std(ddof=1):.3f}" for each in columns)


def draw_figure(found: dict[str, list[Spikes]]) -> Figure:
    """A second of spikes of the program and of jtfne, and the spectra of both."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    *rasters, spectra = figure.subplots(1, 3)
    for axes, name in zip(rasters, ("published program", "jtfne"), strict=True):
        step, cell = np.nonzero(found[name][0][:1000])
        for kind, colour in ((0, TYPE_COLOURS["E"]), (1, TYPE_COLOURS["PV"])):
            mine = KIND[cell] == kind
            axes.plot(START_ms + step[mine] + 1, cell[mine], ".", ms=1.5, mew=0, color=colour)
        axes.set(
            title=name, xlabel="time (ms)", xlim=(START_ms, START_ms + 1000), ylim=(0, KIND.size)
        )
    rasters[0].set_ylabel("cell (E below, I above)")
    for name, colour, line in zip(found, ("k", "0.6", "tab:green"), ("-", "--", "-"), strict=True):
        f_Hz = power(found[name][0])[0]
        density = np.mean([power(spikes)[1] for spikes in found[name]], axis=0)
        spectra.semilogy(f_Hz[1:], density[1:], line, color=colour, label=name)
    spectra.set(xlabel="frequency (Hz)", ylabel="power of the count (1/Hz)", xlim=(0, 100))
    spectra.legend(frameon=False)
    return figure


def main() -> None:
    """Simulate, print, draw."""
    found = {name: [run(seed)[START_ms:] for seed in SEEDS] for name, run in RUNS.items()}
    header = ("..", "E (Hz)", "I (Hz)", "power 8-13 Hz", "power 30-60 Hz")
    print_table(header, [row(name, runs) for name, runs in found.items()])
    save(draw_figure(found), "izhikevich_2003")


if __name__ == "__main__":
    main()
