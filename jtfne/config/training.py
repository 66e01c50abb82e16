"""What a circuit is tuned to, and what of it may be tuned."""

from jtfne.config._base import Frozen
from jtfne.config.objective import Targets


class Training(Frozen):
    """How a circuit is tuned.

    Parameters
    ----------
    objective : Targets, optional
        What it should show.
    """

    objective: Targets | None = None
