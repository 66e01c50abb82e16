"""What a circuit is tuned to, and what of it may be tuned."""

from jtfne.config._base import Frozen
from jtfne.config.trainables import Trainable


class Training(Frozen):
    """How a circuit is tuned."""

    trainables: tuple[Trainable, ...] = ()
