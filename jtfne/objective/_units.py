"""Units of recorded curves beside those of readouts."""

from jtfne._check import refuse

_SCALES = {
    **{f"{prefix}V": ("V", scale) for prefix, scale in (("", 1.0), ("m", 1e-3), ("u", 1e-6), ("µ", 1e-6), ("n", 1e-9))},
    **{f"{prefix}T": ("T", scale) for prefix, scale in (("", 1.0), ("n", 1e-9), ("p", 1e-12), ("f", 1e-15))},
    **{f"{prefix}T/m": ("T/m", scale) for prefix, scale in (("", 1.0), ("p", 1e-12), ("f", 1e-15))},
    **{f"{prefix}A m": ("A m", scale) for prefix, scale in (("", 1.0), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12))},
    **{f"{prefix}Am": ("A m", scale) for prefix, scale in (("", 1.0), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12))},
    "fT/cm": ("T/m", 1e-13),
}


def factor(given: str, wanted: str | None, where: str) -> float:
    """What a number in `given` is multiplied by to be in `wanted`; empty units, or a None, leave it as it is.

    Raises: JtfneError for units that do not go over into each other.
    >>> factor("uV", "mV", "here"), round(factor("(mV)^2/Hz", "(V)^2/Hz", "here") * 1e6, 9)
    (0.001, 1.0)
    """
    if wanted is None or given in ("", wanted):
        return 1.0
    (one, power), (other, power_wanted) = _base(given), _base(wanted)
    kind, scale = _SCALES.get(one, ("", 1.0))
    kind_wanted, scale_wanted = _SCALES.get(other, (other, 1.0))
    if kind != kind_wanted or power != power_wanted:
        allowed = f"{wanted!r}, the unit of the readout, or a measure of shape alone"
        raise refuse(f"a curve in {given!r}", allowed, where)
    return (scale / scale_wanted) ** power


def _base(unit: str) -> tuple[str, int]:
    """A unit without the squares and rates that a density has, and its power."""
    inner = unit.removesuffix("^2/Hz")
    return (inner.removeprefix("(").removesuffix(")"), 2) if inner != unit else (unit, 1)
