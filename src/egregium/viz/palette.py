"""Colours that a colour-blind reader tells apart (M. Okabe, K. Ito, 2002), as CSS variables once in a page."""

from egregium.results.measurement import TermName

#: Text and its quieter companion: sentinels that `svg` replaces, so never pure black.
INK, MUTED = "#1b1f24", "#6b7480"
BLUE, VERMILLION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"

#: On coloured cells, which are the same on a light and on a dark page: never replaced.
ON_CELLS, HALO = "#000000", "#ffffff"

TERM_COLOURS: dict[TermName, str] = {
    "trace": BLUE,
    "frobenius": VERMILLION,
    "gradient": GREEN,
    "gradient_trace": PURPLE,
}

#: What each colour becomes in an SVG: the page's variable, or the colour itself where the SVG stands alone.
CSS: dict[str, str] = {
    INK: "currentColor",
    MUTED: f"var(--picture-muted, {MUTED})",
    BLUE: f"var(--picture-blue, {BLUE})",
    VERMILLION: f"var(--picture-vermillion, {VERMILLION})",
    GREEN: f"var(--picture-green, {GREEN})",
    PURPLE: f"var(--picture-purple, {PURPLE})",
}

#: A dark page, and what each colour becomes on it where no page can say so.
DARK_PAGE = "#14181d"
DARK: dict[str, str] = {
    INK: "#e6e9ed",
    MUTED: "#8b95a1",
    BLUE: "#56b4e9",
    VERMILLION: "#ef8a45",
    GREEN: "#2fbf95",
    PURPLE: "#dd9cc0",
}
