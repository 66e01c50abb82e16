"""Probes of weighted sums of synaptic currents, which stand for LFP and EEG of networks of point
cells.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import refuse
from jtfne.measures import weighted_sum as measure
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Flag, Positive, numeric
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.pydantic_fields.selector_field import Selection, Selector

LEAST, MOST = measure.ERWS2_RATES
PYRAMIDAL = Selector(cell_type=("E",))


class ERWS1(Frozen):
    """Weights of ERWS1: excitation 0.9 ms ahead, 0.3 of inhibition 2.3 ms late; `causal`: 0, 0.1
    and 3.1 ms.
    """

    kind: Literal["ERWS1"] = "ERWS1"
    causal: Flag = False

    def weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return measure.ERWS1_CAUSAL if self.causal else measure.ERWS1


class ERWS2(Frozen):
    """Weights of ERWS2, which hang on the rate of external input, 1.5 to 10 as its authors count
    it.
    """

    kind: Literal["ERWS2"] = "ERWS2"
    rate: Annotated[float, Field(strict=True, ge=LEAST, le=MOST), numeric]
    causal: Flag = False

    def weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return measure.erws2(self.rate, causal=self.causal)


def _as_kind_table(value: Any) -> Any:
    """Convert a bare kind to the table that declares it."""
    return {"kind": value} if isinstance(value, str) else value


class _Weighted(Frozen):
    """What both probes share: cells whose synaptic currents are summed, and samples that meet the
    delays.
    """

    cells: Selection = PYRAMIDAL

    @model_validator(mode="after")
    def _check_delays(self) -> "_Weighted":
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


class RWS(_Weighted):
    """`rws`: the LFP of each area as the weighted sum of Mazzoni et al. (2015); a.u.

    Excitation 6 ms late and 1.65 of inhibition, summed over `cells`; fitted to a population of
    about 0.25 mm radius.
    """

    kind: Literal["RWS"] = "RWS"
    readout: ClassVar[str] = "rws"
    interval_ms: Positive = 1.0

    def sum_weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return measure.RWS


class ERWS(_Weighted):
    """`erws`: the EEG of each area as the weighted sum of Martinez-Canada et al. (2021), ERWS1 or
    ERWS2; a.u.

    Fitted to a network of conductances; with synaptic currents, `operator` of the readout says so.
    """

    kind: Literal["ERWS"] = "ERWS"
    readout: ClassVar[str] = "erws"
    interval_ms: Positive = 0.1
    variant: Annotated[
        Annotated[ERWS1 | ERWS2, Field(discriminator="kind")],
        BeforeValidator(_as_kind_table, ERWS1 | ERWS2 | str),
    ] = ERWS1()

    def sum_weights(self) -> measure.Weights:
        """The weights and delays of the sum."""
        return self.variant.weights()


WeightedSum = RWS | ERWS
