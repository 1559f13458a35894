"""Numbers and names as they stand in pictures."""

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

from matplotlib.ticker import Formatter

from egregium.results import Estimate

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_POWER = re.compile(r"(\d+(?:\.\d+)?)e([+-])0*(\d+)")


class Number(Protocol):
    """What has a value and an interval, and prints: an estimate, a difference."""

    @property
    def value(self) -> float:
        """Where its mark stands."""

    @property
    def confidence(self) -> float:
        """The level of the interval."""

    def interval(self) -> tuple[float, float]:
        """(low, high)."""

    def half_width(self) -> float:
        """The longer side."""


def typeset(text: str) -> str:
    """A printed number with signs and powers as in a book.

    >>> typeset("-8.85e-08 +/- 5e-10")
    '−8.85 × 10⁻⁸ ± 5 × 10⁻¹⁰'
    >>> typeset("0e+00 +/- 3e-10")
    '0 ± 3 × 10⁻¹⁰'
    >>> typeset("-0 (exact)")
    '0 (exact)'
    """

    def power(match: re.Match[str]) -> str:
        if not float(match[1]):
            return "0"
        sign = "-" if match[2] == "-" else ""
        raised = f"10{(sign + match[3]).translate(_RAISED)}"
        return raised if match[1] == "1" and not match.string[: match.start()].strip("-") else f"{match[1]} × {raised}"

    text = _POWER.sub(power, text).replace("+/-", "±")
    return re.sub(r"(?<![\w.])-(?=\d)", "−", re.sub(r"^-0(?![\d.])", "0", text))


def tick(value: float, _: object = None, *, digits: int = 6) -> str:
    """The label of a tick.

    >>> tick(0.30000000000000004), tick(-1e-8), tick(2e5), tick(1e6)
    ('0.3', '−10⁻⁸', '200,000', '10⁶')
    """
    if not math.isfinite(value):
        return f"{value:g}"
    if 1e-4 <= abs(value) < 1e6 or value == 0:
        return typeset(f"{value:,.{digits}g}" if abs(value) >= 1e4 else f"{value:.{digits}g}")
    mantissa, exponent = f"{value:.{digits - 2}e}".split("e")
    return typeset(f"{float(mantissa):.{digits}g}e{exponent}")


def digits_between(values: Iterable[float], least: int = 6) -> int:
    """Digits that tell `values` apart: at least `least`, at most 15.

    >>> digits_between([2.3, 2.3000000001])
    12
    """
    known = sorted({x for x in values if math.isfinite(x)})
    steps = [b - a for a, b in pairwise(known)]
    if not steps:
        return least
    return min(max(math.ceil(math.log10(max(map(abs, known))) - math.log10(min(steps))) + 1, least), 15)


class TickFormatter(Formatter):
    """Ticks as `tick` writes them, with the digits that tell them apart; never an offset in a corner."""

    def __init__(self) -> None:
        self._places: list[float] = []

    def set_locs(self, locs: Sequence[float]) -> None:
        self._places = [float(x) for x in locs]

    def __call__(self, x: float, pos: int | None = None) -> str:
        steps = [abs(b - a) for a, b in pairwise(self._places)]
        value = 0.0 if steps and abs(x) < 1e-9 * min(steps) else x  # 0 as a locator adds it up
        return tick(value, digits=digits_between(self._places))


def estimate_label(estimate: Number) -> str:
    """An estimate with its interval; the level stands in the caption.

    >>> estimate_label(Estimate(103.72, 0.44, degrees=30))
    '103.7 ± 0.9'
    """
    return typeset(str(estimate).removesuffix(f" ({100 * estimate.confidence:g} %)"))


def lowered(symbol: str) -> str:
    """A symbol with its index below the line, where Unicode has one.

    >>> lowered("λ_max"), lowered("|H|_*")
    ('λₘₐₓ', '|H|⁎')
    """
    return symbol.replace("_max", "ₘₐₓ").replace("_min", "ₘᵢₙ").replace("|_*", "|⁎")


def half_width(estimate: Number) -> float:
    """Half the interval's width, 0 where there is none to draw."""
    half = estimate.half_width()
    return half if math.isfinite(half) else 0.0


def short(name: str, most: int = 30) -> str:
    """`name` on one line, with an ellipsis after `most` characters and without characters that XML forbids."""
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def wrapped(text: str, width: int = 48, most: int = 180) -> str:
    """`text` on lines that fit the width of a picture, cut after `most` characters."""
    return "\n".join(textwrap.wrap(short(text, most), width, break_on_hyphens=False)) if text else ""


def fixed_and_sampled(estimates: Iterable[Estimate], mark: str) -> str:
    """The sentence of a caption: what is fixed, what was sampled, what `mark` shows, at which level."""
    sampled = [e for e in estimates if e.stderr != 0]
    if not sampled:
        return "Model, data and parameters are fixed and nothing was sampled: the numbers are exact up to rounding."
    levels = " and ".join(dict.fromkeys(f"{100 * e.confidence:g} %" for e in sampled))
    return (
        f"Model, data and parameters are fixed at each point, only the probe vectors were sampled; {mark} are {levels} "
        "intervals over them, no wider than the mark where none is seen."
    )
