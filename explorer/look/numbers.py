"""Numbers as the screen shows them: short with a unit, exact on hover, changes with their sign. No Qt."""

import math
from fractions import Fraction

from explorer.layers import Shape, format_shape

THIN_SPACE = "\u2009"
MINUS = "\u2212"
ARROW = "\u2192"
UNKNOWN = "–"

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_COUNT_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))
_BYTE_UNITS = ((1024**4, "TB"), (1024**3, "GB"), (1024**2, "MB"), (1024, "kB"))


def short_count(value: float | None) -> str:
    """Three digits and a unit: "62.4 M", "416 k"; below 10,000 every digit: "9,216"."""
    if value is None:
        return UNKNOWN
    magnitude = abs(value)
    if magnitude < _COUNT_UNITS[-1][0]:
        return exact_count(value)
    for scale, unit in _COUNT_UNITS:
        # 999,950 would print as "1000 k": the unit is chosen after rounding to three digits.
        if float(f"{magnitude:.3g}") >= scale:
            factor = 1e3 if unit == "k" else scale
            return f"{_three_digits(value / factor)}{THIN_SPACE}{unit}"
    return exact_count(value)


def exact(value: float | Fraction | None) -> str:
    """A number that need not be whole: "62,378,344", "−0.5", "1/3"."""
    if value is None or value == int(value):
        return exact_count(None if value is None else int(value))
    if isinstance(value, Fraction) and _ends(value):
        value = float(value)
    return str(value).replace("-", MINUS)


def exact_count(value: float | None) -> str:
    """Every digit, in groups of three: "62,378,344"."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}".replace("-", MINUS)


def short_bytes(value: float | None) -> str:
    """Three digits and a binary unit: "1.90 GB", "0.98 GB", "64.0 kB", "512 B"."""
    if value is None:
        return UNKNOWN
    for scale, unit in _BYTE_UNITS:
        # 1,008 MB would take a fourth digit.
        if round(abs(value) / scale * 1024) >= 1000:
            return f"{_three_digits(value / scale)}{THIN_SPACE}{unit}"
    return f"{value:.0f}{THIN_SPACE}B"


def signed(value: float, written: str) -> str:
    """A change with its sign: `written` is the magnitude as text."""
    return f"{MINUS if value < 0 else '+'}{written}"


def loss(value: float | None) -> str:
    """A loss in at most six characters, so that a place for it can be kept: "0.0312", "12.345", "41420", "4.1e7"."""
    if value is None:
        return UNKNOWN
    for decimals, below in ((4, 9.99995), (3, 99.9995), (2, 999.995), (1, 9999.95), (0, 999_999.5)):
        if value < below:
            return f"{value:.{decimals}f}"
    mantissa, sign, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if sign else mantissa


def duration(seconds: float | None) -> str:
    """A time span: "00:41", "1:02:03"."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes:02}:{seconds_left:02}"


def rough_duration(seconds: float | None) -> str:
    """A time span as one says it: "40 ms", "0.8 s", "12 s", "2 min", "1 h 05 min"."""
    if seconds is None:
        return UNKNOWN
    if 0 < seconds < 0.095:
        return f"{max(1.0, seconds * 1000):.0f}{THIN_SPACE}ms"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}{THIN_SPACE}s"
    if seconds < 99.5:
        return f"{seconds:.0f}{THIN_SPACE}s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes}{THIN_SPACE}min"
    return f"{minutes // 60:,}{THIN_SPACE}h {minutes % 60:02}{THIN_SPACE}min"


def short_time(seconds: float | None) -> str:
    """A measured time in three digits: "1.23 s", "45.6 ms", "789 µs"."""
    if seconds is None:
        return UNKNOWN
    if not seconds:
        return f"0{THIN_SPACE}s"
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if float(f"{abs(seconds):.3g}") >= scale or unit == "µs":
            return f"{_three_digits(seconds / scale)}{THIN_SPACE}{unit}"
    return UNKNOWN


def scientific(value: float | None) -> str:
    """Two digits whatever the size: "0.24", "2.0", "12"; below a tenth and from ten thousand up with a power of ten:
    "1.2·10⁻³", "10⁻⁵"."""
    if value is None:
        return UNKNOWN
    if not value or not math.isfinite(value):
        return "0" if not value else "∞" if value > 0 else "not a number"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    if -2 < int(exponent) < 4:
        rounded, is_power = float(f"{value:.1e}"), mantissa in {"1.0", "-1.0"}
        written = f"{rounded:g}" if is_power else f"{rounded:.{max(0, 1 - int(exponent))}f}"
        return written.replace("-", MINUS)
    power = f"10{str(int(exponent)).translate(_RAISED)}"
    return power if mantissa == "1.0" else f"{mantissa}·{power}".replace("-", MINUS)


def two_digits(value: float) -> str:
    """Two digits, a zero at the end too, so that numbers of a column compare: "0.0030", "1.0", "12", "1.0e−5"."""
    mantissa, sign, exponent = f"{value:#.2g}".replace("-", MINUS).rstrip(".").partition("e")
    if not sign:
        return mantissa
    return f"{mantissa}e{exponent.lstrip('+').replace(f'{MINUS}0', MINUS).lstrip('0')}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one: 0.956 is "95.6 %"."""
    return UNKNOWN if share is None else f"{share * 100:.{digits}f}{THIN_SPACE}%"


def share(part: float, whole: float) -> str:
    """A part of a whole, so that a little is told from nothing: "12.3 %", "<0.1 %", "0 %"."""
    if not part or not whole:
        return f"0{THIN_SPACE}%"
    return f"<{percent(0.001)}" if part < 0.001 * whole else percent(part / whole)


def rough_share(value: float | None) -> str:
    """A share of one in whole percents, so that a little is told from nothing: "38 %", "<1 %", "0 %"."""
    if value is not None and 0 < value <= 0.005:
        return f"<{percent(0.01, 0)}"
    if value is not None and 0.995 <= value < 1:
        return f">{percent(0.99, 0)}"
    return percent(value, 0)


def shape(value: Shape | None) -> str:
    """A shape: "6×28×28", or a dash where it is unknown."""
    return UNKNOWN if value is None else format_shape(value)


def pair(value: object) -> str:
    """A hyper-parameter's value as a node shows it: (5, 5) is "5×5", (5, 3) is "5×3"."""
    if isinstance(value, tuple):
        return "×".join(str(v) for v in value)
    return str(value)


def size(value: tuple[float | Fraction, ...]) -> str:
    """A size in pixels, which need not be whole: "11×11", "2.5×2.5"."""
    return "×".join(exact(axis) for axis in value)


def place(value: tuple[float | Fraction, ...]) -> str:
    """A place on (rows, columns), once where both axes agree: "15.5", "−0.5, 2"."""
    return exact(value[0]) if len(set(value)) == 1 else ", ".join(exact(axis) for axis in value)


def _three_digits(value: float) -> str:
    magnitude = abs(float(f"{value:.3g}"))
    decimals = 2 if magnitude < 10 else 1 if magnitude < 100 else 0
    return f"{value:.{decimals}f}".replace("-", MINUS)


def _ends(value: Fraction) -> bool:
    """Whether its decimals end."""
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return rest == 1
