"""Checks of stimuli and spike sources against the time step and the duration of a run."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from jtfne._check import refuse
from jtfne.config.task import Run
from jtfne.emitters import PoissonSource
from jtfne.stimuli import Evoked, OrnsteinUhlenbeck, Poisson, Rhythmic

MOST_PER_STEP = 1000
"""Poisson spikes onto one cell in one step, on average: each row of the table that they are drawn
from is compared.
"""


def misfits(drive: Any, run: Run, where: str) -> Iterator[str]:
    """Yield each error of a stimulus on the time grid of `run`."""
    dt_ms, kind = run.dt_ms, f"a {type(drive).__name__}"
    if isinstance(drive, Poisson) and drive.rate_Hz * dt_ms > 1e3 * MOST_PER_STEP:
        per_step = drive.rate_Hz * dt_ms * 1e-3
        description = (
            f"{kind} of rate_Hz={drive.rate_Hz:g}, {per_step:g} spikes onto each cell in a step "
            f"of {dt_ms:g} ms,"
        )
        allowed = (
            f"at most {1e3 * MOST_PER_STEP / dt_ms:g} Hz; a Constant or an OrnsteinUhlenbeck "
            "where spikes blur"
        )
        yield str(refuse(description, allowed, where))
    for name in drive.frequency_fields:
        frequency_Hz = getattr(drive, name)
        if frequency_Hz * dt_ms >= 500.0:
            allowed = f"less than half of the steps a second, {500.0 / dt_ms:g} Hz"
            yield str(refuse(f"{kind} of {name}={frequency_Hz:g}", allowed, where))
    if isinstance(drive, OrnsteinUhlenbeck) and drive.tau_ms < dt_ms * (1.0 - 1e-9):
        description = (
            f"{kind} of tau_ms={drive.tau_ms:g}, which forgets within a step and whose effect "
            "hangs on dt,"
        )
        yield str(
            refuse(
                description,
                f"tau_ms of at least dt_ms={dt_ms:g}; noise=... of cells is white",
                where,
            )
        )
    if isinstance(drive, Evoked | Rhythmic) and drive.sd_ms > run.duration_ms:
        description = (
            f"{kind} of sd_ms={drive.sd_ms:g}, most of whose spikes fall outside the trial,"
        )
        yield str(refuse(description, f"at most the duration, {run.duration_ms:g} ms", where))


def too_fast(emitter: Any, params: Mapping[str, Any], dt_ms: float, where: str) -> Iterator[str]:
    """Yield an error for a PoissonSource with a rate above one spike a step.

    params: the cell_params of its type.
    """
    if not isinstance(emitter, PoissonSource):
        return
    rates_Hz = np.asarray(params.get("rate_Hz", emitter.rate_Hz))
    rate_Hz = float(rates_Hz.max()) if rates_Hz.dtype.kind in "iuf" and rates_Hz.size else 0.0
    if rate_Hz * dt_ms > 1e3:
        description = (
            f"a PoissonSource of rate_Hz={rate_Hz:g}, {rate_Hz * dt_ms * 1e-3:g} spikes a step of "
            f"{dt_ms:g} ms,"
        )
        yield str(refuse(description, f"at most one a step, {1e3 / dt_ms:g} Hz", where))
