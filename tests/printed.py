"""Whether a number is the one that was printed."""


def half_a_digit(text):
    """Half a unit of the last digit of a printed number, and room for its own rounding."""
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 0.501 * 10.0 ** (int(exponent or 0) - decimals)


def is_printed(value, text):
    """Whether `value` rounds to the number as it is printed."""
    assert abs(float(value) - float(text)) <= half_a_digit(text), (
        f"{float(value):.12g} is not {text}"
    )
