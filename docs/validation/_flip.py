"""FLIP and vFLIP of the potentials of a circuit, area by area, beside each of their controls."""

import dataclasses

import xarray as xr

import jtfne
from jtfne.analysis import (
    Flip,
    FlipNull,
    PhaseRandomised,
    PolarityFlip,
    ShuffledChannels,
    ShuffledFrequencies,
    flip,
    flip_null,
    psd,
    vflip,
)
from jtfne.measures.vflip import Control

START_ms, MAX_Hz = 500.0, 150.0
CONTROLS: dict[str, Control] = {
    "channels shuffled": ShuffledChannels(),
    "frequencies shuffled": ShuffledFrequencies(),
    "phases at random": PhaseRandomised(),
    "polarity flipped": PolarityFlip(),
}


@dataclasses.dataclass(frozen=True)
class Found:
    """Of one area: what FLIP and vFLIP find, and the nulls of both by control."""

    fixed: Flip
    free: Flip
    z_mm: tuple[float, ...]
    nulls: dict[str, FlipNull]
    free_nulls: dict[str, FlipNull]

    def of(self, control: str) -> tuple[FlipNull, FlipNull]:
        """The nulls of FLIP and of vFLIP."""
        return self.nulls[control], self.free_nulls[control]

    def depth_mm(self, motif: Flip) -> float | None:
        """Of the crossover of a motif, if there is one."""
        return None if motif.crossover is None else self.z_mm[motif.crossover]


def potentials(
    config: jtfne.Config, stop_ms: float, n_channels: int = 24
) -> dict[str, xr.DataArray]:
    """`lfp_proxy` by area, (time, channel), after the first half second of a run without a
    stimulus.
    """
    quiet = config.stimuli([]).probes([{"kind": "lfp_proxy", "n_channels": n_channels}])
    found = jtfne.construct(quiet).simulate(duration_ms=stop_ms, progress=False).get("lfp_proxy")
    found = found.isel(time=found["time"].values > START_ms)
    return {str(area): found.sel(area=area) for area in found["area"].values}


def found_in(lfp: xr.DataArray, n_draws: int, n_free_draws: int) -> Found:
    """FLIP and vFLIP of the potentials of an area, with every control."""
    power = psd(lfp)
    power = power.sel(frequency=slice(1.0, MAX_Hz))
    return Found(
        fixed=flip(power),
        free=vflip(power),
        z_mm=tuple(lfp["z_mm"].values.tolist()),
        nulls={
            name: flip_null(lfp, control, n_draws=n_draws) for name, control in CONTROLS.items()
        },
        free_nulls={
            name: flip_null(lfp, each, n_draws=n_free_draws, bands=None)
            for name, each in CONTROLS.items()
        },
    )
