"""Converts units of recorded curves to those of readouts."""

from jtfne._check import refuse

_SCALES = {
    **{
        f"{prefix}V": ("V", scale)
        for prefix, scale in (("", 1.0), ("m", 1e-3), ("u", 1e-6), ("µ", 1e-6), ("n", 1e-9))
    },
    **{
        f"{prefix}T": ("T", scale)
        for prefix, scale in (("", 1.0), ("n", 1e-9), ("p", 1e-12), ("f", 1e-15))
    },
    **{f"{prefix}T/m": ("T/m", scale) for prefix, scale in (("", 1.0), ("p", 1e-12), ("f", 1e-15))},
    **{
        f"{prefix}A m": ("A m", scale)
        for prefix, scale in (("", 1.0), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12))
    },
    **{
        f"{prefix}Am": ("A m", scale)
        for prefix, scale in (("", 1.0), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12))
    },
    "fT/cm": ("T/m", 1e-13),
}


def factor(unit: str, target_unit: str | None, where: str) -> float:
    """The number that converts a value in `unit` to `target_unit`.

    It is 1 if `unit` is empty, or `target_unit` None.
    Raises: JtfneError for units that do not convert into each other.
    >>> factor("uV", "mV", "here"), round(factor("(mV)^2/Hz", "(V)^2/Hz", "here") * 1e6, 9)
    (0.001, 1.0)
    """
    if target_unit is None or unit in ("", target_unit):
        return 1.0
    (base, power), (target_base, target_power) = _split_unit(unit), _split_unit(target_unit)
    kind, scale = _SCALES.get(base, ("", 1.0))
    target_kind, target_scale = _SCALES.get(target_base, (target_base, 1.0))
    if kind != target_kind or power != target_power:
        allowed = f"{target_unit!r}, the unit of the readout, or a measure of shape alone"
        raise refuse(f"a curve in {unit!r}", allowed, where)
    return (scale / target_scale) ** power


def _split_unit(unit: str) -> tuple[str, int]:
    """The unit and its power: ("V", 2) of "(V)^2/Hz", ("V", 1) of "V"."""
    base = unit.removesuffix("^2/Hz")
    return (base.removeprefix("(").removesuffix(")"), 2) if base != unit else (unit, 1)
