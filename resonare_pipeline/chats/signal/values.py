"""Values in the fields of a CSV file: numbers that may look like floats, and texts.

A dump writes null and the empty text alike, and what went through a table program may have `0.0`
for 0. What columns mean is not known here.
"""

LARGEST = 2**60  # ids and times beyond are damage; twice as much still fits 64 bits
_UNSAFE = str.maketrans({"\x00": None})


def whole(text: str) -> int | None:
    """Return a whole number from a field; None for an empty field, and for anything else."""
    if not text:
        return None
    number = int(text) if text.isdecimal() and len(text) < 20 else _signed(text)
    return number if number is not None and -LARGEST < number < LARGEST else None


def _signed(text: str) -> int | None:
    if text == "-1":  # what stands for nothing in many columns
        return -1
    if text.startswith("+") or "_" in text:  # the first is a phone's number, the second Python's
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None  # false for infinity and NaN


def positive(text: str) -> bool:
    """Tell whether a field holds a number above 0; empty, 0, -1 and `0.0` are none."""
    return text not in ("", "0", "-1") and (whole(text) or 0) > 0


def filled(text: str | None) -> str | None:
    """Return a text without blanks around it; None if nothing is left, and for nulls as words."""
    text = (text or "").translate(_UNSAFE).strip()
    return text or None
