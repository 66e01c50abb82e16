"""What a circuit is tuned to, and what of it may be tuned."""

from jtfne.config._base import Frozen


class Training(Frozen):
    """How a circuit is tuned."""
