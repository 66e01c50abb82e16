"""An input that fluctuates: an Ornstein-Uhlenbeck process."""

import dataclasses
from typing import ClassVar

from jtfne._check import FINITE, NOT_NEGATIVE, Limit, names_fields
from jtfne.stimuli._base import TIME, Spanning, Waveform, window


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class OrnsteinUhlenbeck(Spanning):
    """A random current of mean `mean`, sd `sd` and autocorrelation exp(-t / tau).

    Mean and sd are in the target's input unit.

    tau dx = (mean - x) dt + sd sqrt(2 tau) dW, stationary from the start and exact on any grid.
    Each target sees a process of its own, or all see one if `shared`. Stimuli that name the same
    `stream` see the same one; left out, each has its own, told by its label, target and onset.

    Source: Uhlenbeck & Ornstein (1930), Phys. Rev. 36:823-841; Gillespie (1996), Phys. Rev. E
    54:2084-2091.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.stimuli import OrnsteinUhlenbeck
    >>> background = OrnsteinUhlenbeck(mean=30.0, sd=10.0, tau_ms=5.0)
    >>> jtfne.Config().stimuli([{"target": "E", "drive": background}]).task.stimuli[0].drive.tau_ms
    5.0
    """

    sd: float
    tau_ms: float
    mean: float = 0.0
    start_ms: float = 0.0
    stop_ms: float | None = None
    shared: bool = False
    stream: str | None = None

    LIMITS: ClassVar[dict[str, Limit]] = {
        "sd": NOT_NEGATIVE,
        "tau_ms": Limit(low=1e-6, high=1e12),
        "mean": FINITE,
        "start_ms": TIME,
        "stop_ms": TIME,
    }
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("start_ms", "stop_ms"),)

    def waveform(self, first_step: int, n_steps: int, dt_ms: float) -> Waveform:
        """The share of each step in which there is input: (n_steps,)."""
        return window(first_step, n_steps, dt_ms, self.start_ms, self.stop_ms)
