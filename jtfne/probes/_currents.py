"""The synaptic currents of a run by whether they excite or inhibit."""

from jtfne._check import refuse
from jtfne.readouts import CurrentsBySign
from jtfne.sources import BySign
from jtfne.wiring import NetData

KINDS = {"nS": "conductances", "pA": "currents", "mV": "jumps"}


def build_currents_by_sign(
    net: NetData, receptors: tuple[tuple[str, ...], ...], signs: dict[str, int]
) -> CurrentsBySign:
    """Return the currents of a run by sign, and what synapses they are of, as text.

    Raises: JtfneError for mechanisms of both signs that share a row, since they decay alike, and
    one that has both.
    """
    for names in receptors:
        mixed_names = [name for name in names if not signs[name]]
        if mixed_names:
            problem = f"mechanism {mixed_names[0]!r} with weights of both signs"
            raise refuse(problem, "a mechanism for each sign", "a weighted sum of currents")
        opposite_names = [name for name in names if signs[name] != signs[names[0]]]
        if opposite_names:
            problem = (
                f"mechanisms {names[0]!r} and {opposite_names[0]!r}, which decay alike and so are "
                "one current,"
            )
            allowed = "declared source maps, which keep them apart, such as maps=open_field('E')"
            raise refuse(problem, allowed, "a weighted sum of currents")
    units = {net.config.circuit.mechanisms[names[0]].unit for names in receptors}
    kinds = [kind for unit, kind in KINDS.items() if unit in units]
    source = BySign(tuple(signs[names[0]] for names in receptors))
    return CurrentsBySign(source, " and ".join(kinds) or "none")
