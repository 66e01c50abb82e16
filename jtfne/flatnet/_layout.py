"""What the rows of a circuit's arrays stand for: receptors of the currents, models of the cells."""

import dataclasses
from collections.abc import Iterable

from jtfne.flatnet._cells import CellModel, group_by_model
from jtfne.flatnet._receptors import list_receptors
from jtfne.wiring import NetData


@dataclasses.dataclass(frozen=True, eq=False)
class RowLayout:
    """The rows of a circuit's arrays, on which engine, probes and memory estimate must agree.

    receptors: the mechanisms of each row of the synaptic currents.
    models: the populations of each cell model, with the rows of their cells.
    """

    receptors: tuple[tuple[str, ...], ...]
    models: tuple[CellModel, ...]


def lay_out_rows(net: NetData, mechanisms: Iterable[str] = (), *, shared: bool = True) -> RowLayout:
    """The layout of a net, made once for each set of arguments and kept as long as the net.

    mechanisms: receptors to hold ready besides those of the connections, such as those of stimuli
    (`mechanisms_of`).
    shared: mechanisms that decay alike have one row, as in every run; a FlatNet that `to_net` can
    turn back has one for each mechanism.
    Raises: JtfneError for an unknown mechanism.
    """
    names = tuple(mechanisms)
    return net.remembered(
        ("row layout", names, shared),
        lambda: RowLayout(
            list_receptors(net, names, shared=shared), group_by_model(net.populations)
        ),
    )
