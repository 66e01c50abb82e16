"""Draws docs/images/readouts/NAME.png, the pictures of the page on readouts, from one run:
`python docs/images/readouts.py` (half a minute).
"""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis import figures
from jtfne.readouts import READOUTS

IMAGES = Path(__file__).parent / "readouts"
LAMINAR = ("lfp", "csd", "lfp_proxy", "csd_proxy")
MAPS = ("eeg", "meg", "eeg_proxy", "meg_proxy")


def run() -> jtfne.Signals:
    """The column of V1 with a volley into layer 4, every readout recorded."""
    config = jtfne.presets.v1_column(n=400).probes(list(READOUTS))
    return jtfne.construct(config).simulate(progress=False)


def draw(axes: Axes, signals: jtfne.Signals, name: str) -> None:
    """Draw one readout by the figure that is made for it."""
    if name == "spk":
        figures.raster(signals, axes)
    elif name == "vm":
        figures.vm(signals, ax=axes)
    elif name == "source":
        source = signals.get("source").isel(neuron=slice(0, 6), trial=0, missing_dims="ignore")
        figures.traces(source.rename(neuron="channel"), axes)
    elif name in LAMINAR:
        figures.laminar(signals, axes, readout=name)
    elif name in MAPS:
        figures.topography(signals, axes, readout=name)
    elif name == "spectrolaminar_proxy":
        figures.spectrolaminar(signals, axes)
    else:
        figures.traces(signals, axes, readout=name)


def main() -> None:
    """Simulate, draw, save."""
    IMAGES.mkdir(exist_ok=True)
    signals = run()
    for name in READOUTS:
        figure = Figure(figsize=(4.2, 2.8), layout="constrained")
        draw(figure.add_subplot(), signals, name)
        figure.savefig(IMAGES / f"{name}.png", dpi=70)


if __name__ == "__main__":
    main()
