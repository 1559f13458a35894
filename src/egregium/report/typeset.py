"""Numbers and formulas of results as HTML: raised powers, lowered indices, italic letters, real minus signs."""

import re

from markupsafe import Markup, escape

#: In this order; on escaped text, so only tags of ours appear.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^-0(?![\d.])"), "0"),
    (re.compile(r"(?<![\d.])1e\+?(-?)0*(\d+)"), r"10<sup>\1\2</sup>"),
    (re.compile(r"(\d(?:\.\d+)?)e\+?(-?)0*(\d+)"), r"\1 × 10<sup>\2\3</sup>"),
    (re.compile(r"\+/-"), "±"),
    (re.compile(r"(?<![\w.])-(?=\d)"), "−"),
    (re.compile(r"(\([\d.]+ %\)|\(exact\))"), r"<small>\1</small>"),
    (re.compile(r"\|\.\|"), "|·|"),
    (re.compile(r"²_F|_F\^2"), "<sub>F</sub><sup>2</sup>"),
    (re.compile(r"_F"), "<sub>F</sub>"),
    (re.compile(r"²_\*|_\*\^2"), "<sub>∗</sub><sup>2</sup>"),
    (re.compile(r"_\*"), "<sub>∗</sub>"),
    (re.compile(r"(?<=λ)_(max|min)"), r"<sub>\1</sub>"),
    (re.compile(r"²"), "<sup>2</sup>"),
    (re.compile(r"ᵀ"), "<sup>T</sup>"),
    (re.compile(r"(?<![A-Za-z])(Hg|S\u0303|[HGRSgfn])(?![A-Za-z])"), r"<i>\1</i>"),
)


def typeset(text: str) -> Markup:
    """What a result prints, as HTML. For text of egregium's own; a user's words are escaped and left as they are.

    >>> typeset("-8.85e-08 +/- 5e-10 (95 %)")
    Markup('−8.85 × 10<sup>−8</sup> ± 5 × 10<sup>−10</sup> <small>(95 %)</small>')
    >>> typeset("−β |H|²_F")
    Markup('−β |<i>H</i>|<sub>F</sub><sup>2</sup>')
    """
    html = str(escape(text))
    for pattern, replacement in _RULES:
        html = pattern.sub(replacement, html)
    return Markup(html)
