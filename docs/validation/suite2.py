"""The tables and figure of docs/validation/suite2.rst: `python docs/validation/suite2.py` (30
s).
"""

from _page import print_table, rates_table, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis.figures._style import TYPE_COLOURS
from jtfne.config import Config
from jtfne.signals import Signals


def simulated(config: Config, *more: str) -> Signals:
    """A second of spikes, and of `more`."""
    return jtfne.construct(config.probes(["spk", *more])).simulate(progress=False)


def draw_single(axes: Axes) -> None:
    """The potential of each type, one above the other."""
    for k, cell_type in enumerate(TYPE_COLOURS):
        signals = simulated(jtfne.suite2_single_neuron_config(cell_type), "vm")
        v_mV = signals.get("vm").isel(neuron=0)
        axes.plot(
            v_mV["time"], v_mV - 120.0 * k, color=TYPE_COLOURS[cell_type], lw=0.6, label=cell_type
        )
        print(f"suite2_single_neuron, {cell_type}: {signals.rates()['rate_Hz'].item():.0f} Hz")
    axes.set_yticks([-65.0 - 120.0 * k for k in range(len(TYPE_COLOURS))], list(TYPE_COLOURS))
    axes.set(title="suite2_single_neuron: v_m", xlabel="time (ms)", xlim=(0, 500))


def draw_raster(axes: Axes, signals: Signals, title: str) -> None:
    """Half a second of spikes, a row a neuron."""
    for cell_type, colour in TYPE_COLOURS.items():
        spikes = signals.get("spk", cell_type=cell_type)
        axes.plot(spikes.values, spikes["neuron"].values, ".", ms=2.5, mew=0, color=colour)
    areas = signals.neurons.groupby("area", observed=True, sort=False)["neuron"].median()
    axes.set_yticks(areas.to_numpy(), list(areas.index))
    axes.set(
        title=title, xlabel="time (ms)", xlim=(500, 1000), ylim=(-0.5, len(signals.neurons) - 0.5)
    )


def main() -> None:
    """Simulate, print, draw."""
    circuits = {
        "suite2_four_celltype": jtfne.suite2_four_celltype_config(),
        "suite2_net1": jtfne.suite2_net1_config(),
        "suite2_v1_v4": jtfne.suite2_v1_v4_config(),
    }
    figure = Figure(figsize=(13, 3.8), layout="constrained")
    single, *others = figure.subplots(1, 4)
    draw_single(single)
    for axes, (name, config) in zip(others, circuits.items(), strict=True):
        signals = simulated(config)
        print(f"\n{name}")
        print_table(*rates_table(signals))
        draw_raster(axes, signals, name)
    save(figure, "suite2")


if __name__ == "__main__":
    main()
