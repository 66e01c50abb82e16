"""Poisson spikes onto a receptor."""

import dataclasses
from typing import ClassVar

from jtfne._check import Limit, names_fields
from jtfne.stimuli._base import TIME, Spanning, Waveform, Weighted, window


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Poisson(Spanning, Weighted):
    """Random spikes at `rate_Hz` onto `mechanism`, from start to stop.

    Each adds `weight_pA` to its current.

    Onto a conductance each adds `weight_nS`, and a `Delta` moves the membrane by `weight_mV`; one
    of the three is given. Each target draws its own train, or all of
    them see one train if `shared`. The rate is that of the pooled input to a cell (number of
    afferents times their rate). Where the window begins or ends within a step, spikes of that step
    have that share of the weight, so that the mean input is that of the window on any grid.

    Examples
    --------
    >>> from jtfne.stimuli import Poisson
    >>> background = Poisson(rate_Hz=800.0, weight_pA=10.0)  # 100 afferents at 8 Hz, say
    >>> background.mechanism, background.weight
    ('AMPA', 10.0)
    """

    rate_Hz: float
    weight_pA: float | None = None
    weight_nS: float | None = None
    weight_mV: float | None = None
    mechanism: str = "AMPA"
    start_ms: float = 0.0
    stop_ms: float | None = None
    shared: bool = False

    LIMITS: ClassVar[dict[str, Limit]] = {
        "rate_Hz": Limit(low=0.0, high=1e12),
        **Weighted.WEIGHTS,
        "start_ms": TIME,
        "stop_ms": TIME,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("start_ms", "stop_ms"),)

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The share of each step in which there is input: (n_steps,)."""
        return window(first_step, n_steps, dt_ms, self.start_ms, self.stop_ms)
