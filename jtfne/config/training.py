"""Training: the objective of a circuit, and which of its numbers may be tuned."""

from jtfne.config.objective import Targets
from jtfne.config.trainables import Trainable
from jtfne.pydantic_fields.frozen import Frozen


class Training(Frozen):
    """How a circuit is tuned.

    Parameters
    ----------
    objective : Targets, optional
        What it should show.
    trainables : sequence of Trainable
        What may be changed.

    Examples
    --------
    >>> import jtfne
    >>> gain = {"path": "gains.E->E", "bounds": (0.5, 2.0)}
    >>> training = jtfne.Config().trainables([gain]).training
    >>> training.objective is None, training.trainables[0].path
    (True, 'gains.E->E')
    """

    objective: Targets | None = None
    trainables: tuple[Trainable, ...] = ()
