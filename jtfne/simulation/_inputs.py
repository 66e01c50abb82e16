"""Stimuli on named cells -> waveforms, patterns and Poisson inputs on the engine's grid."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import config as words
from jtfne import engine, noise, stimuli
from jtfne._check import one_of
from jtfne.net import Net, select_with


@dataclasses.dataclass(frozen=True)
class Drive:
    """All stimuli of a trial: `inputs` as arrays, and `clock` for any stretch of it."""

    inputs: engine.Inputs
    waves: tuple[stimuli.Stimulus, ...]
    rains: tuple[stimuli.Poisson, ...]
    table_rows: tuple[int, ...]
    dt_ms: float
    dtype: np.dtype[Any]

    def clock(self, first_step: int, n_steps: int) -> engine.Clock:
        """The waveforms and Poisson tables of `n_steps` from `first_step` on."""
        waveforms = np.zeros((n_steps, len(self.waves)))
        for k, wave in enumerate(self.waves):
            waveforms[:, k] = wave.waveform(first_step, n_steps, self.dt_ms)
        thresholds = []
        for rain, n_rows in zip(self.rains, self.table_rows, strict=True):
            means, which = np.unique(rain.waveform(first_step, n_steps, self.dt_ms), return_inverse=True)
            thresholds.append(jnp.asarray(noise.table(means, n_rows)[which]))
        return engine.Clock(jnp.asarray(waveforms, self.dtype), tuple(thresholds))


def drive_of(
    presented: tuple[words.Stimulus, ...], net: Net, receptors: tuple[str, ...], dt_ms: float, dtype: np.dtype[Any]
) -> Drive:
    """`presented` on the cells of `net`. Raises: JtfneError for a target without cells or an unknown mechanism."""
    scale = input_pA(net)
    waves: list[stimuli.Stimulus] = []
    rains: list[stimuli.Poisson] = []
    patterns: list[npt.NDArray[np.float64]] = []
    poisson: list[engine.PoissonInput] = []
    for each in presented:
        rows = select_with(net.identity, each.target, where=f"stimulus {each.label!r}")
        drive: Any = each.drive
        if isinstance(drive, stimuli.Poisson):
            receptor = receptors.index(
                one_of(drive.mechanism, receptors, name="mechanism", where=f"stimulus {each.label!r}")
            )
            rains.append(drive)
            poisson.append(_poisson(rows, drive, receptor, dtype))
            continue
        pattern = np.zeros(net.n_neurons)
        pattern[rows] = drive.amplitude * scale[rows]
        waves.append(drive)
        patterns.append(pattern)
    stacked = jnp.asarray(np.array(patterns).reshape(len(patterns), net.n_neurons), dtype)
    table_rows = tuple(noise.table_rows(rain.rate_Hz * dt_ms * 1e-3) for rain in rains)
    return Drive(engine.Inputs(stacked, tuple(poisson)), tuple(waves), tuple(rains), table_rows, dt_ms, dtype)


def _poisson(
    rows: npt.NDArray[np.int32], drive: stimuli.Poisson, receptor: int, dtype: np.dtype[Any]
) -> engine.PoissonInput:
    """The engine's form of a Poisson stimulus; neighbouring rows in ascending order need no index."""
    neighbours = bool((np.diff(rows) == 1).all())
    return engine.PoissonInput(
        targets=None if neighbours else jnp.asarray(rows, jnp.int32),
        weight_pA=jnp.asarray(drive.weight_pA, dtype),
        first=int(rows[0]),
        n_targets=rows.size,
        receptor=receptor,
        shared=drive.shared,
    )


def input_pA(net: Net) -> npt.NDArray[np.float64]:
    """What one input unit is to each cell, in pA: (n_cells,)."""
    populations = net.config.populations()
    return np.repeat([float(each.emitter.input_pA) for each in populations], [each.n_cells for each in populations])
