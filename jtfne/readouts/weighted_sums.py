"""`rws` and `erws`: weighted sums of synaptic currents as LFP and EEG of point-neuron networks."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import refuse
from jtfne._precision import precision
from jtfne.measures import weighted_sum as measure
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Flag, Positive, numeric
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.selector_field import Selection, Selector
from jtfne.readouts._checks import as_kind_table
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import ByArea
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec, Readout
from jtfne.readouts._recording import Array, ReadoutNode, Recording

LEAST, MOST = measure.ERWS2_RATES
PYRAMIDAL = Selector(cell_type=("E",))


class ERWS1(Frozen):
    """Weights of ERWS1: excitation 0.9 ms ahead, less 0.3 of inhibition 2.3 ms late.

    causal: delays of 0, 0.1 and 3.1 ms instead.

    Examples
    --------
    >>> from jtfne.config import ERWS, ERWS1
    >>> ERWS().variant == ERWS1(), ERWS1(causal=True).weights().excitation_ms
    (True, 0.0)
    """

    kind: Literal["ERWS1"] = "ERWS1"
    causal: Flag = False

    def weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return measure.ERWS1_CAUSAL if self.causal else measure.ERWS1


class ERWS2(Frozen):
    """Weights of ERWS2, which depend on the rate of external input.

    The rate is 1.5 to 10, as its authors count it.

    Examples
    --------
    >>> from jtfne.config import ERWS, ERWS2
    >>> ERWS(variant=ERWS2(rate=3.0)).variant.rate
    3.0
    """

    kind: Literal["ERWS2"] = "ERWS2"
    rate: Annotated[float, Field(strict=True, ge=LEAST, le=MOST), numeric]
    causal: Flag = False

    def weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return measure.erws2(self.rate, causal=self.causal)


class WeightedSum(Readout):
    """A weighted sum of the synaptic currents of cells, at samples that fall on its delays.

    Examples
    --------
    >>> from jtfne.config import RWS, WeightedSum
    >>> isinstance(RWS(), WeightedSum), RWS().cells.cell_type
    (True, ('E',))
    """

    cells: Selection = PYRAMIDAL

    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area")
    coords: ClassVar[tuple[str, ...]] = ("area",)
    units: ClassVar[str] = "a.u."
    proxy: ClassVar[bool] = True
    needs_signs: ClassVar[bool] = True
    needs_whole_run: ClassVar[bool] = True  # delays reach over chunks

    @abc.abstractmethod
    def sum_weights(self) -> measure.Weights:
        """The weights and delays of the sum."""

    @model_validator(mode="after")
    def _check_delays(self) -> "WeightedSum":
        """Refuse a sampling interval that does not fit the delays."""
        probe: Any = self
        try:
            probe.sum_weights().steps(probe.interval_ms)
        except ValueError:
            delays = probe.sum_weights()
            description = (
                f"interval_ms={probe.interval_ms:g} with delays of {delays.excitation_ms:.4g} and "
            )
            description += f"{delays.inhibition_ms:.4g} ms"
            raise refuse(
                description, "an interval that meets both to 5 %, such as 0.1", HERE
            ) from None
        return self

    def build(self, context: ProbeContext) -> "WeightedSumProbe":
        """Return the probe of sums over the chosen cells of each area.

        Excitation and inhibition are side by side.
        """
        currents, cells = context.currents_by_sign, context.cells
        rows = np.sort(context.choose_rows(self.cells, f"{type(self).__name__}.cells"))
        rows_by_area = [rows[cells.area[rows] == k] for k in range(len(cells.areas))]
        ranges, maps = [], []
        for area_rows in rows_by_area:
            first, last = (int(area_rows[0]), int(area_rows[-1]) + 1) if area_rows.size else (0, 0)
            counts = np.isin(np.arange(first, last), area_rows)[:, None].astype(np.float64)
            ranges.append((first, last))
            maps.append(jax.device_put(np.kron(np.eye(2), counts)))
        parameters = {
            "name": "weighted sum of synaptic currents",
            "units": ["pA", "a.u."],
            **dataclasses.asdict(self.sum_weights()),
            "synapses": currents.synapses,
            "n_cells": [int(area_rows.size) for area_rows in rows_by_area],
        }
        part, coords = (
            ByArea(tuple(ranges), tuple(maps)),
            {"area": (("area",), np.array(cells.areas))},
        )
        return WeightedSumProbe.build(
            self, context, part, coords, parameters, source=currents.source
        )


class RWS(WeightedSum):
    """`rws`: the LFP of each area as the weighted sum of Mazzoni et al. (2015); a.u.

    Excitation 6 ms late and 1.65 of inhibition, summed over `cells`; fitted to a population of
    about 0.25 mm radius.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import RWS
    >>> jtfne.Config().probes([RWS(cells="E")]).readout_names(), RWS().sum_weights().excitation_ms
    (('rws',), 6.0)
    """

    kind: Literal["RWS"] = "RWS"
    interval_ms: Positive = 1.0

    readout: ClassVar[str] = "rws"
    long_name: ClassVar[str] = "LFP by weighted synaptic currents"
    short_name: ClassVar[str] = "RWS"
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "22_rws": FigureSpec(
            "moments",
            "LFP of each area as a weighted sum of synaptic currents, from its mean before the first "
            "stimulus, and its power spectrum.",
        )
    }

    def sum_weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return measure.RWS


class ERWS(WeightedSum):
    """`erws`: EEG of each area as the weighted sum ERWS1 or ERWS2; a.u.

    Source: Martinez-Canada et al. (2021).

    Fitted to a network of conductances; with synaptic currents, `operator` of the readout says so.

    Examples
    --------
    >>> from jtfne.config import ERWS
    >>> ERWS().interval_ms, ERWS().sum_weights().excitation_ms, ERWS().units
    (0.1, -0.9, 'a.u.')
    """

    kind: Literal["ERWS"] = "ERWS"
    interval_ms: Positive = 0.1
    variant: Annotated[
        Annotated[ERWS1 | ERWS2, Field(discriminator="kind")],
        BeforeValidator(as_kind_table, ERWS1 | ERWS2 | str),
    ] = ERWS1()

    readout: ClassVar[str] = "erws"
    long_name: ClassVar[str] = "EEG by weighted synaptic currents"
    short_name: ClassVar[str] = "ERWS"
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "23_erws": FigureSpec(
            "moments",
            "EEG of each area as a weighted sum of synaptic currents, from its mean before the first "
            "stimulus, and its power spectrum.",
        )
    }

    def sum_weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return self.variant.weights()


@dataclasses.dataclass(frozen=True)
class WeightedSumProbe(FieldProbe):
    """The probe of `rws` or `erws`: what is kept are the sums of both signs, area by area."""

    declaration: WeightedSum

    def combine(self, rows: Any, interval_ms: float) -> jax.Array:
        """Return the weighted sums (n_trials, n_rows, n_areas) of the kept sums; traceable."""
        currents = jnp.moveaxis(rows.reshape(*rows.shape[:2], -1, 2), 1, -1)
        weighted_sums = measure.weighted_sum(
            currents[:, :, 0], currents[:, :, 1], interval_ms, self.declaration.sum_weights()
        )
        return jnp.moveaxis(weighted_sums, -1, 1)

    def readout(self, recording: Recording) -> ReadoutNode:
        """Return (trial, time, area) a.u."""
        sums: Array = recording.kept[self.name]
        with precision(str(sums.dtype)):
            weighted_sums = self.combine(sums, self.every * recording.dt_ms)
        return self.label(recording, np.array(weighted_sums), self.coords)
