"""Units as files of recordings spell them, in SI."""

from jtfne._check import refuse
from jtfne.readouts import find_readout

# Prefix as a symbol and as a word, and its factor.
PREFIXES = (
    (("", ""), 1.0),
    (("k", "kilo"), 1e3),
    (("m", "milli"), 1e-3),
    (("u", "micro"), 1e-6),
    (("µ", "micro"), 1e-6),  # micro sign
    (("μ", "micro"), 1e-6),  # Greek mu
    (("n", "nano"), 1e-9),
    (("p", "pico"), 1e-12),
    (("f", "femto"), 1e-15),
)
# Symbol of a unit, and its name.
BASE_UNITS = {"V": "volt", "T": "tesla", "A": "ampere", "Hz": "hertz"}
UNKNOWN = ("", "unknown", "n.a.", "n/a", "na", "none")


def read_unit(text: str) -> tuple[str | None, float]:
    """The SI unit that a text names, and how many of it one of the text's is; None if it says none.

    What is no volt, tesla, ampere or hertz stays as it is.

    >>> read_unit("millivolts"), read_unit("uV"), read_unit("A/m^3"), read_unit("unknown")
    (('V', 0.001), ('V', 1e-06), ('A/m^3', 1.0), (None, 1.0))
    """
    spelling = text.strip()
    if spelling.lower() in UNKNOWN:
        return None, 1.0
    for symbol, name in BASE_UNITS.items():
        for (prefix, word), factor in PREFIXES:
            if spelling == prefix + symbol or spelling.lower() in (word + name, f"{word}{name}s"):
                return symbol, factor
    return spelling, 1.0


def spell_unit(text: str) -> str:
    """The symbol of a unit that is written as a word; any other text as it is.

    >>> spell_unit("microvolts"), spell_unit("volt"), spell_unit("uV"), spell_unit("z-score")
    ('uV', 'V', 'uV', 'z-score')
    """
    word = text.strip().lower()
    for symbol, name in BASE_UNITS.items():
        for (prefix, prefix_word), _ in PREFIXES:
            if word in (prefix_word + name, f"{prefix_word}{name}s"):
                return prefix + symbol
    return text


def convert_unit(text: str, readout: str, where: str) -> tuple[str | None, float]:
    """The unit of `readout`, or else the SI unit that a text names, and the factor to it.

    Raises: JtfneError for another quantity than that of a physical readout.
    """
    unit, factor = read_unit(text)
    catalogued = find_readout(readout)
    if catalogued is None or unit is None:
        return unit, factor
    unit_of_readout, factor_of_readout = read_unit(catalogued.units)
    if unit == unit_of_readout:
        return catalogued.units, factor / factor_of_readout
    if not catalogued.proxy and unit not in catalogued.units.split(" and "):  # T and T/m
        raise refuse(
            f"{readout!r} of a recording in {text!r}",
            f"a recording in {catalogued.units}, or another name of the readout",
            where,
        )
    return unit, factor
