"""Source maps: where currents enter cells and where they return, as profiles over depth."""

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from jtfne._check import names_arguments
from jtfne.pydantic_fields.field_types import Number, Share
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.selector_field import Names, Selection, Selector
from jtfne.synapses import Synapse

Depths = npt.NDArray[np.float64]
Ends = tuple[Depths, Depths]

RECEPTIVE = ("excitatory", "inhibitory")
OTHERS = ("external", "axial")
EXCITES_mV = -40.0
"""A conductance excites if its reversal potential lies above this: above thresholds, below that of
AMPA (0 mV).
"""


class AtSoma(Frozen):
    """Profile of a current at the depth of the soma, or `above_mm` nearer to the pia.

    Below 0 it is deeper. A place beyond the cortex is moved to its border.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.config import AtSoma
    >>> first_mm, last_mm = AtSoma(above_mm=0.1).ends_mm(np.array([0.5, 1.25]), thickness_mm=1.5)
    >>> first_mm.tolist()
    [0.4, 1.15]
    """

    kind: Literal["AtSoma"] = "AtSoma"
    above_mm: Number = 0.0

    def ends_mm(self, soma_mm: Depths, thickness_mm: float) -> Ends:
        """First and last depth, mm, each (n_cells,), for somata at `soma_mm`; here equal."""
        at_mm: Depths = np.clip(soma_mm - self.above_mm, 0.0, thickness_mm)
        return at_mm, at_mm


class AtDepth(Frozen):
    """At a relative depth, 0 at the pia and 1 at the white matter, wherever the soma is.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.config import AtDepth
    >>> first_mm, last_mm = AtDepth(depth=0.1).ends_mm(np.array([0.5, 1.2]), thickness_mm=2.0)
    >>> first_mm.tolist()
    [0.2, 0.2]
    """

    kind: Literal["AtDepth"] = "AtDepth"
    depth: Share

    def ends_mm(self, soma_mm: Depths, thickness_mm: float) -> Ends:
        """First and last depth, mm, each (n_cells,); the same depth for all cells."""
        at_mm: Depths = np.full_like(soma_mm, self.depth * thickness_mm)
        return at_mm, at_mm


def _as_kind_table(value: Any) -> Any:
    """Convert a bare kind to the table that declares it."""
    return {"kind": value} if isinstance(value, str) else value


End = Annotated[
    Annotated[AtSoma | AtDepth, Field(discriminator="kind")], BeforeValidator(_as_kind_table)
]


class Between(Frozen):
    """Evenly over all depths between two: a dendrite, or a part of one.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.config import AtDepth, AtSoma, Between
    >>> apical = Between(first=AtSoma(), last=AtDepth(depth=0.0))
    >>> [ends_mm.tolist() for ends_mm in apical.ends_mm(np.array([0.5, 1.2]), thickness_mm=1.5)]
    [[0.0, 0.0], [0.5, 1.2]]
    """

    kind: Literal["Between"] = "Between"
    first: End
    last: End

    def ends_mm(self, soma_mm: Depths, thickness_mm: float) -> Ends:
        """First and last depth, mm, each (n_cells,), the lesser first, for somata at `soma_mm`."""
        first_mm, last_mm = (
            end.ends_mm(soma_mm, thickness_mm)[0] for end in (self.first, self.last)
        )
        return np.minimum(first_mm, last_mm), np.maximum(first_mm, last_mm)


Profile = Annotated[
    Annotated[AtSoma | AtDepth | Between, Field(discriminator="kind")],
    BeforeValidator(_as_kind_table),
]


class SourceMap(Frozen):
    """Where currents enter cells and where they return; each profile holds all of the current.

    Parameters
    ----------
    cells : Selector or str
        Whose; all cells by default.
    mechanism : str or list of str, optional
        Which currents: mechanisms by name, "excitatory" or "inhibitory" ones, "external" (drive,
        noise and stimuli by current), "axial" (what a cell model with compartments leads from its
        dendrite to its soma); by default all.
    enters, returns : AtSoma, AtDepth or Between
        What flows into the cell leaves the tissue along `enters` (a sink) and is given back along
        `returns`.

    Examples
    --------
    >>> tuft = Between(first=AtDepth(depth=0.0), last=AtDepth(depth=0.1))
    >>> SourceMap(cells="E", mechanism="excitatory", enters=tuft, returns=AtSoma()).mechanism
    ('excitatory',)
    """

    cells: Selection = Selector()
    mechanism: Names = None
    enters: Profile
    returns: Profile

    def holds(self, *tags: str) -> bool:
        """Whether the map applies to a current with one of these tags (see `mechanism`)."""
        return self.mechanism is None or not set(self.mechanism).isdisjoint(tags)


_APICAL = Between(first=AtSoma(), last=AtDepth(depth=0.0))


@names_arguments
def open_field(*cell_types: str) -> tuple[SourceMap, ...]:
    """Maps for pyramidal cells, whose apical dendrites run side by side to the pia.

    Excitation (and drive, which stands for it) enters evenly along the dendrite and returns at the
    soma; inhibition enters at the soma and returns along the dendrite. Source: Lorente de No
    (1947), J. Cell. Comp. Physiol. 29:207-287 (open fields); Mazzoni et al. (2015), PLoS Comput.
    Biol. 11:e1004584 (excitation on dendrites, inhibition about the soma). The return current is
    spread along the dendrite, so that sources and sinks of a cell cancel.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import open_field
    >>> [source_map.mechanism for source_map in open_field("E")]
    [('excitatory', 'external'), ('inhibitory',)]
    >>> len(jtfne.Config().source(maps=open_field("TC")).readouts.maps)
    2
    """
    cells = Selector(cell_type=cell_types or None)
    return (
        SourceMap(
            cells=cells, mechanism=("excitatory", "external"), enters=_APICAL, returns=AtSoma()
        ),
        SourceMap(cells=cells, mechanism=("inhibitory",), enters=AtSoma(), returns=_APICAL),
    )


@names_arguments
def closed_field(*cell_types: str) -> tuple[SourceMap, ...]:
    """Maps for cells whose dendrites lie round the soma: their currents are not seen from outside.

    What enters returns at the same depth.

    Source: Lorente de No (1947), as `open_field`.

    Examples
    --------
    >>> from jtfne.config import closed_field
    >>> (source_map,) = closed_field("LTS")
    >>> source_map.cells.cell_type, source_map.enters == source_map.returns
    (('LTS',), True)
    """
    return (
        SourceMap(cells=Selector(cell_type=cell_types or None), enters=AtSoma(), returns=AtSoma()),
    )


SOURCE_MAPS: tuple[SourceMap, ...] = (
    *closed_field("I", "PV", "SST", "VIP"),
    *open_field("E"),
    SourceMap(mechanism=("axial",), enters=_APICAL, returns=AtSoma()),
)
"""What holds where nothing else is declared."""


def find_sign(synapse: Synapse) -> int:
    """Sign of a mechanism: 1 excites, -1 inhibits, 0 if only its weights tell.

    A conductance excites if its reversal potential is above EXCITES_mV.
    """
    if synapse.unit == "nS":
        return 1 if float(getattr(synapse, "e_rev_mV", 0.0)) > EXCITES_mV else -1
    return int(synapse.sign)


def list_current_tags(name: str, sign: int) -> tuple[str, ...]:
    """The tags by which source maps refer to the current of a mechanism: its name, and its sign."""
    return (name, RECEPTIVE[0] if sign > 0 else RECEPTIVE[1]) if sign else (name,)
